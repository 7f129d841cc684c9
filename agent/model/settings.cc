// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/model/settings.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <ranges>

#include "agent/model/limits.hh"
#include "agent/model/name.hh"
#include "agent/model/read.hh"

namespace wigeon {
namespace {

using Kind = Setting::Kind;

template <class E>
struct Names;
template <>
struct Names<Datapath> {
  static constexpr std::array<std::string_view, 2> all{"auto", "xdp"};
};
template <>
struct Names<DnsManager> {
  static constexpr std::array<std::string_view, 6> all{
      "auto", "systemd", "networkManager", "resolvconf", "file", "none"};
};
template <>
struct Names<DnsRedirect> {
  static constexpr std::array<std::string_view, 7> all{
      "auto", "sk_lookup", "tc", "nftables", "xdp", "bind", "off"};
};
template <>
struct Names<FirewallBackend> {
  static constexpr std::array<std::string_view, 5> all{"auto", "tc", "xdp", "nftables",
                                                       "none"};
};
template <>
struct Names<TunnelKind> {
  static constexpr std::array<std::string_view, 3> all{"auto", "kernel", "userspace"};
};
template <>
struct Names<log::Format> {
  static constexpr std::array<std::string_view, 2> all{"text", "json"};
};

std::string joined(auto&& parts, std::string_view by) {
  return fmt::format("{}", fmt::join(parts, by));
}

Result<uint64_t> number_from(const Setting& s, std::string_view text) {
  uint64_t n = 0;
  if (s.kind == Kind::mark && (text.starts_with("0x") || text.starts_with("0X"))) {
    const auto* end = text.data() + text.size();
    const auto [at, ec] = std::from_chars(text.data() + 2, end, n, 16);
    if (ec != std::errc{} || at != end) return fail(EINVAL, "not a number");
  } else {
    auto parsed = parse_number(text, UINT64_MAX);
    if (!parsed && parsed.error().code != ERANGE) return fail(EINVAL, "not a number");
    n = parsed.value_or(UINT64_MAX);
  }
  if (n < s.min || n > s.max) return fail(ERANGE, "must be " + s.accepts);
  return n;
}

// Each of these makes a row of the table for the member that Path leads to:
// <&Config::dns, &Config::Dns::redirect>.
template <auto First, auto... Rest>
auto& member(auto& c) {
  if constexpr (sizeof...(Rest) == 0)
    return c.*First;
  else
    return member<Rest...>(c.*First);
}

template <auto... Path>
using Type = std::remove_cvref_t<decltype(member<Path...>(std::declval<Config&>()))>;

template <auto... Path>
Setting number(std::string_view pointer, uint64_t min, uint64_t max,
               std::string_view help, Kind kind = Kind::number) {
  return {
      .pointer = pointer,
      .kind = kind,
      .accepts = kind == Kind::mark ? fmt::format("{:#x}-{:#x}", min, max)
                                    : fmt::format("{}-{}", min, max),
      .help = help,
      .min = min,
      .max = max,
      .read = [](Config& c, const Setting& s, std::string_view text) -> Result<void> {
        member<Path...>(c) = static_cast<Type<Path...>>(TRY(number_from(s, text)));
        return {};
      },
      .show =
          kind == Kind::mark
              ? [](const Config& c) { return fmt::format("{:#x}", member<Path...>(c)); }
              : +[](const Config& c) { return std::to_string(member<Path...>(c)); }};
}

template <auto... Path>
Setting choice(std::string_view pointer, std::string_view help) {
  using N = Names<Type<Path...>>;
  return {.pointer = pointer,
          .accepts = joined(N::all, "|"),
          .help = help,
          .read = [](Config& c, const Setting& s, std::string_view text) -> Result<void> {
            const auto at = json::find_name(N::all, text);
            if (!at) return fail(EINVAL, "must be one of " + s.accepts);
            member<Path...>(c) = static_cast<Type<Path...>>(*at);
            return {};
          },
          .show =
              [](const Config& c) {
                return std::string(N::all[static_cast<size_t>(member<Path...>(c))]);
              }};
}

template <auto... Path>
Setting boolean(std::string_view pointer, std::string_view help) {
  return {.pointer = pointer,
          .kind = Kind::boolean,
          .accepts = "true|false",
          .help = help,
          .read = [](Config& c, const Setting&, std::string_view text) -> Result<void> {
            member<Path...>(c) = TRY(parse_bool(text));
            return {};
          },
          .show =
              [](const Config& c) {
                return std::string(member<Path...>(c) ? "true" : "false");
              }};
}

using Check = Result<void> (*)(std::string_view);

template <Check check, auto... Path>
Setting text(std::string_view pointer, std::string_view accepts, std::string_view help) {
  return {.pointer = pointer,
          .accepts = std::string(accepts),
          .help = help,
          .read = [](Config& c, const Setting&, std::string_view t) -> Result<void> {
            TRY(check(t));
            member<Path...>(c) = std::string(t);
            return {};
          },
          .show = [](const Config& c) { return member<Path...>(c); }};
}

template <auto... Path>
Setting endpoint(std::string_view pointer, std::string_view help) {
  return {.pointer = pointer,
          .accepts = "address:port",
          .help = help,
          .read = [](Config& c, const Setting&, std::string_view t) -> Result<void> {
            member<Path...>(c) = TRY(Endpoint::parse(t));
            return {};
          },
          .show =
              [](const Config& c) {
                return member<Path...>(c) ? member<Path...>(c)->text() : std::string();
              }};
}

template <auto... Path>
Setting prefixes(std::string_view pointer, std::string_view help) {
  return {.pointer = pointer,
          .kind = Kind::list,
          .accepts = "prefix,…",
          .help = help,
          .read = [](Config& c, const Setting&, std::string_view t) -> Result<void> {
            auto p = TRY(Prefix::parse(t));
            auto& list = member<Path...>(c);
            if (list.size() == kMaxListedSettings) return fail(E2BIG, "too many entries");
            list.push_back(p);
            return {};
          },
          .clear = [](Config& c) { member<Path...>(c).clear(); },
          .show =
              [](const Config& c) {
                return joined(
                    std::views::transform(member<Path...>(c),
                                          [](const Prefix& p) { return p.text(); }),
                    ",");
              }};
}

Result<void> check_path(std::string_view t) {
  if (!t.starts_with('/')) return fail(EINVAL, "must be an absolute path");
  if (t.size() >= kMaxStringBytes) return fail(ENAMETOOLONG, "the path is too long");
  if (std::ranges::any_of(t, [](char c) { return static_cast<unsigned char>(c) < 0x20; }))
    return fail(EINVAL, "has a control character");
  return {};
}

Result<void> check_group(std::string_view t) {
  const bool good =
      !t.empty() && t.size() <= 32 && t[0] != '-' && std::ranges::all_of(t, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
      });
  if (!good) return fail(EINVAL, "not a group name");
  return {};
}

Setting log_level(std::string_view help) {
  return {.pointer = "/logLevel",
          .accepts = "error|warning|info|debug",
          .help = help,
          .read = [](Config& c, const Setting& s, std::string_view t) -> Result<void> {
            const auto level = log::parse_level(t);
            if (!level) return fail(EINVAL, "must be one of " + s.accepts);
            c.log_level = *level;
            return {};
          },
          .show = [](const Config& c) { return std::string(log::name(c.log_level)); }};
}

std::vector<Setting> rows() {
  constexpr uint64_t max32 = UINT32_MAX;
  return {
      text<check_interface_name, &Config::interface_name>(
          "/interfaceName", "name", "name of the WireGuard interface"),
      number<&Config::wireguard_port>("/wireguardPort", 1, 65535,
                                      "UDP port of WireGuard"),
      number<&Config::mtu>("/mtu", 1280, 65535, "MTU of the interface; beats the map's"),
      text<check_path, &Config::private_key_file>(
          "/privateKeyFile", "path",
          "this host's key, made when missing; default: private.key in the "
          "state directory"),
      text<check_path, &Config::preshared_key_file>(
          "/presharedKeyFile", "path",
          "preshared key for peers whose entry in the map has none"),
      text<check_path, &Config::source, &Config::Source::file>("/source/file", "path",
                                                               "the network map"),
      choice<&Config::datapath>(
          "/datapath",
          "xdp: dns.redirect and firewall.backend are xdp unless they are given"),
      choice<&Config::dns, &Config::Dns::manager>("/dns/manager",
                                                  "who is told about our resolver"),
      choice<&Config::dns, &Config::Dns::redirect>("/dns/redirect",
                                                   "how queries to port 53 reach it"),
      endpoint<&Config::dns, &Config::Dns::listen_address>(
          "/dns/listenAddress", "resolver's own address and port"),
      prefixes<&Config::dns, &Config::Dns::allow_from>(
          "/dns/allowFrom", "further sources that may ask the resolver"),
      boolean<&Config::dns, &Config::Dns::search_domains>(
          "/dns/searchDomains", "hand the map's search domains to the host"),
      number<&Config::dns, &Config::Dns::serve_stale>(
          "/dns/serveStale", 0, 7 * 86400,
          "seconds past their time that answers are given when their servers fail"),
      choice<&Config::firewall, &Config::Firewall::backend>(
          "/firewall/backend", "what filters on the interface"),
      boolean<&Config::firewall, &Config::Firewall::allow_unfiltered>(
          "/firewall/allowUnfiltered", "go on when no filter can be attached"),
      number<&Config::routing, &Config::Routing::table>("/routing/table", 1, max32,
                                                        "routing table of our own"),
      number<&Config::routing, &Config::Routing::mark>(
          "/routing/mark", 1, max32, "fwmark of WireGuard's packets", Kind::mark),
      number<&Config::routing, &Config::Routing::mark_mask>(
          "/routing/markMask", 1, max32, "bits of the fwmark that are ours", Kind::mark),
      number<&Config::routing, &Config::Routing::rule_priority>(
          "/routing/rulePriority", 1, 32000, "priority of our first routing rule"),
      boolean<&Config::routing, &Config::Routing::disable_client_routes>(
          "/routing/disableClientRoutes", "do not use networks behind routing peers"),
      boolean<&Config::routing, &Config::Routing::disable_server_routes>(
          "/routing/disableServerRoutes", "do not serve networks as a routing peer"),
      boolean<&Config::routing, &Config::Routing::allow_default_route>(
          "/routing/allowDefaultRoute", "let the map take the default route"),
      prefixes<&Config::routing, &Config::Routing::exclude>(
          "/routing/exclude", "networks never to be routed"),
      boolean<&Config::block_inbound>("/blockInbound", "refuse all new flows from peers"),
      boolean<&Config::block_lan_access>(
          "/blockLanAccess", "refuse peers' flows to this host's own networks"),
      boolean<&Config::disable_ipv6>("/disableIPv6", "no IPv6 in the tunnel"),
      text<check_group, &Config::socket_group>("/socketGroup", "group",
                                               "group that may use the control socket"),
      text<check_path, &Config::state_directory>("/stateDirectory", "path",
                                                 "key, journal and last good map"),
      text<check_path, &Config::runtime_directory>("/runtimeDirectory", "path",
                                                   "control socket and lock"),
      text<check_path, &Config::bpf_directory>("/bpfDirectory", "path", "pins in bpffs"),
      choice<&Config::tunnel>("/tunnel", "kernel WireGuard or wireguard-go"),
      endpoint<&Config::metrics_listen>("/metricsListen", "where metrics are served"),
      log_level("least severe message that is written"),
      choice<&Config::log_format>("/logFormat", "of log lines on stderr"),
  };
}

// "/dns/listenAddress" to "dns-listen-address", "/disableIPv6" to "disable-ipv6".
std::string kebab(std::string_view pointer) {
  const auto is_upper = [](char c) { return c >= 'A' && c <= 'Z'; };
  std::string out;
  for (size_t i = 1; i < pointer.size(); ++i) {
    const char c = pointer[i];
    if (c == '/') {
      out += '-';
    } else if (is_upper(c)) {
      if (!is_upper(pointer[i - 1])) out += '-';
      out += static_cast<char>(c - 'A' + 'a');
    } else {
      out += c;
    }
  }
  return out;
}

std::string upper_snake(std::string s) {
  for (char& c : s)
    c = c == '-' ? '_' : c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  return s;
}

const Setting* find(auto member, std::string_view value) {
  for (const auto& s : settings())
    if (s.*member == value) return &s;
  return nullptr;
}

}  // namespace

std::span<const Setting> settings() {
  static const std::vector<Setting> table = [] {
    auto all = rows();
    for (auto& s : all) {
      const auto name = kebab(s.pointer);
      s.flag = "--" + name;
      s.environment = "WIGEON_" + upper_snake(name);
    }
    return all;
  }();
  return table;
}

const Setting* find_setting(std::string_view pointer) {
  return find(&Setting::pointer, pointer);
}
const Setting* find_flag(std::string_view flag) { return find(&Setting::flag, flag); }

Result<bool> parse_bool(std::string_view text) {
  static constexpr std::array<std::string_view, 6> names{"0", "1",     "f",
                                                         "t", "false", "true"};
  const auto at = json::find_name(names, text);
  if (!at) return fail(EINVAL, "must be true or false");
  return *at % 2 == 1;
}

Result<void> set(Config& config, const Setting& setting, std::string_view text,
                 std::string origin) {
  if (setting.kind == Kind::list) {
    Config changed = config;
    setting.clear(changed);
    while (!text.empty()) {
      const auto comma = std::min(text.find(','), text.size());
      TRY(setting.read(changed, setting, text.substr(0, comma)));
      text.remove_prefix(std::min(comma + 1, text.size()));
    }
    config = std::move(changed);
  } else {
    TRY(setting.read(config, setting, text));
  }
  config.origins[setting.pointer] = std::move(origin);
  return {};
}

std::string settings_help() {
  const Config defaults;
  std::string out;
  for (const auto& s : settings()) {
    const auto standard = s.show(defaults);
    out += fmt::format("  {} {}\n        {}{}\n", s.flag, s.accepts, s.help,
                       standard.empty() ? "" : " (default " + standard + ")");
  }
  return out;
}

std::string to_json(const Config& config) {
  std::string out = "{";
  std::string_view group;  // the object we are in: "dns"
  const auto line = [&](std::string_view indent) {
    if (!out.ends_with('{')) out += ',';
    (out += '\n') += indent;
  };
  for (const auto& s : settings()) {
    const auto value = s.show(config);
    // Absent is the only way to say that a path or address is not set.
    if (value.empty() && s.kind != Kind::list) continue;
    auto key = s.pointer.substr(1);
    const auto slash = key.find('/');
    const auto in = slash == key.npos ? std::string_view() : key.substr(0, slash);
    if (slash != key.npos) key = key.substr(slash + 1);
    if (in != group) {
      if (!group.empty()) out += "\n  }";
      if (!in.empty()) {
        line("  ");
        out += json::quote(in) + ": {";
      }
      group = in;
    }
    line(in.empty() ? "  " : "    ");
    out += json::quote(key) + ": ";
    switch (s.kind) {
      case Kind::number:
      case Kind::boolean:
        out += value;
        break;
      case Kind::text:
      case Kind::mark:
        out += json::quote(value);
        break;
      case Kind::list: {
        out += '[';
        for (const auto part : std::views::split(value, ',')) {
          if (!out.ends_with('[')) out += ", ";
          out += json::quote(std::string_view(part.begin(), part.end()));
        }
        out += ']';
        break;
      }
    }
  }
  if (!group.empty()) out += "\n  }";
  return out + "\n}\n";
}

}  // namespace wigeon
