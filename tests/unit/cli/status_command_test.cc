// SPDX-License-Identifier: GPL-2.0-or-later
// `wigeon status` from flags to text, against a server that plays the daemon.
#include "tests/unit/cli/served_cli.hh"
#include "tests/unit/control/status_fixture.hh"

using namespace wigeon;

namespace {

struct Playing {
  explicit Playing(StatusReport r) : report(std::move(r)) {
    served->on("status", Permission::read, [this](Request, Server::Reply reply) {
      ++asked;
      if (on_ask) on_ask();
      reply.result(to_json(report));
    });
  }
  cli::Output status(std::vector<std::string> flags, cli::Environment environment = {}) {
    flags.insert(flags.begin(), "status");
    return wigeon_with(served, flags, std::move(environment));
  }
  Served served{};
  StatusReport report;
  int asked = 0;
  std::function<void()> on_ask{};
};

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != text.npos;
}

}  // namespace

TEST_CASE("status takes its form from the flags") {
  Playing daemon(everything());
  const auto text = daemon.status({});
  CHECK(text.exit == 0);
  CHECK(text.out.starts_with("OS: linux/"));
  CHECK(has(text.out, "\nCLI version: " WIGEON_VERSION "\n"));
  CHECK(daemon.status({"-d"}).out.starts_with("Peers detail:\n peer-3."));
  const auto json = daemon.status({"--json"}).out;
  CHECK(json.starts_with(
      R"({"peers":{"total":3,"connected":2,"details":[{"fqdn":"peer-3)"));
  CHECK(json.find('\n') == json.size() - 1);
  CHECK(daemon.status({"-y"}).out.starts_with("peers:\n    total: 3\n"));
  CHECK(daemon.status({"-4"}).out == "192.168.178.100\n");
  CHECK(daemon.status({"--ipv6"}).out == "fd00::100\n");
  daemon.report.ipv6.reset();
  const auto none = daemon.status({"-6"});
  CHECK(none.out.empty());
  CHECK(none.exit == 0);
}

TEST_CASE("a filter switches on details unless the form is for programs") {
  Playing daemon(everything());
  const auto text = daemon.status({"-N", "peer-1,peer-2", "-S", "connected"}).out;
  CHECK(text.starts_with("Peers detail:\n peer-1."));
  CHECK(has(text, "\nPeers count: 2/2 Connected\n"));
  CHECK(
      has(daemon.status({"-T", "Relayed", "--json"}).out, R"("total":1,"connected":1)"));
  CHECK(has(daemon.status({"-I", "192.168.178.101", "-I", "192.168.178.9"}).out,
            "Peers count: 1/2 Connected"));
  CHECK(has(daemon.status({"-S", "idle", "-j"}).out, R"("details":[])"));
}

TEST_CASE("wrong filters are usage errors and do not bother the daemon") {
  Playing daemon(everything());
  for (const std::vector<std::string>& flags :
       {std::vector<std::string>{"-S", "x"}, {"-I", "x"}, {"-T", "x"}, {"-C", "x"}})
    CHECK(daemon.status(flags).exit == 2);
  CHECK(daemon.asked == 0);
}

TEST_CASE("a degraded daemon is shown with exit code 0, and 6 only when it is checked") {
  Playing daemon(everything());
  const auto text = daemon.status({});
  CHECK(text.exit == 0);
  CHECK(has(text.out, "\nDegraded: routing: rule lost (error)\n"));
  const auto check = daemon.status({"--check", "ready"});
  CHECK(check.exit == 6);
  CHECK(check.out.empty());
  CHECK(check.err == "Error: ready check failed: routing: rule lost\n");
  CHECK(daemon.status({"--check", "live"}).exit == 0);
  CHECK(daemon.status({"--check", "startup"}).exit == 0);
  daemon.report.degraded.clear();
  const auto ready = daemon.status({"-C", "ready"});
  CHECK(ready.exit == 0);
  CHECK(ready.out.empty());
  CHECK(ready.err.empty());
}

TEST_CASE("a check before the first map fails with its reason") {
  Playing daemon(StatusReport{});
  CHECK(daemon.status({"--check", "startup"}).err ==
        "Error: startup check failed: no map is loaded\n");
  CHECK(daemon.status({"--check", "ready"}).exit == 6);
}

TEST_CASE("waiting asks again until the daemon is ready") {
  Playing daemon(StatusReport{});
  daemon.on_ask = [&] {
    if (daemon.asked == 3) daemon.report.daemon_status = DaemonStatus::connected;
  };
  const auto output = daemon.status({"--wait", "--timeout", "4s"});
  CHECK(output.exit == 0);
  CHECK(output.out.starts_with("OS: "));
  CHECK(daemon.asked == 3);
}

TEST_CASE("waiting ends in 5 and says what was missing") {
  Playing daemon(StatusReport{});
  const auto output =
      daemon.status({"--wait", "--check", "startup", "--timeout", "300ms"});
  CHECK(output.exit == 5);
  CHECK(output.err == "Error: not startup after 300ms: no map is loaded\n");
}

TEST_CASE("waiting for a daemon that is not there ends in 5") {
  const TempDir dir;
  const auto output = cli::run({"status", "--wait", "--timeout", "250ms", "--daemon-addr",
                                "unix://" + dir.path() + "/s"},
                               {});
  CHECK(output.exit == 5);
  CHECK(has(output.err, "failed to connect to daemon"));
}

TEST_CASE("colours are for terminals that want them") {
  Playing daemon(everything());
  const std::string_view escape = "\x1b[";
  CHECK_FALSE(has(daemon.status({}).out, escape));
  CHECK(has(daemon.status({}, {.terminal = true}).out, escape));
  CHECK_FALSE(has(daemon.status({"--no-color"}, {.terminal = true}).out, escape));
  CHECK_FALSE(
      has(daemon.status({}, {.variables = {{"NO_COLOR", "1"}}, .terminal = true}).out,
          escape));
  CHECK_FALSE(has(daemon.status({"--json"}, {.terminal = true}).out, escape));
}

TEST_CASE("an answer that is not a status is an error") {
  Served served;
  served->on("status", Permission::read,
             [](Request, Server::Reply reply) { reply.result(R"({"fqdn":7})"); });
  const auto output = wigeon_with(served, {"status"});
  CHECK(output.exit == 1);
  CHECK(output.err ==
        "Error: the daemon's answer makes no sense: /fqdn: must be a string\n");
}
