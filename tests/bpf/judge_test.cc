// SPDX-License-Identifier: GPL-2.0-or-later
// Verdict and reason of wt0_count for made-up packets, on both hooks. The kernel's test
// run takes no packet under 14 bytes; shorter ones arrive by TUN in attach_test.cc.
#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#include <catch2/catch.hpp>

#include "bpf/counter.hh"
#include "tests/bpf/own_namespace.hh"
#include "tests/bpf/packet.hh"

using namespace wigeon;
using namespace wigeon::bpf;
using namespace wigeon::test;

namespace {

using Bytes = std::vector<uint8_t>;

struct Judged {
  int verdict = 0;
  std::string reason{};
  uint64_t bytes = 0;
  friend bool operator==(const Judged&, const Judged&) = default;
  friend std::ostream& operator<<(std::ostream& out, const Judged& j) {
    return out << "verdict " << j.verdict << ", " << j.reason << ", " << j.bytes
               << " bytes";
  }
};

Counter counter(Hook hook) {
  auto c = Counter::open(place(kLoopback, hook, probe()).value());
  if (!c) FAIL(c.error().what);
  return std::move(*c);
}

Judged judge(const Counter& c, const Bytes& packet) {
  const Counts before = c.counters().value();
  LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = packet.data(),
              .data_size_in = static_cast<__u32>(packet.size()), .repeat = 1);
  REQUIRE(::bpf_prog_test_run_opts(c.program(), &run) == 0);
  const Counts after = c.counters().value();
  Judged judged{.verdict = static_cast<int>(run.retval)};
  for (__u32 r = 0; r < WT0_REASONS; ++r)
    if (after[r].packets != before[r].packets) {
      CHECK(after[r].packets == before[r].packets + 1);
      CHECK(judged.reason.empty());
      judged.reason = text(static_cast<wt0_reason>(r));
      judged.bytes = after[r].bytes - before[r].bytes;
    }
  return judged;
}

Bytes with(const Packet& p, size_t at, uint8_t value) {
  Bytes bytes = p.bytes();
  bytes.at(at) = value;
  return bytes;
}

Bytes cut(const Packet& p, size_t length) {
  Bytes bytes = p.bytes();
  bytes.resize(length);
  return bytes;
}

const Packet kQuery4 = IPv4{} / Udp{} / "who is there";
const Packet kQuery6 = IPv6{} / Udp{} / "who is there";

}  // namespace

TEST_CASE("the packet builder makes checksums that a receiver accepts") {
  // From RFC 1071's arithmetic: a correct header sums to all ones.
  const auto sum = [](const Bytes& b, size_t from, size_t to) {
    uint32_t total = 0;
    for (size_t i = from; i < to; i += 2)
      total += static_cast<uint32_t>(b[i] << 8 | b[i + 1]);
    while (total >> 16) total = (total & 0xffff) + (total >> 16);
    return total;
  };
  CHECK(sum(kQuery4.bytes(), 0, 20) == 0xffff);
  CHECK(kQuery4.bytes().size() == 40);
  CHECK(kQuery6.bytes().size() == 60);
  // Pseudo header: addresses, length and protocol.
  Bytes v6 = kQuery6.bytes();
  const Bytes pseudo = {0, 20, 0, IPPROTO_UDP};
  v6.insert(v6.end(), pseudo.begin(), pseudo.end());
  CHECK(sum(v6, 8, v6.size()) == 0xffff);
}

TEST_CASE("every packet passes and is counted by reason") {
  const auto [hook, pass] = GENERATE(
      table<Hook, int>({{Hook::tc_ingress, TC_ACT_UNSPEC}, {Hook::xdp, XDP_PASS}}));
  const Counter c = counter(hook);
  INFO("hook " << static_cast<int>(hook));

  CHECK(judge(c, kQuery4.bytes()) == Judged{pass, "passed IPv4", 40});
  CHECK(judge(c, kQuery6.bytes()) == Judged{pass, "passed IPv6", 60});
  CHECK(judge(c, Packet(IPv4{}).bytes()) == Judged{pass, "passed IPv4", 20});
  CHECK(judge(c, Packet(IPv6{}).bytes()) == Judged{pass, "passed IPv6", 40});
  // Padding after the packet is allowed.
  CHECK(judge(c, cut(kQuery4, 60)) == Judged{pass, "passed IPv4", 60});

  CHECK(judge(c, cut(kQuery4, 15)) == Judged{pass, "short", 15});
  CHECK(judge(c, cut(kQuery4, 19)) == Judged{pass, "short", 19});
  CHECK(judge(c, cut(kQuery6, 39)) == Judged{pass, "short", 39});

  for (const int version : {0, 1, 2, 3, 5, 7, 8, 15})
    CHECK(judge(c, with(kQuery4, 0, static_cast<uint8_t>(version << 4 | 5))) ==
          Judged{pass, "bad version", 40});

  CHECK(judge(c, with(kQuery4, 0, 0x44)) ==
        Judged{pass, "bad length", 40});  // IHL 16 bytes
  CHECK(judge(c, with(kQuery4, 3, 41)) ==
        Judged{pass, "bad length", 40});  // one too long
  CHECK(judge(c, with(kQuery4, 3, 19)) ==
        Judged{pass, "bad length", 40});  // under a header
  CHECK(judge(c, with(kQuery4, 3, 0)) == Judged{pass, "bad length", 40});
  CHECK(judge(c, with(kQuery6, 5, 21)) == Judged{pass, "bad length", 60});
  CHECK(judge(c, cut(kQuery6, 59)) == Judged{pass, "bad length", 59});
  // Options beyond the packet's end.
  CHECK(judge(c, with(IPv4{}, 0, 0x46)) == Judged{pass, "bad length", 20});
}

TEST_CASE(
    "an Ethernet type where IPv4 has its source address does not choose the family") {
  // Test runs set skb->protocol from bytes 12 and 13, and want 40 more behind them for
  // IPv6.
  const Counter c = counter(Hook::tc_ingress);
  const Packet looks_like_v6 =
      IPv4{.src = ip("134.221.0.2")} / Udp{} / std::string(40, 'x');
  CHECK(judge(c, looks_like_v6.bytes()).reason == "passed IPv4");
}
