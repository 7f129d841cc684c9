// SPDX-License-Identifier: GPL-2.0-or-later
// CPU time of what the daemon and the CLI do with a map of N peers in memory, step by
// step: no kernel, no file. The map is the one of bench-netlink's W3, W7 and W10.
//   bench-model [PEERS [PART OF A STEP'S NAME]]
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <functional>

#include "agent/core/plan.hh"
#include "agent/daemon/report.hh"
#include "agent/model/desired.hh"
#include "tests/bench/netlink/agent.hh"
#include "tests/bench/netlink/measure.hh"

using namespace wigeon;

namespace {

constexpr uint32_t kPeers = 10'000;
constexpr size_t kRounds = 15;

double cpu() {
  timespec t{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

std::string_view only{};  // steps whose name has it

// What call() returns is destroyed inside.
void step(std::string_view name, const std::function<void()>& call) {
  if (name.find(only) == name.npos) return;
  std::vector<double> seconds;
  for (size_t i = 0; i < kRounds; ++i) {
    const double start = cpu();
    call();
    seconds.push_back(cpu() - start);
  }
  fmt::print("{:<36} {:7.2f} ms median {:7.2f} ms least\n", name,
             bench::median(seconds) * 1e3, std::ranges::min(seconds) * 1e3);
}

Verdict judged(const NetworkMap& map, const Key& own) {
  const MapContext context{.own_key = own};
  auto verdict = validate({}, map, context);
  validate_on_host({}, map, context, {}, verdict);
  return verdict;
}

// As the kernel shows it; every other peer has a session.
ObservedDevice device_of(const Desired& d, WallTime now) {
  ObservedDevice device{.private_key = d.private_key, .listen_port = d.listen_port};
  for (const auto& p : d.peers) {
    device.peers.push_back({.peer = p});
    if (device.peers.size() % 2 != 0) continue;
    device.peers.back().stats = {now - std::chrono::seconds(7), 1'234'567, 7'654'321};
  }
  return device;
}

Observed observed_as(const Desired& d, const ObservedDevice& device, WallTime now) {
  Observed o;
  o.link = Link{.name = d.link, .mtu = d.mtu, .up = true};
  o.link_is_ours = true;
  o.device = known(device, now);
  o.device.fwmark = d.fwmark;
  for (size_t i = 0; i < d.peers.size(); ++i)
    o.device.peers[i].endpoint_set = o.device.peers[i].endpoint;
  o.addresses = d.addresses;
  o.routes = d.routes;
  o.rules = d.rules;
  return o;
}

}  // namespace

int main(int argc, char** argv) {
  const auto n = argc > 1 ? static_cast<uint32_t>(std::atoi(argv[1])) : kPeers;
  if (argc > 2) only = argv[2];
  const auto now = std::chrono::system_clock::now();
  const auto own = SecretKey::generate();
  const auto text = bench::map_text({.n = n}, 1);
  auto map = decode_map(text, "map");
  if (!map) return std::fputs(map.error().text().c_str(), stderr), 1;
  const auto verdict = judged(*map, own.public_key());
  const auto wanted = desired({}, *map, own, {}, {}, verdict.accepted);
  const auto device = device_of(wanted, now);
  const auto have = observed_as(wanted, device, now);
  auto changed = wanted;
  changed.peers.front().endpoint->port = 4;

  fmt::print("{} peers, {} bytes of JSON; in memory {} bytes a peer\n", n, text.size(),
             n > 0 ? map->remote_peers.bytes() / n : 0);
  step("decode_map", [&] { (void)decode_map(text, "map"); });
  step("validate, validate_on_host", [&] { (void)judged(*map, own.public_key()); });
  step("desired", [&] { (void)desired({}, *map, own, {}, {}, verdict.accepted); });
  step("plan, one peer changed", [&] { (void)plan(changed, have); });

  PeerHistory history;
  history.note(device, now);
  const Config config;
  const ReportInput in{.config = &config,
                       .map = &*map,
                       .device = &device,
                       .history = &history,
                       .public_key = own.public_key()};
  const auto report = make_report(in, now);
  const auto json = to_json(report);
  fmt::print("status: {} bytes of JSON\n", json.size());
  step("make_report", [&] { (void)make_report(in, now); });
  step("to_json(report)", [&] { (void)to_json(report); });
  step("status_from_json", [&] { (void)status_from_json(json); });
  return 0;
}
