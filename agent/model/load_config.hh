// SPDX-License-Identifier: GPL-2.0-or-later
// Settings from where they are written: /etc/wigeon/config.json, then config.d/*.json in
// name order, then the environment, then flags. The later one wins, setting by setting; a
// list is replaced, never appended to.
#pragma once

#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/model/config.hh"
#include "agent/model/problem.hh"

namespace wigeon {

struct ConfigSources {
  std::string file = "/etc/wigeon/config.json";    // missing: defaults
  std::string directory = "/etc/wigeon/config.d";  // missing or "": none
  std::vector<std::string> environment{};          // "NAME=value"
  std::vector<std::string> flags{};                // "--mtu=1400", "--mtu", "1400"
};

// All of it, or every problem there is.
std::expected<Config, Problems> load_config(const ConfigSources& sources);

// The single steps, for those who have the parts. config is complete after settle().
void apply_file(Config& config, Problems& problems, std::string_view bytes,
                const std::string& file);
// Variables that are no setting of ours are left alone. NetBird's NB_* serve where they
// mean the same thing.
void apply_environment(Config& config, Problems& problems,
                       std::span<const std::string> environment);
// Takes the flags that are settings and returns the other arguments in their order. After
// "--" nothing is taken. A boolean needs no value: "--disable-ipv6".
std::vector<std::string> apply_flags(Config& config, Problems& problems,
                                     std::span<const std::string> arguments);
// Defaults that follow from other settings, and what settings must have in common.
void settle(Config& config, Problems& problems);

// The process's own environment, for ConfigSources.
std::vector<std::string> own_environment();

}  // namespace wigeon
