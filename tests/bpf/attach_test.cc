// SPDX-License-Identifier: GPL-2.0-or-later
// Attaching to a device with real traffic, and what outlives the process that attached.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>
#include <linux/pkt_cls.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <optional>

#include "bpf/counter.hh"
#include "tests/bpf/must.hh"
#include "tests/bpf/own_namespace.hh"
#include "tests/bpf/packet.hh"
#include "tests/bpf/programs.hh"

using namespace wigeon;
using namespace wigeon::bpf;
using namespace wigeon::test;

namespace {

const Packet kQuery = IPv4{} / Udp{} / "who is there";

uint64_t passed_v4(const Counter& c) { return must(c.counters())[WT0_PASS_V4].packets; }

// Every way to count what arrives that this kernel has.
std::vector<Place> ways(IfIndex device) {
  std::vector<Place> all = {{device, Hook::xdp, Way::xdp_link},
                            {device, Hook::tc_ingress, Way::clsact_filter}};
  if (probe().have(Feature::tcx))
    all.push_back({device, Hook::tc_ingress, Way::tcx_link});
  return all;
}

PinDirectory own_pins() { return must(PinDirectory::open(bpffs() + "/wigeon")); }

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("what arrives is counted from attach to detach") {
  const Tun tun("wt0");
  for (const Place& where : ways(tun.index())) {
    INFO("way " << static_cast<int>(where.way));
    auto counter = must(Counter::open(where));
    CHECK(must(programs_at(where)).size() == 1);
    for (int i = 0; i < 3; ++i) tun.arrive(kQuery.bytes());
    tun.arrive((IPv6{} / Udp{}).bytes());
    tun.arrive(std::vector<uint8_t>{0x45});
    tun.arrive(std::vector<uint8_t>{0xff});
    const Counts n = must(counter.counters());
    CHECK(n[WT0_PASS_V4].packets == 3);
    CHECK(n[WT0_PASS_V4].bytes == 3 * kQuery.bytes().size());
    CHECK(n[WT0_PASS_V6].packets == 1);
    CHECK(n[WT0_SHORT].packets == 1);
    CHECK(n[WT0_BAD_VERSION].packets == 1);
    CHECK(n[WT0_BAD_LENGTH].packets == 0);
    must(std::move(counter).detach());
    CHECK(must(programs_at(where)).empty());
  }
}

TEST_CASE("an unpinned link ends with its counter") {
  const Tun tun("wt0");
  const Place where{tun.index(), Hook::xdp, Way::xdp_link};
  must(Counter::open(where));
  CHECK(must(programs_at(where)).empty());
}

TEST_CASE("a pinned counter outlives its process, and the next one goes on counting") {
  const Tun tun("wt0");
  const PinDirectory pins = own_pins();
  for (const Place& where : ways(tun.index())) {
    INFO("way " << static_cast<int>(where.way));
    const pid_t child = ::fork();
    if (child == 0) ::_exit(Counter::open(where, pins) ? 0 : 1);
    int status = -1;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(status == 0);
    const auto old = must(programs_at(where));
    REQUIRE(old.size() == 1);
    tun.arrive(kQuery.bytes());

    const auto counter = must(Counter::open(where, pins));
    CHECK(passed_v4(counter) == 1);
    const auto now = must(programs_at(where));
    CHECK(now.size() == 1);  // replaced, not added
    CHECK(now != old);
    tun.arrive(kQuery.bytes());
    CHECK(passed_v4(counter) == 2);
    must(Counter::remove(tun.index(), pins));
    CHECK(must(programs_at(where)).empty());
    CHECK(must(pins.list()).empty());
  }
}

TEST_CASE(
    "after the device was made anew the pinned counter is attached to the new one") {
  const PinDirectory pins = own_pins();
  std::optional<Tun> tun(std::in_place, "wt0");
  const bool tcx = probe().have(Feature::tcx);
  const auto open = [&](IfIndex device, Hook hook, Way way) {
    return must(Counter::open({device, hook, way}, pins));
  };
  open(tun->index(), Hook::xdp, Way::xdp_link);
  if (tcx) open(tun->index(), Hook::tc_ingress, Way::tcx_link);
  tun->arrive(kQuery.bytes());
  tun.reset();
  tun.emplace("wt0");
  const auto counter = open(tun->index(), Hook::xdp, Way::xdp_link);
  if (tcx) open(tun->index(), Hook::tc_ingress, Way::tcx_link);
  const uint64_t before = passed_v4(counter);
  tun->arrive(kQuery.bytes());
  CHECK(passed_v4(counter) == before + (tcx ? 2 : 1));
  must(Counter::remove(tun->index(), pins));
}

TEST_CASE(
    "a pinned link to a device of the same index in another namespace is not ours") {
  const PinDirectory pins = own_pins();
  const Place where{kLoopback, Hook::xdp, Way::xdp_link};
  must(Counter::open(where, pins));
  REQUIRE(::unshare(CLONE_NEWNET) == 0);
  REQUIRE(must(programs_at(where)).empty());
  must(Counter::open(where, pins));
  CHECK(must(programs_at(where)).size() == 1);
  must(Counter::remove(kLoopback, pins));
}

TEST_CASE("pins of a device that went can be removed") {
  const PinDirectory pins = own_pins();
  std::optional<Tun> tun(std::in_place, "wt0");
  const IfIndex index = tun->index();
  for (const Place& where : ways(index)) must(Counter::open(where, pins));
  tun.reset();
  must(Counter::remove(index, pins));
  CHECK(must(pins.list()).empty());
}

TEST_CASE("these are the pins, and a new version must find them by these names") {
  const Tun tun("wt0");
  const PinDirectory pins = own_pins();
  for (const Place& where : ways(tun.index())) must(Counter::open(where, pins));
  Names expected = {"wt0_count_counts"};
  if (probe().have(Feature::tcx)) expected.push_back("wt0_count_tc");
  expected.push_back("wt0_count_xdp");
  CHECK(must(pins.list()) == expected);
  must(Counter::remove(tun.index(), pins));
}

TEST_CASE("counters that another version left in another shape are replaced") {
  const Tun tun("wt0");
  const PinDirectory pins = own_pins();
  const UniqueFd other(
      ::bpf_map_create(BPF_MAP_TYPE_PERCPU_ARRAY, "other", 4, 8, 2, nullptr));
  must(pins.put(other.get(), pin::kCountCounts));
  const Place where{tun.index(), Hook::xdp, Way::xdp_link};
  must(Counter::open(where, pins));
  tun.arrive(kQuery.bytes());
  CHECK(passed_v4(must(Counter::open(where, pins))) == 1);
  must(Counter::remove(tun.index(), pins));
}

TEST_CASE("somebody else's XDP program is left alone") {
  const Tun tun("wt0");
  const UniqueFd foreign = always(BPF_PROG_TYPE_XDP, XDP_PASS);
  const auto index = static_cast<int>(tun.index());
  const Place where{tun.index(), Hook::xdp, Way::xdp_link};
  const PinDirectory pins = own_pins();
  UniqueFd link;
  SECTION("attached by a link") {
    LIBBPF_OPTS(bpf_link_create_opts, generic, .flags = XDP_FLAGS_SKB_MODE);
    link.reset(::bpf_link_create(foreign.get(), index, BPF_XDP, &generic));
    REQUIRE(link);
  }
  SECTION("attached by netlink") {
    REQUIRE(::bpf_xdp_attach(index, foreign.get(), XDP_FLAGS_SKB_MODE, nullptr) == 0);
  }
  const auto before = must(programs_at(where));
  REQUIRE(before.size() == 1);
  const auto refused = Counter::open(where, pins);
  REQUIRE(!refused);
  CHECK(refused.error().code == EBUSY);
  CHECK(refused.error().what == "another XDP program (\"foreign\", id " +
                                    std::to_string(before[0]) +
                                    ") is attached; it is left alone");
  CHECK(must(programs_at(where)) == before);
  CHECK(must(pins.list()).empty());
  must(Counter::remove(tun.index(), pins));
  CHECK(must(programs_at(where)) == before);
}

TEST_CASE("a clsact filter of somebody else stays, and does not keep packets from ours") {
  const Tun tun("wt0");
  const UniqueFd foreign = always(BPF_PROG_TYPE_SCHED_CLS, TC_ACT_UNSPEC);
  LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = static_cast<int>(tun.index()),
              .attach_point = BPF_TC_INGRESS);
  REQUIRE(::bpf_tc_hook_create(&hook) == 0);
  LIBBPF_OPTS(bpf_tc_opts, set, .prog_fd = foreign.get(), .handle = 1, .priority = 1);
  REQUIRE(::bpf_tc_attach(&hook, &set) == 0);

  auto counter = must(Counter::open({tun.index(), Hook::tc_ingress, Way::clsact_filter}));
  tun.arrive(kQuery.bytes());
  CHECK(passed_v4(counter) == 1);
  must(std::move(counter).detach());
  LIBBPF_OPTS(bpf_tc_opts, query, .handle = 1, .priority = 1);
  REQUIRE(::bpf_tc_query(&hook, &query) == 0);
  CHECK(query.prog_id == set.prog_id);
}

TEST_CASE("on tcx every program sees the packet") {
  const Tun tun("wt0");
  const Place where{tun.index(), Hook::tc_ingress, Way::tcx_link};
  const auto first = Counter::open(where);
  CHECK(first.has_value() == probe().have(Feature::tcx));
  if (!first) return;  // clsact above is then what is used
  const auto second = must(Counter::open(where));
  tun.arrive(kQuery.bytes());
  CHECK(passed_v4(*first) == 1);
  CHECK(passed_v4(second) == 1);
}

TEST_CASE("a device that is not there is an error, not a pin") {
  const PinDirectory pins = own_pins();
  for (const Place& where : ways(static_cast<IfIndex>(4711))) {
    INFO("way " << static_cast<int>(where.way));
    CHECK(!Counter::open(where, pins));
    CHECK(must(pins.list()).empty());
  }
}
