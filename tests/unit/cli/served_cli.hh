// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "agent/cli/cli.hh"
#include "tests/unit/control/served.hh"

namespace wigeon {

// `wigeon args…` against this server.
inline cli::Output wigeon_with(Served& served, const std::vector<std::string>& args,
                               cli::Environment environment = {}) {
  environment.variables["WIGEON_DAEMON_ADDR"] = "unix://" + served.path();
  return beside(served, [&] { return cli::run(args, environment); });
}

}  // namespace wigeon
