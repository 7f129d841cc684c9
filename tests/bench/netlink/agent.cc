// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/bench/netlink/agent.hh"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <iterator>

#include "tests/bench/netlink/measure.hh"
#include "tests/bench/netlink/workload.hh"

namespace wigeon::bench {
namespace {

constexpr const char* kSettings =
    R"({"tunnel": "kernel", "dns": {"manager": "none", "redirect": "off"},)"
    R"( "firewall": {"backend": "none", "allowUnfiltered": true}})";
constexpr const char* kWholeSettings =
    R"({"dns": {"manager": "none", "redirect": "bind"},)"
    R"( "firewall": {"backend": "none", "allowUnfiltered": true}})";
constexpr double kQuiet = 0.4;      // longer than the daemon waits before it acts
constexpr double kLongest = 120.0;  // that anything is waited for
constexpr useconds_t kPause = 20'000;

void show(const std::string& log) {
  std::ifstream in(log);
  std::string line;
  while (std::getline(in, line)) std::fprintf(stderr, "  %s\n", line.c_str());
}

}  // namespace

std::string map_text(const Map& map, uint64_t serial) {
  std::string text =
      fmt::format(R"({{"Serial": "{}", "peerConfig": {{"address": "100.127.255.1/10",)"
                  R"( "fqdn": "me.wigeon.example"}}, "remotePeers": [)",
                  serial);
  const auto all = routes(map.networks);
  for (uint32_t i = 0; i < map.n; ++i) {
    auto p = peer(i);
    const auto key = key_text(p);
    if (key == map.changed) p.endpoint.sin_port = htons(map.port);
    std::string ips =
        fmt::format(R"("{}")", Prefix::host(Address::v4(0x64400001 + i)).text());
    for (uint32_t network = i; network < map.networks; network += map.n)
      fmt::format_to(std::back_inserter(ips), R"(, "10.{}.{}.0/24")", network >> 8,
                     network & 255);
    fmt::format_to(
        std::back_inserter(text),
        R"({}{{"wgPubKey": "{}", "allowedIps": [{}], "fqdn": "p{}.wigeon.example",)"
        R"( "endpoint": "{}", "persistentKeepalive": 0}})",
        i == 0 ? "\n" : ",\n", key, ips, i, endpoint_text(p));
  }
  text += R"(], "FirewallRules": [)";
  for (uint32_t i = 0; i < map.rules; ++i)
    fmt::format_to(std::back_inserter(text),
                   R"({}{{"PeerIP": "{}", "Direction": "IN", "Action": "ACCEPT",)"
                   R"( "Protocol": "TCP", "Port": "{}"}})",
                   i == 0 ? "\n" : ",\n", Address::v4(0x64400001 + i % map.n).text(),
                   1024 + i % 60'000);
  return text + "]}\n";
}

Result<Agent> Agent::make(Kind kind) {
  Agent agent(TRY(TempDir::make()));
  TRY(write_text(agent.directory_ / "config.json",
                 kind == Kind::whole ? kWholeSettings : kSettings));
  return agent;
}

Agent::Agent(Agent&& other) noexcept
    : directory_(std::move(other.directory_)),
      pid_(std::exchange(other.pid_, 0)),
      serial_(other.serial_) {}

Agent::~Agent() {
  if (pid_ != 0) stop(pid_);
}

Result<void> Agent::prepare(const Map& map) {
  return write_text(directory_ / "new", map_text(map, ++serial_));
}

Result<void> Agent::publish() {
  if (::rename((directory_ / "new").c_str(), (directory_ / "map.json").c_str()) != 0)
    return fail_errno("rename");
  return {};
}

Result<void> Agent::start() {
  pid_ = TRY(
      bench::start({"wigeond", "--config", directory_ / "config.json", "--interface-name",
                    kAgentLink, "--source-file", directory_ / "map.json",
                    "--state-directory", directory_ / "state", "--runtime-directory",
                    directory_ / "run", "--bpf-directory", directory_ / "bpf"},
                   directory_ / "log"));
  const double end = now() + kLongest;
  struct stat ignored {};
  while (::stat((directory_ / "run/wigeon.sock").c_str(), &ignored) != 0) {
    const bool ended = ::waitpid(pid_, nullptr, WNOHANG) == pid_;
    if (ended) pid_ = 0;
    if (ended || now() > end) {
      show(directory_ / "log");
      return fail(ETIMEDOUT, "wigeond does not listen");
    }
    ::usleep(2'000);
  }
  return up();
}

Result<void> Agent::up() {
  auto done = cli({"up", "--wait", "--timeout", "300s"});
  if (!done) show(directory_ / "log");
  return done;
}

Result<void> Agent::cli(const Arguments& arguments) {
  Arguments program{"wigeon", "--daemon-addr",
                    "unix://" + (directory_ / "run/wigeon.sock")};
  program.insert(program.end(), arguments.begin(), arguments.end());
  return run(program);
}

Result<void> Agent::finish() {
  TRY(cli({"down"}));
  stop(std::exchange(pid_, 0));
  return {};
}

Result<double> Agent::quiet_cpu() const {
  double last = TRY(cpu_seconds(pid_)), since = now();
  const double end = since + kLongest;
  while (now() - since < kQuiet) {
    if (now() > end) return fail(ETIMEDOUT, "wigeond does not come to rest");
    ::usleep(kPause);
    const double cpu = TRY(cpu_seconds(pid_));
    if (cpu == last) continue;
    last = cpu;
    since = now();
  }
  return last;
}

}  // namespace wigeon::bench
