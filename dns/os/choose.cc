// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>

#include "dns/os/bus_network_manager.hh"
#include "dns/os/environment.hh"
#include "dns/resolv_conf.hh"

namespace wigeon::dns::os {
namespace {

// NetworkManager 1.16 to 1.26 writes over what others told resolved about a link.
bool overwrites_links(const Environment& e) {
  if (!e.network_manager || e.nm_mode != "systemd-resolved") return false;
  const auto version = nm_version(e.nm_version);
  return version && *version >= std::pair(1, 16) && *version < std::pair(1, 27);
}

bool lists_stub(const Environment& e) {
  if (!e.resolv_conf) return false;
  const auto servers = parse_resolv_conf(*e.resolv_conf).nameservers;
  return std::ranges::any_of(servers, is_resolved_stub, &Nameserver::address);
}

// The comments that a file begins with name its writer.
std::string heading(std::string_view rest) {
  std::string all;
  while (!rest.empty()) {
    const auto line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    if (line.find_first_not_of(" \t\r") == line.npos) continue;
    if (line[0] != '#' && line[0] != ';') break;
    all += std::string(line) + '\n';
  }
  return all;
}

bool contains(std::string_view text, std::string_view word) {
  return text.find(word) != text.npos;
}

bool is_networkmanagers(const Environment& e, std::string_view writers) {
  return contains(writers, "NetworkManager") ||
         contains(e.resolv_conf_target, "/NetworkManager/");
}

bool is_resolvconfs(const Environment& e, std::string_view writers) {
  return contains(writers, "resolvconf") ||
         contains(e.resolv_conf_target, "/resolvconf/");
}

Choice resolvconf(const Environment& e, const std::string& why) {
  using Kind = Environment::Resolvconf;
  if (e.resolvconf == Kind::debian) return {ManagerKind::resolvconf, why};
  if (e.resolvconf == Kind::openresolv) return {ManagerKind::openresolv, why};
  if (e.resolvconf == Kind::systemd && e.resolved)
    return {ManagerKind::systemd, why + ", and that is systemd-resolved's"};
  return {};
}

// Of a line of nsswitch.conf(5). Comments and actions, "[!UNAVAIL=return]", are none; the
// colon may stand apart.
std::vector<std::string> words_of(std::string_view line) {
  std::vector<std::string> words(1);
  bool action = false;
  for (const char c : line.substr(0, line.find('#'))) {
    if (c == '[') action = true;
    const bool blank = c == ' ' || c == '\t' || c == '\r' || action;
    if (c == ']') action = false;
    if (!blank)
      words.back() += c;
    else if (!words.back().empty())
      words.emplace_back();
  }
  std::erase(words, std::string());
  if (words.size() > 1 && words[1].starts_with(':')) {
    words[0] += ':';
    words[1].erase(0, 1);
  }
  if (words.empty()) return words;
  if (const auto colon = words[0].find(':');
      colon != std::string::npos && colon + 1 < words[0].size()) {
    words.insert(words.begin() + 1, words[0].substr(colon + 1));
    words[0].resize(colon + 1);
  }
  return words;
}

Choice automatic(const Environment& e) {
  const bool asks_resolved = asks_resolve_before_dns(e.nsswitch);
  const bool stub = lists_stub(e);
  if (e.resolved && (asks_resolved || stub)) {
    if (overwrites_links(e))
      return {ManagerKind::network_manager, "NetworkManager " + e.nm_version +
                                                " writes over what others tell "
                                                "systemd-resolved"};
    return {ManagerKind::systemd,
            std::string("systemd-resolved runs and ") +
                (asks_resolved ? "nsswitch.conf asks it" : "resolv.conf names its stub")};
  }
  if (!e.resolv_conf)
    return {ManagerKind::file, "there is no resolv.conf, and nobody who makes one"};
  const std::string writers = heading(*e.resolv_conf);
  std::string but;
  if (is_networkmanagers(e, writers)) {
    if (e.network_manager && (nm_splits(e.nm_mode) || e.nm_rc_manager != "unmanaged"))
      return {ManagerKind::network_manager,
              "NetworkManager wrote resolv.conf, its DNS mode is " +
                  (e.nm_mode.empty() ? "unknown" : e.nm_mode)};
    but = e.network_manager ? "NetworkManager wrote it but no longer manages it"
                            : "NetworkManager wrote it but does not run";
  } else if (is_resolvconfs(e, writers)) {
    auto choice = resolvconf(e, "resolvconf wrote resolv.conf");
    if (choice.kind != ManagerKind::none) return choice;
    but = "resolvconf wrote it but is not installed";
  } else if (stub) {
    // Written over, it would be wrong again once resolved is back.
    return {ManagerKind::none,
            "resolv.conf names systemd-resolved's stub, which does not run"};
  } else if (contains(writers, "systemd-resolved")) {
    but = "systemd-resolved wrote it but does not run";
  }
  return {ManagerKind::file,
          but.empty() ? "nobody manages resolv.conf" : "resolv.conf: " + but};
}

}  // namespace

bool asks_resolve_before_dns(std::string_view nsswitch) {
  while (!nsswitch.empty()) {
    const auto line = nsswitch.substr(0, nsswitch.find('\n'));
    nsswitch.remove_prefix(std::min(line.size() + 1, nsswitch.size()));
    const auto words = words_of(line);
    if (words.empty() || words[0] != "hosts:") continue;
    for (const auto& word : words) {
      if (word == "resolve") return true;
      if (word == "dns") return false;
    }
    return false;
  }
  return false;
}

Choice choose_manager(const Environment& e, std::optional<ManagerKind> asked) {
  if (!asked) return automatic(e);
  const auto missing = [](const char* what) {
    return Choice{ManagerKind::none,
                  std::string("dns.manager asks for what is not here: ") + what};
  };
  switch (*asked) {
    case ManagerKind::systemd:
      if (!e.resolved) return missing("systemd-resolved is not on the bus");
      break;
    case ManagerKind::network_manager:
      if (!e.network_manager) return missing("NetworkManager is not on the bus");
      break;
    case ManagerKind::resolvconf:
    case ManagerKind::openresolv: {
      auto choice = resolvconf(e, "dns.manager says so");
      return choice.kind == ManagerKind::none ? missing("no resolvconf is installed")
                                              : choice;
    }
    case ManagerKind::file:
    case ManagerKind::none:
      break;
  }
  return {*asked, "dns.manager says so"};
}

}  // namespace wigeon::dns::os
