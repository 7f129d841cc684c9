// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/model/load_config.hh"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "agent/base/file.hh"
#include "agent/model/json.hh"
#include "agent/model/limits.hh"
#include "agent/model/read.hh"
#include "agent/model/settings.hh"

namespace wigeon {
namespace {

struct FileTarget {
  Config& config;
  const std::string& file;
};

// Numbers and booleans must be such in JSON; only a mark may be a string, because JSON
// has no hexadecimal.
Result<std::string> as_setting_text(const Setting& s, const json::Scalar& v) {
  using Kind = json::Scalar::Kind;
  switch (s.kind) {
    case Setting::Kind::text:
    case Setting::Kind::list:
      return std::string(TRY(json::as_text(v)));
    case Setting::Kind::boolean:
      if (v.kind != Kind::boolean) return json::wrong_kind("true or false", v);
      return std::string(v.boolean ? "true" : "false");
    case Setting::Kind::mark:
      if (v.kind == Kind::text) return std::string(v.text);
      [[fallthrough]];
    case Setting::Kind::number:
      if (v.kind == Kind::real) return fail(EINVAL, "must be " + s.accepts);
      if (v.kind != Kind::integer) return json::wrong_kind("a number", v);
      if (v.negative) return fail(ERANGE, "must be " + s.accepts);
      return std::to_string(v.magnitude);
  }
  return fail(EINVAL, "unknown kind");
}

json::Field field_of(const Setting& s, std::string_view key) {
  json::Field f{.name = key, .context = &s};
  f.set = [](void* owner, const void* context, const json::Scalar& v) -> Result<void> {
    auto& target = *static_cast<FileTarget*>(owner);
    const auto& setting = *static_cast<const Setting*>(context);
    const auto text = TRY(as_setting_text(setting, v));
    TRY(setting.read(target.config, setting, text));
    target.config.origins[setting.pointer] = target.file;
    return {};
  };
  if (s.kind == Setting::Kind::list) {
    f.kind = json::Field::Kind::scalars;
    f.max = kMaxListedSettings;
    f.element_bytes = sizeof(Prefix);
    f.clear = [](void* owner, const void* context) {
      auto& target = *static_cast<FileTarget*>(owner);
      const auto& setting = *static_cast<const Setting*>(context);
      setting.clear(target.config);
      target.config.origins[setting.pointer] = target.file;
    };
  }
  return f;
}

// Shape of the file: one level of groups, each decoding into the same FileTarget.
const json::Shape& settings_shape() {
  static std::map<std::string_view, json::Shape> groups;  // nodes stay where they are
  static const json::Shape root = [] {
    json::Shape shape;
    for (const auto& s : settings()) {
      const auto path = s.pointer.substr(1);
      const auto slash = path.find('/');
      if (slash == path.npos) {
        shape.fields.push_back(field_of(s, path));
        continue;
      }
      const auto [group, made] = groups.try_emplace(path.substr(0, slash));
      group->second.fields.push_back(field_of(s, path.substr(slash + 1)));
      if (made)
        shape.fields.push_back({.name = group->first,
                                .kind = json::Field::Kind::object,
                                .enter = [](void* owner) { return owner; },
                                .shape = &group->second});
    }
    return shape;
  }();
  return root;
}

// NetBird's variables with our meaning of them. when_true: the variable is a boolean, and
// true is this value of the setting.
struct Alias {
  std::string_view name{}, pointer{}, when_true{};
};
constexpr Alias kAliases[] = {
    {"NB_INTERFACE_NAME", "/interfaceName"},
    {"NB_WIREGUARD_PORT", "/wireguardPort"},
    {"NB_MTU", "/mtu"},
    {"NB_DNS_RESOLVER_ADDRESS", "/dns/listenAddress"},
    {"NB_DISABLE_DNS", "/dns/manager", "none"},
    {"NB_DISABLE_FIREWALL", "/firewall/backend", "none"},
    {"NB_DISABLE_CLIENT_ROUTES", "/routing/disableClientRoutes"},
    {"NB_DISABLE_SERVER_ROUTES", "/routing/disableServerRoutes"},
    {"NB_DISABLE_IPV6", "/disableIPv6"},
    {"NB_BLOCK_INBOUND", "/blockInbound"},
    {"NB_BLOCK_LAN_ACCESS", "/blockLanAccess"},
    {"NB_STATE_DIR", "/stateDirectory"},
    {"NB_WG_KERNEL_DISABLED", "/tunnel", "userspace"},
    {"NB_LOG_LEVEL", "/logLevel"},
    {"NB_LOG_FORMAT", "/logFormat"},
};

constexpr std::string_view kEnvironment = "environment";
constexpr std::string_view kCommandLine = "command line";

Result<void> apply_alias(Config& config, const Alias& alias, std::string_view value) {
  if (!alias.when_true.empty()) {
    if (!TRY(parse_bool(value))) return {};
    value = alias.when_true;
  }
  return set(config, *find_setting(alias.pointer), value, std::string(alias.name));
}

Result<void> refuse_netstack(std::string_view value) {
  if (TRY(parse_bool(value)))
    return fail(ENOTSUP, "userspace netstack mode is out of scope");
  return {};
}

void read_and_apply(Config& config, Problems& problems, const std::string& file,
                    bool may_be_missing) {
  auto bytes = read_file(file, kMaxSettingsBytes);
  if (bytes)
    apply_file(config, problems, *bytes, file);
  else if (!(may_be_missing && bytes.error().code == ENOENT))
    problems.add({.file = file, .reason = bytes.error().what});
}

void apply_directory(Config& config, Problems& problems, const std::string& directory) {
  namespace fs = std::filesystem;
  std::error_code ec;
  std::vector<std::string> files;
  for (fs::directory_iterator at(directory, ec), end; !ec && at != end;
       at.increment(ec)) {
    const auto name = at->path().filename().string();
    if (name.starts_with('.') || !name.ends_with(".json")) continue;
    if (files.size() == kMaxSettingsFiles) {
      problems.add({.file = directory, .reason = "too many files"});
      return;
    }
    files.push_back(at->path().string());
  }
  if (ec && ec != std::errc::no_such_file_or_directory)
    problems.add({.file = directory, .reason = ec.message()});
  std::ranges::sort(files);
  for (const auto& f : files) read_and_apply(config, problems, f, true);
}

}  // namespace

void apply_file(Config& config, Problems& problems, std::string_view bytes,
                const std::string& file) {
  FileTarget target{config, file};
  problems.add(json::decode(bytes, file, settings_shape(), &target));
}

void apply_environment(Config& config, Problems& problems,
                       std::span<const std::string> environment) {
  std::map<std::string_view, std::string_view> values;
  for (const std::string_view entry : environment) {
    const auto equals = entry.find('=');
    if (equals != entry.npos)
      values.try_emplace(entry.substr(0, equals), entry.substr(equals + 1));
  }
  const auto with = [&](std::string_view name, auto apply) {
    const auto at = values.find(name);
    if (at == values.end()) return;
    Result<void> done = apply(at->second);
    if (done) return;
    problems.add({std::string(kEnvironment), std::string(name), shown(at->second),
                  std::move(done).error().what});
  };
  for (const auto& a : kAliases)
    with(a.name, [&](std::string_view v) { return apply_alias(config, a, v); });
  with("NB_USE_NETSTACK_MODE", refuse_netstack);
  if (const auto at = values.find("NB_PRESHARED_KEY"); at != values.end()) {
    auto key = SecretKey::parse(at->second);
    if (key)
      config.preshared_key = *key;
    else
      problems.add({.file = std::string(kEnvironment),
                    .pointer = "NB_PRESHARED_KEY",
                    .reason = std::move(key).error().what});
  }
  for (const auto& s : settings())
    with(s.environment,
         [&](std::string_view v) { return set(config, s, v, s.environment); });
}

std::vector<std::string> apply_flags(Config& config, Problems& problems,
                                     std::span<const std::string> arguments) {
  std::vector<std::string> rest;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string_view argument = arguments[i];
    if (argument == "--") {
      rest.insert(rest.end(), arguments.begin() + static_cast<ptrdiff_t>(i),
                  arguments.end());
      break;
    }
    const auto equals = argument.find('=');
    const Setting* s = find_flag(argument.substr(0, equals));
    if (!s) {
      rest.emplace_back(argument);
      continue;
    }
    std::string_view value;
    if (equals != argument.npos) {
      value = argument.substr(equals + 1);
    } else if (s->kind == Setting::Kind::boolean) {
      value = "true";
    } else if (i + 1 < arguments.size()) {
      value = arguments[++i];
    } else {
      problems.add({.file = std::string(kCommandLine),
                    .pointer = s->flag,
                    .reason = "needs a value"});
      break;
    }
    if (auto done = set(config, *s, value, s->flag); !done)
      problems.add({std::string(kCommandLine), s->flag, shown(value),
                    std::move(done).error().what});
  }
  return rest;
}

void settle(Config& config, Problems& problems) {
  const auto complain = [&](std::string_view pointer, std::string reason) {
    const auto at = config.origins.find(pointer);
    problems.add({.file = at == config.origins.end() ? "settings" : at->second,
                  .pointer = std::string(pointer),
                  .reason = std::move(reason)});
  };
  if (config.private_key_file.empty())
    config.private_key_file = config.state_directory + "/private.key";
  if (config.datapath == Datapath::xdp) {
    if (!config.given("/dns/redirect")) config.dns.redirect = DnsRedirect::xdp;
    if (!config.given("/firewall/backend"))
      config.firewall.backend = FirewallBackend::xdp;
  }
  if ((config.routing.mark & ~config.routing.mark_mask) != 0)
    complain("/routing/mark", "has bits that /routing/markMask has not");
  if (config.routing.table >= 253 && config.routing.table <= 255)
    complain("/routing/table", "253-255 are the kernel's own tables");
}

std::vector<std::string> own_environment() {
  std::vector<std::string> all;
  for (char** e = environ; *e; ++e) all.emplace_back(*e);
  return all;
}

std::expected<Config, Problems> load_config(const ConfigSources& sources) {
  Config config;
  Problems problems;
  read_and_apply(config, problems, sources.file, true);
  if (!sources.directory.empty()) apply_directory(config, problems, sources.directory);
  apply_environment(config, problems, sources.environment);
  for (const auto& unknown : apply_flags(config, problems, sources.flags))
    problems.add({.file = std::string(kCommandLine),
                  .value = shown(unknown),
                  .reason = "not a setting"});
  settle(config, problems);
  if (!problems.empty()) return std::unexpected(std::move(problems));
  return config;
}

}  // namespace wigeon
