// SPDX-License-Identifier: GPL-2.0-or-later
// Both programs of dns_redirect on generated and damaged frames: every byte as the model
// has it. SEED gives the same ones again, PACKETS says how many: PACKETS=10000000.
#include <catch2/catch.hpp>
#include <chrono>
#include <cstdio>
#include <future>
#include <random>

#include "tests/bpf/frame_maker.hh"
#include "tests/bpf/loopback.hh"
#include "tests/bpf/own_namespace.hh"
#include "tests/bpf/redirect_mass.hh"

using namespace wigeon;
using namespace wigeon::bpf;
using namespace wigeon::test;

namespace {

constexpr uint64_t kPackets = 10'000'000;

uint64_t number(const char* variable, uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return parse_number(text ? text : "", UINT64_MAX).value_or(otherwise);
}

}  // namespace

TEST_CASE("every byte of generated and damaged frames is as the model has it") {
  const uint64_t seed = number("SEED", std::random_device{}());
  const uint64_t packets = number("PACKETS", kPackets);
  std::vector<UniqueFd> listeners;
  for (const Address& a : {kOwn[0], kOwn[1]})
    for (const uint16_t port : kRealPorts)
      for (const int type : {SOCK_DGRAM, SOCK_STREAM})
        REQUIRE(listeners.emplace_back(bound(type, {a, port})));
  const auto pins = PinDirectory::open(bpffs() + "/mass").value();
  const auto tc =
      PortRedirect::open({kLoopback, Hook::tc_ingress, Way::clsact_filter}, &pins);
  const auto xdp = PortRedirect::open({kLoopback, Hook::xdp, Way::xdp_link}, &pins);
  REQUIRE(tc);
  REQUIRE(xdp);

  const auto started = std::chrono::steady_clock::now();
  const auto half = [&](const PortRedirect& redirect) {
    return std::async(std::launch::async, [&, packets] {
      return judge_frames(redirect, pins, seed, packets / 2);
    });
  };
  auto first = half(*tc), second = half(*xdp);
  const Outcome by_tc = first.get(), by_xdp = second.get();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - started;
  for (const auto& [name, o] : {std::pair("tc", &by_tc), std::pair("xdp", &by_xdp)}) {
    INFO("by " << name << ", SEED=" << seed << "\n" << o->first);
    std::printf(
        "%s: %lu packets, %lu refused, %lu rewritten, %lu checksums made anew, "
        "%lu differences\n",
        name, o->packets, o->refused, o->rewritten, o->checked, o->differences);
    CHECK(o->differences == 0);
    CHECK(o->packets == packets / 2);
    // None of them was left out.
    for (const auto reason :
         {DNS_REDIRECTED_UDP, DNS_REDIRECTED_TCP, DNS_ANSWERED_UDP, DNS_ANSWERED_TCP,
          DNS_NO_LISTENER, DNS_DRAINING, DNS_OTHER_CONNECTION, DNS_NOT_OURS,
          DNS_ASKED_DIRECTLY, DNS_ANSWERED_DIRECTLY, DNS_MALFORMED, DNS_TOO_DEEP}) {
      INFO(text(reason));
      CHECK(o->expected[reason] > 0);
    }
  }
  std::printf("%lu packets in %.1f s, seed %lu\n", by_tc.packets + by_xdp.packets,
              took.count(), seed);
}
