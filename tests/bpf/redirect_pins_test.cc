// SPDX-License-Identifier: GPL-2.0-or-later
// What a dns_redirect leaves that is killed, and how the next one goes on.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>
#include <sys/wait.h>

#include <catch2/catch.hpp>

#include "bpf/dns_redirect.hh"
#include "tests/bpf/loopback.hh"
#include "tests/bpf/must.hh"
#include "tests/bpf/own_namespace.hh"
#include "tests/bpf/packet.hh"
#include "tests/bpf/programs.hh"

using namespace wigeon;
using namespace wigeon::bpf;
using namespace wigeon::test;

namespace {

constexpr uint16_t kReal = 5053;
const Address kOwn[] = {ip("100.64.0.1"), ip("fd00::1")};
using Names = std::vector<std::string>;

PinDirectory own_pins() { return must(PinDirectory::open(bpffs() + "/wigeon")); }

std::vector<Place> ways() {
  std::vector<Place> all = {{kLoopback, Hook::xdp, Way::xdp_link},
                            {kLoopback, Hook::tc_ingress, Way::clsact_filter}};
  if (probe().have(Feature::tcx))
    all.push_back({kLoopback, Hook::tc_ingress, Way::tcx_link});
  return all;
}

// Opened, set and killed in another process.
void begin_and_die(const Place& place, const PinDirectory& pins) {
  const pid_t child = ::fork();
  if (child == 0) {
    const auto redirect = PortRedirect::open(place, &pins);
    if (redirect && redirect->set({.own = kOwn, .port = kReal}))
      ::kill(::getpid(), SIGKILL);
    ::_exit(1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFSIGNALED(status));
}

}  // namespace

TEST_CASE("killed, it goes on, and the next one finds settings, flows and counters") {
  loopback_up({kOwn[0], kOwn[1]});
  const PinDirectory pins = own_pins();
  for (const Place& place : ways()) {
    INFO("way " << static_cast<int>(place.way));
    begin_and_die(place, pins);
    const auto old = must(programs_at(place));
    REQUIRE(old.size() == 1);
    const UniqueFd listener = bound(SOCK_DGRAM, {kOwn[0], kReal});
    const UniqueFd dns = bound(SOCK_DGRAM, {kOwn[0], 0});
    send_to(dns.get(), {kOwn[0], DNS_PORT}, "query");
    const auto query = receive(listener.get());
    REQUIRE(query);

    auto next = must(PortRedirect::open(place, &pins));
    const auto now = must(programs_at(place));
    CHECK(now == std::vector{must(next.about()).id});  // replaced, not added
    CHECK(now != old);
    CHECK(must(next.counters())[DNS_REDIRECTED_UDP] == 1);
    send_to(listener.get(), query->from, "answer");
    const auto answer = receive(dns.get());
    REQUIRE(answer);
    CHECK(answer->from == Endpoint{kOwn[0], DNS_PORT});
    CHECK(must(next.counters())[DNS_ANSWERED_UDP] == 1);

    must(PortRedirect::remove(kLoopback, place.hook, &pins));
    CHECK(must(programs_at(place)).empty());
    CHECK(must(pins.list()).empty());
    must(PortRedirect::remove(kLoopback, place.hook, &pins));
  }
}

TEST_CASE("these are its pins, and each hook has its own") {
  const PinDirectory pins = own_pins();
  const bool tcx = probe().have(Feature::tcx);
  const Place tc{kLoopback, Hook::tc_ingress, tcx ? Way::tcx_link : Way::clsact_filter};
  const Place xdp{kLoopback, Hook::xdp, Way::xdp_link};
  must(PortRedirect::open(tc, &pins));
  Names expected;
  if (tcx) expected.push_back("dns_tc");
  for (const char* map : {"addresses", "counts", "flows_tcp", "flows_udp", "settings"})
    expected.push_back(std::string("dns_tc_") + map);
  CHECK(must(pins.list()) == expected);
  must(PortRedirect::open(xdp, &pins));
  expected.push_back("dns_xdp");
  for (const char* map : {"addresses", "counts", "flows_tcp", "flows_udp", "settings"})
    expected.push_back(std::string("dns_xdp_") + map);
  CHECK(must(pins.list()) == expected);
  must(PortRedirect::remove(kLoopback, Hook::tc_ingress, &pins));
  CHECK(must(programs_at(tc)).empty());
  CHECK(must(programs_at(xdp)).size() == 1);
  must(PortRedirect::remove(kLoopback, Hook::xdp, &pins));
  CHECK(must(pins.list()).empty());
}

TEST_CASE(
    "a map that another version left in another shape is replaced, the others stay") {
  const PinDirectory pins = own_pins();
  const Place place{kLoopback, Hook::xdp, Way::xdp_link};
  begin_and_die(place, pins);
  const UniqueFd other(
      ::bpf_map_create(BPF_MAP_TYPE_PERCPU_ARRAY, "other", 4, 8, 2, nullptr));
  must(pins.put(other.get(), pin::kRedirectXdp.counts));
  // The same shape, and another kind of map.
  const UniqueFd kind(::bpf_map_create(BPF_MAP_TYPE_HASH, "kind", sizeof(dns_flow), 4,
                                       DNS_FLOWS_UDP, nullptr));
  must(pins.put(kind.get(), pin::kRedirectXdp.udp));
  const auto redirect = must(PortRedirect::open(place, &pins));
  CHECK(must(redirect.counters()) == PortRedirect::Counts{});
  const Map<__u32, dns_settings> settings(
      std::move(*must(pins.get(pin::kRedirectXdp.settings))));
  CHECK(must(settings.lookup(0)).port == htons(kReal));
  must(PortRedirect::remove(kLoopback, Hook::xdp, &pins));
}

TEST_CASE("without pins it ends with its object, or by removing its filter") {
  for (const Place& place : ways()) {
    must(PortRedirect::open(place, nullptr));
    CHECK(must(programs_at(place)).empty() == (place.way != Way::clsact_filter));
    must(PortRedirect::remove(kLoopback, place.hook, nullptr));
    CHECK(must(programs_at(place)).empty());
  }
}

TEST_CASE("somebody else's XDP program on lo is named and left alone") {
  const PinDirectory pins = own_pins();
  const Place place{kLoopback, Hook::xdp, Way::xdp_link};
  const auto [name, said] = GENERATE(table<const char*, const char*>(
      {{"foreign", "(\"foreign\", id {})"},
       {"xdp_dispatcher", "(\"xdp_dispatcher\", id {}, the dispatcher of libxdp)"}}));
  const UniqueFd foreign = always(BPF_PROG_TYPE_XDP, XDP_PASS, name);
  LIBBPF_OPTS(bpf_link_create_opts, generic, .flags = XDP_FLAGS_SKB_MODE);
  const UniqueFd link(
      ::bpf_link_create(foreign.get(), static_cast<int>(kLoopback), BPF_XDP, &generic));
  REQUIRE(link);
  const auto refused = PortRedirect::open(place, &pins);
  REQUIRE(!refused);
  CHECK(refused.error().code == EBUSY);
  std::string expected = said;
  expected.replace(expected.find("{}"), 2, std::to_string(must(about(foreign.get())).id));
  CHECK(refused.error().what ==
        "another XDP program " + expected + " is attached; it is left alone");
  CHECK(must(programs_at(place)).size() == 1);
  CHECK(must(pins.list()).empty());
}

TEST_CASE("it is for what arrives") {
  const auto refused =
      PortRedirect::open({kLoopback, Hook::tc_egress, Way::clsact_filter}, nullptr);
  REQUIRE(!refused);
  CHECK(refused.error().code == EINVAL);
}

TEST_CASE("a program has an id, and a tag that is that of its instructions") {
  const Place place{kLoopback, Hook::xdp, Way::xdp_link};
  About first;
  {
    const auto redirect = must(PortRedirect::open(place, nullptr));
    first = must(redirect.about());
  }
  const auto redirect = must(PortRedirect::open(place, nullptr));
  const About second = must(redirect.about());
  CHECK(second.id != first.id);
  CHECK(second.name == "dns_redir_xdp");
  CHECK(second.tag.size() == 16);
  CHECK(second.tag.find_first_not_of("0123456789abcdef") == second.tag.npos);
}
