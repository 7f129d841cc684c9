// SPDX-License-Identifier: GPL-2.0-or-later
#include "dns/os/bus_network_manager.hh"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <ranges>

#include "agent/base/sort_unique.hh"
#include "dns/resolv_conf.hh"

namespace wigeon::dns::os {
namespace {

// The best: others' names below ours do not go past us. Lower is possible, and then said.
constexpr int32_t kSplitPriority = -500;
// First in resolv.conf; a negative one would keep the host's own servers out of it, and
// with them any DNS when we are gone.
constexpr int32_t kListPriority = 1;
// So that the network's route that NetworkManager adds is the one that is there already.
constexpr int64_t kV4Metric = 0, kV6Metric = 256;
constexpr const char* kAllNames = "~.";
constexpr size_t kMaxNoted = 64;  // servers or domains

struct Family {
  NmDns dns{};
  bool takes_dns = false;
};

// Both forms are said by newer versions: what is in dns-data counts.
Result<void> read_family(sd_bus_message* m, bool v6, Family& family) {
  bool has_data = false;
  return read_dictionary(
      m, [&](sd_bus_message*, const std::string& key, const char* type) -> Result<void> {
        const std::string_view t = type;
        auto& servers = family.dns.servers;
        if (key == "method" && t == "s") {
          const auto method = TRY(read_text(m));
          family.takes_dns = method == "manual" || method == "auto" || method == "dhcp";
        } else if (key == "dns-data" && t == "as") {
          servers = TRY(read_texts(m));
          has_data = true;
        } else if (key == "dns" && t == (v6 ? "aay" : "au") && !has_data) {
          servers.clear();
          const auto add = [&](std::span<const uint8_t> bytes) {
            if (const auto a = Address::from_bytes(bytes)) servers.push_back(a->text());
          };
          return read_array(m, v6 ? "ay" : "u", [&](sd_bus_message*) -> Result<void> {
            if (!v6) {
              // Network order in memory, whatever the message's order is.
              const uint32_t number = TRY(read_unsigned(m));
              std::array<uint8_t, 4> bytes{};
              std::memcpy(bytes.data(), &number, bytes.size());
              add(bytes);
              return {};
            }
            const void* data = nullptr;
            size_t size = 0;
            if (sd_bus_message_read_array(m, 'y', &data, &size) < 0)
              return fail(EBADMSG, "a server is no address");
            if (size == 16) add({static_cast<const uint8_t*>(data), size});
            return {};
          });
        } else if (key == "dns-search" && t == "as") {
          family.dns.search = TRY(read_texts(m));
        } else if (key == "dns-priority" && t == "i") {
          family.dns.priority = TRY(read_int(m));
        }
        return {};
      });
}

Result<NmEntry> read_entry(sd_bus_message* m) {
  NmEntry entry;
  const auto read = read_dictionary(
      m, [&](sd_bus_message*, const std::string& key, const char* type) -> Result<void> {
        const std::string_view t = type;
        if (key == "nameservers" && t == "as")
          entry.servers = TRY(read_texts(m));
        else if (key == "domains" && t == "as")
          entry.domains = TRY(read_texts(m));
        else if (key == "interface" && t == "s")
          entry.interface = TRY(read_text(m));
        else if (key == "priority" && t == "i")
          entry.priority = TRY(read_int(m));
        else if (key == "vpn" && t == "b")
          entry.vpn = TRY(read_bool(m));
        return {};
      });
  TRY(read);
  return entry;
}

bool is_ours_to_write(std::string_view group, std::string_view key, bool v6_ignored) {
  if (group == "wireguard") return key == "peers";
  if (group == "ipv6" && v6_ignored) return true;
  if (group != "ipv4" && group != "ipv6") return false;
  for (const char* k :
       {"addresses", "routes", "dns", "dns-data", "dns-search", "dns-priority"})
    if (key == k) return true;
  return false;
}

// One call after another, as long as none fails.
class Writer {
 public:
  explicit Writer(sd_bus_message* m) : m_(m) {}
  template <class... A>
  void append(const char* types, A... arguments) {
    if (error_ >= 0) error_ = sd_bus_message_append(m_, types, arguments...);
  }
  void open(char type, const char* contents) {
    if (error_ >= 0) error_ = sd_bus_message_open_container(m_, type, contents);
  }
  void close() {
    if (error_ >= 0) error_ = sd_bus_message_close_container(m_);
  }
  void bytes(std::span<const uint8_t> b) {
    if (error_ >= 0) error_ = sd_bus_message_append_array(m_, 'y', b.data(), b.size());
  }
  void value_of(sd_bus_message* from) {
    if (error_ >= 0) error_ = sd_bus_message_copy(m_, from, 0);
  }
  [[nodiscard]] int error() const { return error_ < 0 ? error_ : 0; }

 private:
  sd_bus_message* m_;
  int error_ = 0;
};

void put_texts(Writer& out, const char* key, const std::vector<std::string>& texts) {
  out.open('e', "sv");
  out.append("s", key);
  out.open('v', "as");
  out.open('a', "s");
  for (const auto& t : texts) out.append("s", t.c_str());
  out.close();
  out.close();
  out.close();
}

// The deprecated form: every version takes it. Texts that are no address can only have
// come from a version that knows dns-data.
void put_dns(Writer& out, const NmDns& dns, bool v6, bool has_metric) {
  std::vector<Address> addresses;
  for (const auto& s : dns.servers)
    if (const auto a = Address::parse(s); a && a->is_v4() != v6) addresses.push_back(*a);
  if (addresses.size() != dns.servers.size()) {
    put_texts(out, "dns-data", dns.servers);
  } else if (!addresses.empty()) {
    out.open('e', "sv");
    out.append("s", "dns");
    out.open('v', v6 ? "aay" : "au");
    out.open('a', v6 ? "ay" : "u");
    for (const auto& a : addresses) {
      uint32_t number = 0;
      if (v6) {
        out.bytes(a.bytes());
        continue;
      }
      std::memcpy(&number, a.bytes().data(), sizeof number);
      out.append("u", number);
    }
    out.close();
    out.close();
    out.close();
  }
  put_texts(out, "dns-search", dns.search);
  if (dns.priority != 0) out.append("{sv}", "dns-priority", "i", dns.priority);
  if (!dns.servers.empty() && !has_metric)
    out.append("{sv}", "route-metric", "x", v6 ? kV6Metric : kV4Metric);
}

bool is_one_of(const Address& a, const std::vector<Address>& all) {
  return std::ranges::find(all, a) != all.end();
}

std::vector<std::string> sorted(std::vector<std::string> texts) {
  sort_unique(texts);
  return texts;
}

bool is_plain(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](unsigned char c) {
    return c > ' ' && c < 0x7f && c != ',' && c != '|';
  });
}

std::string joined(const std::vector<std::string>& texts) {
  std::string out;
  for (const auto& t : texts | std::views::take(kMaxNoted))
    if (is_plain(t)) out += (out.empty() ? "" : ",") + t;
  return out;
}

std::vector<std::string> split(std::string_view text, char at) {
  std::vector<std::string> parts;
  if (text.empty()) return parts;
  for (const auto part : std::views::split(text, at))
    parts.emplace_back(part.begin(), part.end());
  return parts;
}

std::string noted(const NmDns& dns) {
  return '|' + std::to_string(dns.priority) + '|' + joined(dns.servers) + '|' +
         joined(dns.search);
}

std::optional<NmDns> read_noted(const std::string& text, char family) {
  const auto parts = split(text, '|');
  if (parts.size() != 4 || parts[0] != std::string(1, family)) return std::nullopt;
  const bool negative = parts[1].starts_with('-');
  const auto number = parse_number(parts[1].substr(negative ? 1 : 0), INT32_MAX);
  if (!number) return std::nullopt;
  const auto priority = static_cast<int32_t>(*number);
  return NmDns{.servers = split(parts[2], ','),
               .search = split(parts[3], ','),
               .priority = negative ? -priority : priority};
}

}  // namespace

Result<NmApplied> read_nm_applied(sd_bus_message* m) {
  Family v4, v6;
  const auto read = read_array(m, "{sa{sv}}", [&](sd_bus_message*) -> Result<void> {
    if (sd_bus_message_enter_container(m, 'e', "sa{sv}") <= 0)
      return fail(EBADMSG, "the connection is no dictionary");
    const std::string text = TRY(read_text(m));
    const std::string_view group = text;
    if (group == "ipv4" || group == "ipv6") {
      TRY(read_family(m, group == "ipv6", group == "ipv6" ? v6 : v4));
    } else if (sd_bus_message_skip(m, "a{sv}") < 0) {
      return fail(EBADMSG, "the connection is no dictionary");
    }
    if (sd_bus_message_exit_container(m) < 0)
      return fail(EBADMSG, "the connection is no dictionary");
    return {};
  });
  TRY(read);
  NmApplied applied;
  applied.version = TRY(read_unsigned_long(m));
  applied.v4 = std::move(v4.dns);
  applied.v6 = std::move(v6.dns);
  applied.v4_takes_dns = v4.takes_dns;
  applied.v6_takes_dns = v6.takes_dns;
  return applied;
}

Result<NmDnsManager> read_nm_dns_manager(sd_bus_message* m) {
  NmDnsManager manager;
  const auto read = read_dictionary(
      m, [&](sd_bus_message*, const std::string& key, const char* type) -> Result<void> {
        const std::string_view t = type;
        if (key == "Mode" && t == "s") {
          manager.mode = TRY(read_text(m));
        } else if (key == "RcManager" && t == "s") {
          manager.rc_manager = TRY(read_text(m));
        } else if (key == "Configuration" && t == "aa{sv}") {
          manager.entries.clear();
          return read_array(m, "a{sv}", [&](sd_bus_message*) -> Result<void> {
            manager.entries.push_back(TRY(read_entry(m)));
            return {};
          });
        }
        return {};
      });
  TRY(read);
  return manager;
}

std::optional<std::pair<int, int>> nm_version(std::string_view text) {
  std::pair<int, int> version;
  const char* const end = text.data() + text.size();
  const auto first = std::from_chars(text.data(), end, version.first);
  if (first.ec != std::errc() || first.ptr == end || *first.ptr != '.')
    return std::nullopt;
  if (std::from_chars(first.ptr + 1, end, version.second).ec != std::errc())
    return std::nullopt;
  return version;
}

bool nm_splits(std::string_view mode) {
  for (const char* splitting : {"dnsmasq", "systemd-resolved", "unbound", "dnsconfd"})
    if (mode == splitting) return true;
  return false;
}

NmApplied nm_wish(const HostDns& dns, const NmApplied& is, bool splits) {
  NmDns common{.priority = splits ? kSplitPriority : kListPriority};
  for (const auto& d : dns.domains)
    common.search.push_back(d.is_search ? d.name : '~' + d.name);
  if (dns.all_names) common.search.emplace_back(kAllNames);
  NmApplied wish = is;
  wish.v4 = wish.v6 = {};
  for (const bool v4 : {true, false}) {
    if (!(v4 ? is.v4_takes_dns : is.v6_takes_dns)) continue;
    auto& family = v4 ? wish.v4 : wish.v6;
    for (const auto& a : dns.servers) {
      if (a.is_v4() != v4) continue;
      if (family.servers.empty()) family = common;
      family.servers.push_back(a.text());
    }
    if (family.servers.empty()) continue;
    wish.v6_ignored = v4;
    break;
  }
  return wish;
}

bool nm_says(const NmApplied& is, const NmApplied& wish) {
  return (!is.v4_takes_dns || is.v4 == wish.v4) &&
         (!is.v6_takes_dns || is.v6.servers == wish.v6.servers) &&
         (wish.v6.servers.empty() || is.v6 == wish.v6);
}

std::string nm_obstacle(const NmDnsManager& manager, const NmApplied& wish,
                        const std::string& interface) {
  if (manager.mode == "none" ||
      (manager.mode == "default" && manager.rc_manager == "unmanaged"))
    return "NetworkManager is configured to leave resolv.conf alone";
  std::vector<std::string> servers = wish.v4.servers, domains = wish.v4.search;
  servers.insert(servers.end(), wish.v6.servers.begin(), wish.v6.servers.end());
  domains.insert(domains.end(), wish.v6.search.begin(), wish.v6.search.end());
  const auto priority = wish.v4.servers.empty() ? wish.v6.priority : wish.v4.priority;
  std::vector<std::string> listed, listed_domains;
  for (const auto& e : manager.entries) {
    if (e.interface == interface) {
      listed.insert(listed.end(), e.servers.begin(), e.servers.end());
      listed_domains.insert(listed_domains.end(), e.domains.begin(), e.domains.end());
      if (e.priority != priority) return "NetworkManager has not taken the priority";
    } else if (e.priority < 0 && e.priority < priority && !e.servers.empty()) {
      return "the connection of " + e.interface + " has dns-priority " +
             std::to_string(e.priority) + ", which keeps ours out";
    }
  }
  // The wildcard is obeyed and not listed.
  for (auto* all : {&domains, &listed_domains}) std::erase(*all, std::string(kAllNames));
  if (sorted(listed) != sorted(servers) || sorted(listed_domains) != sorted(domains))
    return "NetworkManager does not list our servers and domains";
  return "";
}

NmOriginals nm_originals(const NmDnsManager& manager, const std::string& interface,
                         const std::vector<Address>& own) {
  NmOriginals originals, of_vpns;
  for (const auto& e : manager.entries) {
    if (!interface.empty() && e.interface == interface) continue;
    auto& into = e.vpn ? of_vpns : originals;
    for (const auto& s : e.servers) {
      const auto percent = s.find('%');
      const auto a = Address::parse(std::string_view(s).substr(0, percent));
      if (a && is_one_of(*a, own)) continue;
      const auto zone = percent == s.npos ? e.interface : s.substr(percent + 1);
      const auto endpoint =
          a && can_be_asked(*a) ? endpoint_of({*a, zone}) : std::optional<Endpoint>();
      if (!endpoint)
        ++into.left_out;
      else if (std::ranges::find(into.servers, *endpoint) == into.servers.end())
        into.servers.push_back(*endpoint);
    }
  }
  return originals.servers.empty() ? of_vpns : originals;
}

int put_nm_settings(sd_bus_message* m, sd_bus_message* applied, const NmApplied& wish) {
  Writer out(m);
  if (sd_bus_message_rewind(applied, 1) < 0 ||
      sd_bus_message_enter_container(applied, 'a', "{sa{sv}}") <= 0)
    return -EBADMSG;
  out.open('a', "{sa{sv}}");
  for (size_t groups = 0; sd_bus_message_enter_container(applied, 'e', "sa{sv}") > 0;) {
    if (++groups > kMaxNmGroups) return -E2BIG;
    const char* read = nullptr;
    if (sd_bus_message_read(applied, "s", &read) <= 0 ||
        sd_bus_message_enter_container(applied, 'a', "{sv}") < 0)
      return -EBADMSG;
    const std::string group = read;
    bool has_metric = false;
    out.open('e', "sa{sv}");
    out.append("s", group.c_str());
    out.open('a', "{sv}");
    for (size_t keys = 0; sd_bus_message_enter_container(applied, 'e', "sv") > 0;) {
      if (++keys > kMaxNmKeys) return -E2BIG;
      const char* key = nullptr;
      if (sd_bus_message_read(applied, "s", &key) <= 0) return -EBADMSG;
      if (is_ours_to_write(group, key, wish.v6_ignored)) {
        if (sd_bus_message_skip(applied, "v") < 0) return -EBADMSG;
      } else {
        has_metric |= std::string_view(key) == "route-metric";
        out.open('e', "sv");
        out.append("s", key);
        out.value_of(applied);
        out.close();
      }
      if (sd_bus_message_exit_container(applied) < 0) return -EBADMSG;
    }
    if (group == "ipv4" && wish.v4_takes_dns) put_dns(out, wish.v4, false, has_metric);
    if (group == "ipv6" && wish.v6_ignored)
      out.append("{sv}", "method", "s", "ignore");
    else if (group == "ipv6" && wish.v6_takes_dns)
      put_dns(out, wish.v6, true, has_metric);
    out.close();
    out.close();
    // The keys, and the group.
    for (int depth = 2; depth > 0; --depth)
      if (sd_bus_message_exit_container(applied) < 0) return -EBADMSG;
  }
  out.close();
  return out.error();
}

std::string NmNote::text() const {
  return "networkManager " + interface + " 4" + noted(v4) + " 6" + noted(v6);
}

std::optional<NmNote> NmNote::parse(std::string_view text) {
  const auto words = split(text, ' ');
  if (words.size() != 4 || words[0] != "networkManager" || words[1].empty())
    return std::nullopt;
  auto v4 = read_noted(words[2], '4'), v6 = read_noted(words[3], '6');
  if (!v4 || !v6) return std::nullopt;
  return NmNote{words[1], std::move(*v4), std::move(*v6)};
}

}  // namespace wigeon::dns::os
