// SPDX-License-Identifier: GPL-2.0-or-later
// dns_redirect on single frames, on both hooks: what it makes of them and what it counts.
#include <bpf/bpf.h>

#include <catch2/catch.hpp>

#include "bpf/dns_redirect.hh"
#include "tests/bpf/frame.hh"
#include "tests/bpf/loopback.hh"
#include "tests/bpf/must.hh"
#include "tests/bpf/own_namespace.hh"

using namespace wigeon;
using namespace wigeon::bpf;
using namespace wigeon::test;

namespace {

constexpr uint16_t kReal = 5053;
const Address kOwn4 = ip("100.64.0.1"), kOwn6 = ip("fd00::1");
const Address kOther4 = ip("192.0.2.7"), kOther6 = ip("2001:db8::7");

struct Judged {
  std::string reason{};
  Bytes after{};
};

class Hooked {
 public:
  explicit Hooked(Hook hook)
      : redirect_(must(
            PortRedirect::open(must(bpf::place(kLoopback, hook, probe())), nullptr))) {
    for (const int type : {SOCK_DGRAM, SOCK_STREAM})
      for (const Address& a : {kOwn4, kOwn6}) listen(type, {a, kReal});
    set({.port = kReal});
  }
  ~Hooked() { CHECK(std::move(redirect_).detach()); }
  Hooked(const Hooked&) = delete;
  Hooked& operator=(const Hooked&) = delete;

  void listen(int type, const Endpoint& at) {
    REQUIRE(listeners_.emplace_back(bound(type, at)));
  }
  void close_listeners() { listeners_.clear(); }
  void set(PortRedirect::Settings settings) {
    const Address own[] = {kOwn4, kOwn6};
    if (settings.own.empty()) settings.own = own;
    must(redirect_.set(settings));
  }
  Bytes run(const Bytes& frame, __sk_buff* skb = nullptr) const {
    Bytes after(frame.size());
    LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame.data(), .data_out = after.data(),
                .data_size_in = static_cast<__u32>(frame.size()),
                .data_size_out = static_cast<__u32>(after.size()), .ctx_in = skb,
                .ctx_out = skb, .ctx_size_in = skb ? __u32{sizeof(*skb)} : 0u,
                .ctx_size_out = skb ? __u32{sizeof(*skb)} : 0u, .repeat = 1);
    REQUIRE(::bpf_prog_test_run_opts(redirect_.program(), &run) == 0);
    CHECK(static_cast<int>(run.retval) ==
          (redirect_.place().hook == Hook::xdp ? +XDP_PASS : -1));
    return after;
  }
  Judged judge(const Bytes& frame, __sk_buff* skb = nullptr) const {
    const auto before = must(redirect_.counters());
    Judged j{.after = run(frame, skb)};
    const auto after = must(redirect_.counters());
    for (size_t r = 0; r < after.size(); ++r)
      if (after[r] != before[r]) {
        CHECK(after[r] == before[r] + 1);
        CHECK(j.reason.empty());
        j.reason = text(static_cast<dns_redirect_reason>(r));
      }
    return j;
  }
  // Left as it is, and counted so; by nothing when empty.
  bool leaves(const Frame& f, std::string_view reason) {
    const Bytes bytes = f.bytes();
    const Judged j = judge(bytes);
    INFO("counted: " << j.reason);
    CHECK(j.reason == reason);
    return j.after == bytes && j.reason == reason;
  }
  // As the same frame with another port would have been made, checksum included.
  bool makes(const Frame& f, std::string_view reason, const Frame& expected) {
    const Judged j = judge(f.bytes());
    INFO("counted: " << j.reason);
    CHECK(j.reason == reason);
    return j.after == expected.bytes() && j.reason == reason;
  }

 private:
  PortRedirect redirect_;
  std::vector<UniqueFd> listeners_{};
};

Hook any_hook() { return GENERATE(Hook::tc_ingress, Hook::xdp); }

Frame to_real(Frame f) {
  f.dst_port = kReal;
  return f;
}
Frame from_dns(Frame f) {
  f.src_port = DNS_PORT;
  return f;
}
Frame answer(const Frame& query) {
  return {.src = query.dst,
          .dst = query.src,
          .protocol = query.protocol,
          .src_port = kReal,
          .dst_port = query.src_port,
          .tcp_flags = TH_SYN | TH_ACK,
          .option_words = query.option_words,
          .extensions = query.extensions,
          .payload = query.payload};
}

const Bytes kPayload = {'w', 'h', 'o', ' ', 'i', 's', ' ', 't', 'h', 'e', 'r', 'e', '?'};

std::vector<Frame> queries() {
  std::vector<Frame> all;
  for (const uint8_t protocol : {IPPROTO_UDP, IPPROTO_TCP})
    for (const auto& [src, dst] : {std::pair(kOwn4, kOwn4), std::pair(kOther4, kOwn4),
                                   std::pair(kOwn6, kOwn6), std::pair(kOther6, kOwn6)})
      all.push_back({.src = src, .dst = dst, .protocol = protocol, .payload = kPayload});
  return all;
}

std::string named(const char* what, const Frame& f) {
  return std::string(what) + (f.protocol == IPPROTO_UDP ? " UDP" : " TCP");
}

}  // namespace

TEST_CASE("a query goes to the real port and its answer comes from port 53") {
  Hooked h(any_hook());
  for (const Frame& query : queries()) {
    INFO(query.src.text() << " protocol " << int{query.protocol});
    const Frame reply = answer(query);
    CHECK(h.leaves(reply, "answered directly"));
    CHECK(h.makes(query, named("redirected", query), to_real(query)));
    CHECK(h.makes(reply, named("answered", query), from_dns(reply)));
    // Of another client, or by another protocol: not in this flow.
    Frame other = reply;
    other.dst_port = 40001;
    CHECK(h.leaves(other, "answered directly"));
    other = reply;
    other.protocol = query.protocol == IPPROTO_UDP ? IPPROTO_TCP : IPPROTO_UDP;
    const bool later = query.protocol == IPPROTO_UDP;
    if (later) CHECK(h.leaves(other, "answered directly"));
  }
}

TEST_CASE("who asks the real port is answered from there, and the last question counts") {
  Hooked h(any_hook());
  for (const Frame& query : queries()) {
    const Frame direct = to_real(query), reply = answer(query);
    CHECK(h.leaves(direct, "asked directly"));
    CHECK(h.leaves(reply, "answered directly"));
    CHECK(h.makes(query, named("redirected", query), direct));
    CHECK(h.makes(reply, named("answered", query), from_dns(reply)));
    CHECK(h.leaves(direct, "asked directly"));
    CHECK(h.leaves(reply, "answered directly"));
  }
}

TEST_CASE("without a listener at exactly our address a query is left alone") {
  Hooked h(any_hook());
  h.close_listeners();
  for (const Frame& query : queries()) CHECK(h.leaves(query, "no listener"));
  for (const int type : {SOCK_DGRAM, SOCK_STREAM})
    for (const char* wildcard : {"0.0.0.0", "::"}) h.listen(type, {ip(wildcard), kReal});
  for (const Frame& query : queries()) CHECK(h.leaves(query, "no listener"));
}

TEST_CASE("a TCP connection is redirected as a whole or not at all") {
  Hooked h(any_hook());
  for (const Address& own : {kOwn4, kOwn6}) {
    const Frame first{.src = own, .dst = own, .protocol = IPPROTO_TCP};
    Frame later = first;
    for (const int flags :
         {TH_ACK, TH_ACK | TH_PUSH, TH_ACK | TH_FIN, +TH_RST, TH_SYN | TH_ACK}) {
      later.tcp_flags = static_cast<uint8_t>(flags);
      INFO("flags " << flags);
      CHECK(h.leaves(later, "other connection"));
    }
    CHECK(h.makes(first, "redirected TCP", to_real(first)));
    CHECK(h.makes(later, "redirected TCP", to_real(later)));
    h.set({.port = kReal, .draining = true});
    CHECK(h.makes(later, "redirected TCP", to_real(later)));
    // The port is used for another connection, which is not ours from its first packet.
    CHECK(h.leaves(first, "draining"));
    CHECK(h.leaves(later, "other connection"));
    h.set({.port = kReal});
  }
}

TEST_CASE("while it drains there are answers, and no new questions") {
  Hooked h(any_hook());
  const Frame query{.payload = kPayload};
  CHECK(h.makes(query, "redirected UDP", to_real(query)));
  h.set({.port = kReal, .draining = true});
  CHECK(h.leaves(query, "draining"));
  CHECK(h.makes(answer(query), "answered UDP", from_dns(answer(query))));
}

TEST_CASE("settings are in force for the next packet") {
  Hooked h(any_hook());
  const Frame query{}, other{.dst = kOther4};
  CHECK(h.leaves(other, "not ours"));
  h.listen(SOCK_DGRAM, {kOther4, 5354});
  const Address own[] = {kOther4};
  h.set({.own = own, .port = 5354});
  Frame there = other;
  there.dst_port = 5354;
  CHECK(h.makes(other, "redirected UDP", there));
  CHECK(h.leaves(query, "not ours"));
  CHECK(h.leaves(to_real(query), ""));
}

TEST_CASE("before its first settings it touches nothing") {
  auto redirect =
      must(PortRedirect::open({kLoopback, Hook::xdp, Way::xdp_link}, nullptr));
  const UniqueFd listener = bound(SOCK_DGRAM, {kOwn4, kReal});
  Bytes query = Frame{}.bytes(), after(query.size());
  LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = query.data(), .data_out = after.data(),
              .data_size_in = static_cast<__u32>(query.size()),
              .data_size_out = static_cast<__u32>(after.size()));
  REQUIRE(::bpf_prog_test_run_opts(redirect.program(), &run) == 0);
  CHECK(after == query);
  CHECK(must(redirect.counters()) == PortRedirect::Counts{});

  for (const uint16_t port : {uint16_t{0}, uint16_t{DNS_PORT}})
    CHECK(redirect.set({.port = port}).error().code == EINVAL);
  const std::vector<Address> many(DNS_ADDRESSES_MOST + 1);
  CHECK(redirect.set({.own = many, .port = kReal}).error().code == E2BIG);
}

TEST_CASE("as many addresses as there may be are replaced by as many others") {
  Hooked h(any_hook());
  std::vector<Address> own;
  for (const uint32_t net : {0x0a000000u, 0x0b000000u}) {
    own.clear();
    for (uint32_t i = 0; i < DNS_ADDRESSES_MOST; ++i) own.push_back(Address::v4(net + i));
    h.set({.own = own, .port = kReal});
    for (const Address& a : own)
      CHECK(h.leaves({.src = kOther4, .dst = a}, "no listener"));
  }
  CHECK(h.leaves({.dst = Address::v4(0x0a000000)}, "not ours"));
}

TEST_CASE("what comes from the real port is never a query") {
  Hooked h(any_hook());
  const Frame loop{.src_port = kReal};
  CHECK(h.leaves(loop, "answered directly"));
  // A client that has port 53 itself gets its answer, and it is not asked again.
  const Frame query{.src_port = DNS_PORT};
  CHECK(h.makes(query, "redirected UDP", to_real(query)));
  CHECK(h.makes(answer(query), "answered UDP", from_dns(answer(query))));
}

TEST_CASE("IPv4 options of any length are stepped over") {
  Hooked h(any_hook());
  for (uint8_t words = 0; words <= 10; ++words)
    for (const uint8_t protocol : {IPPROTO_UDP, IPPROTO_TCP}) {
      const Frame query{.protocol = protocol, .option_words = words, .payload = kPayload};
      CHECK(h.makes(query, named("redirected", query), to_real(query)));
      const Frame reply = answer(query);
      CHECK(h.makes(reply, named("answered", query), from_dns(reply)));
    }
}

TEST_CASE("IPv6 extension headers are followed through six, of any kind and length") {
  Hooked h(any_hook());
  for (const uint8_t type :
       {IPPROTO_HOPOPTS, IPPROTO_ROUTING, IPPROTO_DSTOPTS, IPPROTO_FRAGMENT})
    for (size_t count = 1; count <= DNS_EXTENSIONS_MOST + 1; ++count)
      for (const uint8_t more : std::initializer_list<uint8_t>{0, 1, 7, 40}) {
        INFO("type " << int{type} << ", " << count << " of them, " << int{more});
        const Frame query{.src = kOwn6,
                          .dst = kOwn6,
                          .extensions = {count, Extension{.type = type, .more = more}},
                          .payload = kPayload};
        if (count > DNS_EXTENSIONS_MOST) {
          CHECK(h.leaves(query, "too many headers"));
          continue;
        }
        CHECK(h.makes(query, "redirected UDP", to_real(query)));
        CHECK(h.makes(answer(query), "answered UDP", from_dns(answer(query))));
      }
  const Frame longest{
      .src = kOwn6, .dst = kOwn6, .extensions = {{.type = IPPROTO_DSTOPTS, .more = 255}}};
  CHECK(h.makes(longest, "redirected UDP", to_real(longest)));
}

TEST_CASE("what an extension header sends on to elsewhere is not for us") {
  Hooked h(any_hook());
  CHECK(h.leaves({.src = kOwn6,
                  .dst = kOwn6,
                  .extensions = {{.type = IPPROTO_ROUTING, .segments_left = 1}}},
                 ""));
}

TEST_CASE("the first fragment is rewritten and later ones are left alone") {
  Hooked h(any_hook());
  Frame v4{.more_fragments = true, .payload = kPayload};
  CHECK(h.makes(v4, "redirected UDP", to_real(v4)));
  v4.fragment_offset = 185;
  CHECK(h.leaves(v4, ""));
  v4.more_fragments = false;
  CHECK(h.leaves(v4, ""));
  Extension fragment{.type = IPPROTO_FRAGMENT, .more_fragments = true};
  const auto v6 = [&] {
    return Frame{
        .src = kOwn6, .dst = kOwn6, .extensions = {fragment}, .payload = kPayload};
  };
  CHECK(h.makes(v6(), "redirected UDP", to_real(v6())));
  fragment.fragment_offset = 1;
  CHECK(h.leaves(v6(), ""));
}

TEST_CASE("a UDP checksum of zero stays, and one that comes out as zero is 0xffff") {
  Hooked h(any_hook());
  for (const Address& own : {kOwn4, kOwn6}) {
    Frame query{.src = own, .dst = own, .payload = kPayload, .check = Check::zero};
    CHECK(h.makes(query, "redirected UDP", to_real(query)));
    // Two bytes of payload that make the sum of the rewritten one all ones.
    Bytes tuned(2);
    query.payload = tuned;
    query.check = Check::right;
    const Bytes plain = to_real(query).bytes();
    const size_t at = query.segment_at() + 6;
    tuned = {plain[at], plain[at + 1]};
    query.payload = tuned;
    const Judged j = h.judge(query.bytes());
    CHECK(j.after == to_real(query).bytes());
    CHECK((j.after[at] == 0xff && j.after[at + 1] == 0xff));
  }
}

TEST_CASE("a TCP checksum that comes out as zero is zero") {
  Hooked h(any_hook());
  Frame query{.protocol = IPPROTO_TCP};
  Bytes tuned(2);
  query.payload = tuned;
  const Bytes plain = to_real(query).bytes();
  const size_t at = query.segment_at() + 16;
  tuned = {plain[at], plain[at + 1]};
  query.payload = tuned;
  const Judged j = h.judge(query.bytes());
  CHECK(j.after == to_real(query).bytes());
  CHECK((j.after[at] == 0 && j.after[at + 1] == 0));
}

TEST_CASE("a wrong checksum stays as wrong as it was") {
  Hooked h(any_hook());
  for (Frame query : queries()) {
    query.check = Check::wrong;
    CHECK(h.makes(query, named("redirected", query), to_real(query)));
  }
}

TEST_CASE("what contradicts itself is left alone and counted") {
  Hooked h(any_hook());
  const auto leaves = [&h](const Bytes& frame, std::string_view reason = "malformed") {
    const Judged j = h.judge(frame);
    CHECK(j.after == frame);
    CHECK(j.reason == reason);
  };
  const Bytes v4 = Frame{}.bytes(), v6 = Frame{.src = kOwn6, .dst = kOwn6}.bytes();
  const auto with = [](Bytes frame, size_t at, uint8_t value) {
    frame.at(kEthernet + at) = value;
    return frame;
  };
  leaves(with(v4, 0, 0x44));  // a header of 16 bytes
  leaves(with(v4, 0, 0x4f));  // and of more than there is
  leaves(with(v4, 0, 0x65));
  leaves(with(v6, 0, 0x40));
  leaves(with(v4, 3, 29));  // one byte more than there is
  leaves(with(v4, 3, 27));  // ends inside the UDP header
  leaves(with(v4, 3, 19));
  leaves(with(v6, 5, 9));
  leaves(with(v6, 5, 7));
  Bytes cut = v4;
  cut.resize(cut.size() - 1);
  leaves(cut);
  Bytes padded = v4;
  padded.resize(60);
  CHECK(h.judge(padded).reason == "redirected UDP");
  Bytes arp = v4;
  put16(arp, 12, 0x0806);
  leaves(arp, "");
}

TEST_CASE("a GSO packet is rewritten and stays one") {
  Hooked h(Hook::tc_ingress);
  const Bytes payload(3'000, 'x');
  for (const Address& own : {kOwn4, kOwn6}) {
    const Frame query{.src = own, .dst = own, .payload = payload};
    __sk_buff skb{};
    skb.gso_size = 1'000;
    skb.gso_segs = 3;
    const Judged j = h.judge(query.bytes(), &skb);
    CHECK(j.reason == "redirected UDP");
    CHECK(j.after == to_real(query).bytes());
    CHECK(skb.gso_size == 1'000);
    CHECK(skb.gso_segs == 3);
  }
}

TEST_CASE("more clients than flows are noted: the last ones have theirs") {
  Hooked h(any_hook());
  Frame query{.protocol = IPPROTO_TCP};
  Bytes bytes = query.bytes();
  constexpr size_t kSourcePort = kEthernet + 20;  // its checksum stays behind
  constexpr uint16_t kFirst = 10'000, kLast = kFirst + DNS_FLOWS_TCP + 2'000;
  for (query.src_port = kFirst; query.src_port < kLast; ++query.src_port) {
    put16(bytes, kSourcePort, query.src_port);
    (void)h.run(bytes);
  }
  --query.src_port;
  const Frame reply = answer(query);
  CHECK(h.makes(reply, "answered TCP", from_dns(reply)));
  // UDP has its own.
  const Frame udp{};
  CHECK(h.makes(udp, "redirected UDP", to_real(udp)));
}
