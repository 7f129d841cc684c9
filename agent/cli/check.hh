// SPDX-License-Identifier: GPL-2.0-or-later
// Settings and maps judged without a daemon, by the code that the daemon judges them
// with. All problems are listed on stderr, one a line. Exit codes: 0 valid, 7 invalid, 10
// no such file, 1 cannot be read.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agent/cli/output.hh"

namespace wigeon::cli {

// The files merged in this order; none: the daemon's own, config.json and config.d.
Output check_config(const std::vector<std::string>& files);
// The settings those files amount to, defaults included, as JSON.
Output show_config(const std::vector<std::string>& files);

// config: settings that decide what a map may ask for; none: the defaults. What the
// daemon would leave out, while the rest applies, is listed on stdout and is no error;
// what only the host can tell (overlapping networks) is not looked at.
Output check_map(const std::string& file, const std::optional<std::string>& config);

}  // namespace wigeon::cli
