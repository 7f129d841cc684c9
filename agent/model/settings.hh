// SPDX-License-Identifier: GPL-2.0-or-later
// The one table of settings. The settings files, the environment, the flags, --help and
// "wigeon config show" are all read from it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "agent/base/result.hh"
#include "agent/model/config.hh"

namespace wigeon {

struct Setting {
  enum class Kind {
    text,
    number,
    mark,  // a number that may be written "0x1bd00"
    boolean,
    list,  // as text: joined by commas
  };
  std::string_view pointer{};  // in the settings file: "/dns/redirect"
  Kind kind = Kind::text;
  std::string accepts{};  // "auto|kernel|userspace", "1-65535"
  std::string_view help{};
  uint64_t min = 0, max = 0;
  // Of a list: adds one element.
  Result<void> (*read)(Config&, const Setting&, std::string_view text) = nullptr;
  void (*clear)(Config&) = nullptr;              // of a list
  std::string (*show)(const Config&) = nullptr;  // what read takes; "": nothing set
  std::string flag{};                            // "--dns-redirect"
  std::string environment{};                     // "WIGEON_DNS_REDIRECT"
};

// In the order of --help. The pointers live as long as the program.
std::span<const Setting> settings();
const Setting* find_setting(std::string_view pointer);
const Setting* find_flag(std::string_view flag);

// From the text of a flag or variable; origin is what Config::origins shall say. A
// failure leaves config as it was.
Result<void> set(Config& config, const Setting& setting, std::string_view text,
                 std::string origin);

// 1, t, true, 0, f, false in any case, as Go's flags have it.
Result<bool> parse_bool(std::string_view text);

// "  --mtu 1280-65535" and an explanation for each, for --help.
std::string settings_help();

}  // namespace wigeon
