// SPDX-License-Identifier: GPL-2.0-or-later
#include "dns/control.hh"

#include <sys/mman.h>
#include <sys/socket.h>
#include <catch2/catch.hpp>

using namespace wigeon;
using namespace wigeon::dns;

namespace {

Endpoint at(const char* text) { return *Endpoint::parse(text); }

ResolverConfig sample() {
  return {.zones = {{"corp.test",
                     {{"a.corp.test", 1, 300, "100.64.0.1"},
                      {"t.corp.test", 16, 0, std::string("\"nul \0 inside\"", 14)}},
                     false},
                    {"empty.test", {}, true}},
          .upstreams = {at("192.0.2.1:53"), at("[2001:db8::1]:5353")},
          .own_addresses = {*Address::parse("100.64.0.1"), *Address::parse("fd00::1")},
          .allow_from = {*Prefix::parse("10.0.0.0/8")},
          .overlay = {*Prefix::parse("100.64.0.0/10"), *Prefix::parse("fd00::/48")}};
}

struct Pair {
  UniqueFd a{}, b{};
  Pair() {
    int fds[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, fds) == 0);
    a.reset(fds[0]);
    b.reset(fds[1]);
  }
};

}  // namespace

TEST_CASE("a configuration survives its binary form") {
  CHECK(*decode_config(*encode_config(sample())) == sample());
  CHECK(*decode_config(*encode_config({})) == ResolverConfig{});
}

TEST_CASE("a configuration cut anywhere is refused") {
  const auto bytes = *encode_config(sample());
  for (size_t n = 0; n < bytes.size(); ++n)
    CHECK_FALSE(decode_config(Bytes(bytes).first(n)));
  auto longer = bytes;
  longer.push_back(0);
  CHECK_FALSE(decode_config(longer));
}

TEST_CASE("a changed byte never makes the decoder misbehave") {
  const auto bytes = *encode_config(sample());
  for (size_t i = 0; i < bytes.size(); ++i) {
    for (const int bits : {0x01, 0x80, 0xff}) {
      auto changed = bytes;
      changed[i] = static_cast<uint8_t>(changed[i] ^ bits);
      if (auto config = decode_config(changed)) CHECK(*encode_config(*config) == changed);
    }
  }
}

TEST_CASE("counts and texts beyond the limits are refused on both sides") {
  ResolverConfig c;
  c.upstreams.assign(kMaxUpstreams + 1, at("192.0.2.1:53"));
  CHECK(encode_config(c).error().what == "17 upstreams, at most 16 are supported");
  c = {};
  c.zones = {{std::string(kMaxConfigText + 1, 'x')}};
  CHECK_FALSE(encode_config(c));
  // 4,000,000,000 zones in twenty bytes.
  std::vector<uint8_t> bytes = *encode_config({});
  for (size_t i = bytes.size() - 4; i < bytes.size(); ++i) bytes[i] = 0xee;
  CHECK(decode_config(bytes).error().code == E2BIG);
}

TEST_CASE("every message survives its binary form") {
  const std::vector<ToResolver> down{Listen{{{Transport::udp, at("127.0.0.1:5053")},
                                             {Transport::tcp, at("[::1]:5053")}}},
                                     Listen{}, Configure{77}, AskStatistics{}};
  for (const auto& m : down) CHECK(*decode_to_resolver(encode(m)) == m);

  Statistics s;
  s.queries = 1;
  s.rcodes[3] = uint64_t{1} << 63;
  s.zone_bytes = 5;
  s.names = 6;
  s.listeners = {{Transport::tcp, at("[::1]:53"), 1, 2, 3}};
  const std::vector<ToDaemon> up{
      Hello{"uid 1"},         Listening{},
      Listening{"no"},        Applied{1, 2, 3, {at("100.64.0.1:53")}},
      Refused{9, "zone '.'"}, TellStatistics{s}};
  for (const auto& m : up) {
    const auto bytes = encode(m);
    CHECK(*decode_to_daemon(bytes) == m);
    for (size_t n = 0; n < bytes.size(); ++n)
      CHECK_FALSE(decode_to_daemon(Bytes(bytes).first(n)));
    auto longer = bytes;
    longer.push_back(0);
    CHECK_FALSE(decode_to_daemon(longer));
  }
  CHECK(std::get<Refused>(
            *decode_to_daemon(encode(ToDaemon{Refused{1, std::string(5000, 'x')}})))
            .reason.size() == kMaxReason);
}

TEST_CASE("neither side takes the other's messages") {
  CHECK_FALSE(decode_to_daemon(encode(ToResolver{Configure{1}})));
  CHECK_FALSE(decode_to_resolver(encode(ToDaemon{Hello{"x"}})));
}

TEST_CASE("a configuration travels in a sealed memfd") {
  Pair pair;
  const auto fd = *seal(*encode_config(sample()));
  const int fds[] = {fd.get()};
  REQUIRE(send_packet(pair.a.get(), encode(ToResolver{Configure{1}}), fds));
  auto packet = receive_packet(pair.b.get());
  REQUIRE(packet);
  REQUIRE((*packet)->fds.size() == 1);
  CHECK(*read_sealed_config((*packet)->fds[0].get()) == sample());
  CHECK(::write(fd.get(), "x", 1) < 0);
  CHECK(::ftruncate(fd.get(), 0) < 0);
}

TEST_CASE("a memfd that could still change is refused") {
  const UniqueFd fd(::memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  const auto bytes = *encode_config(sample());
  REQUIRE(::write(fd.get(), bytes.data(), bytes.size()) > 0);
  CHECK(read_sealed_config(fd.get()).error().what == "the memfd is not sealed");
}

TEST_CASE("an empty socket, a closed one and a packet too large are told apart") {
  Pair pair;
  CHECK(receive_packet(pair.b.get()).error().code == EAGAIN);
  const std::vector<uint8_t> big(kMaxPacket + 1);
  REQUIRE(::send(pair.a.get(), big.data(), big.size(), 0) > 0);
  CHECK(receive_packet(pair.b.get()).error().code == EMSGSIZE);
  pair.a.reset();
  CHECK_FALSE(receive_packet(pair.b.get())->has_value());
}
