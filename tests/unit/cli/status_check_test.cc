// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/cli/status_check.hh"

#include <catch2/catch.hpp>

using namespace wigeon;
using namespace wigeon::cli;

TEST_CASE("a daemon that answers is live, whatever it says") {
  CHECK_FALSE(failing(Check::live, StatusReport{}));
}

TEST_CASE("ready is a map in force and nothing broken") {
  StatusReport report;
  CHECK(failing(Check::ready, report) == "daemon status is Idle: no map is loaded");
  report.map.error = "/peerConfig: missing";
  CHECK(failing(Check::ready, report) ==
        "daemon status is Idle: the map is refused: /peerConfig: missing");
  report.map.error.clear();
  report.map.source = "file:///m";
  report.daemon_status = DaemonStatus::connecting;
  CHECK(failing(Check::ready, report) ==
        "daemon status is Connecting: the map is not in force yet");
  report.daemon_status = DaemonStatus::connected;
  CHECK_FALSE(failing(Check::ready, report));
  report.degraded.push_back({"firewall", "none yet", Severity::warning});
  CHECK_FALSE(failing(Check::ready, report));
  report.degraded.push_back({"dns", "no answer", Severity::error});
  CHECK(failing(Check::ready, report) == "dns: no answer");
}

TEST_CASE("startup is over when a map was in force once") {
  StatusReport report;
  CHECK(failing(Check::startup, report) == "no map is loaded");
  report.map.applied_at = WallTime(std::chrono::seconds(1));
  CHECK_FALSE(failing(Check::startup, report));
}

TEST_CASE("checks have three names") {
  for (const std::string name : {"live", "ready", "startup"})
    CHECK(text(*parse_check(name)) == name);
  CHECK(parse_check("Ready").error().message ==
        "unknown check \"Ready\", must be one of: live, ready, startup");
}
