// SPDX-License-Identifier: GPL-2.0-or-later
#include "dns/control.hh"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <catch2/catch.hpp>

#include "dns/sealed.hh"

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

Traced sample_traced() {
  return {.id = 7,
          .failure = "none",
          .reply = {.rcode = 23,
                    .flags = 0x8180,
                    .size = 99,
                    .records = {{ReplyRecord::Section::authority, "a.test.", 60, "TXT",
                                 "\"x\""}},
                    .left_out = 3,
                    .errors = {{22, "no reply"}}},
          .trace = {.local = Trace::Local::zone,
                    .zone = "a.test.",
                    .wanted = "b.test.",
                    .source = Trace::Source::match,
                    .domain = "test.",
                    .fell = true,
                    .withheld = true,
                    .cache = Trace::Cache::stale,
                    .attempts = {{at("192.0.2.1:53"), 1, 2, Attempt::End::refused},
                                 {at("[2001:db8::1]:53"), 3, 4}},
                    .took = 5}};
}

// More than any packet holds.
TellStatistics large() {
  TellStatistics m;
  for (size_t i = 0; i < kMaxGroups; ++i)
    m.statistics.groups.push_back(
        {.domains = {std::string(60, 'x') + ".test"}, .servers = {{at("192.0.2.1:53")}}});
  return m;
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

TEST_CASE("a link-local server keeps its interface") {
  ResolverConfig c;
  c.upstreams = {{*Address::parse("fe80::1"), 53, 7}, at("192.0.2.1:53")};
  CHECK(*decode_config(*encode_config(c)) == c);
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
  const ListenerInfo udp{Transport::udp, at("127.0.0.1:5053")},
      tcp{Transport::tcp, at("[::1]:5053")};
  const std::vector<ToResolver> down{Listen{{udp, tcp}, {tcp}, true, false, true},
                                     Listen{},
                                     Configure{77},
                                     AskStatistics{},
                                     Flush{1, ""},
                                     Flush{2, "www.corp.test"},
                                     Query{3, "www.corp.test", 28, Transport::tcp}};
  for (const auto& m : down) {
    const auto bytes = encode(m);
    CHECK(*decode_to_resolver(bytes) == m);
    for (size_t n = 0; n < bytes.size(); ++n)
      CHECK_FALSE(decode_to_resolver(Bytes(bytes).first(n)));
  }

  Statistics s;
  s.queries = 1;
  s.rcodes[3] = uint64_t{1} << 63;
  s.zone_bytes = 5;
  s.names = 6;
  s.listeners = {{Transport::tcp, at("[::1]:53"), 1, 2, 3}};
  s.groups = {{.domains = {"corp.test", "x.test"},
               .primary = true,
               .health = Health::unhealthy,
               .reason = "dead",
               .servers = {{at("192.0.2.1:53"), 1, 2, 3, 4, 5, 6}}},
              {.original = true}};
  s.cache = {1, 2, 3, 4, 5, 6};
  s.upstream = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
  const std::vector<ToDaemon> up{Hello{"uid 1"},
                                 Listening{},
                                 Listening{"no", {udp, tcp}, true, false},
                                 Applied{1, 2, 3, {at("100.64.0.1:53")}},
                                 Refused{9, "zone '.'"},
                                 TellStatistics{s},
                                 Flushed{1, 2, "no"},
                                 sample_traced()};
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

TEST_CASE("a changed byte of what the resolver tells is refused or kept") {
  Statistics s = large().statistics;
  s.groups.resize(2);
  for (const ToDaemon& m : {ToDaemon{TellStatistics{s}}, ToDaemon{sample_traced()}}) {
    const auto bytes = encode(m);
    for (size_t i = 0; i < bytes.size(); ++i) {
      for (const int bits : {0x01, 0x80, 0xff}) {
        auto changed = bytes;
        changed[i] = static_cast<uint8_t>(changed[i] ^ bits);
        if (auto other = decode_to_daemon(changed)) CHECK(encode(*other) == changed);
      }
    }
  }
}

TEST_CASE("lists and texts of the resolver that are too long are cut, not refused") {
  Traced t = sample_traced();
  t.reply.records.assign(kMaxShownRecords + 1,
                         {ReplyRecord::Section::answer, std::string(2000, 'n'), 1, "A",
                          std::string(70'000, 'r')});
  t.trace.attempts.assign(kMaxAttempts + 1, {at("192.0.2.1:53")});
  const auto back = decode_to_daemon(encode(ToDaemon{t}));
  REQUIRE(back);
  const auto& cut = std::get<Traced>(*back);
  CHECK(cut.reply.records.size() == kMaxShownRecords);
  CHECK(cut.reply.records[0].rdata.size() == kMaxShownRdata);
  CHECK(cut.reply.records[0].name.size() == kMaxNameText);
  CHECK(cut.trace.attempts.size() == kMaxAttempts);
  CHECK(encode(ToDaemon{cut}).size() <= kMaxEnclosed);
}

TEST_CASE("what fits no packet travels in a sealed memfd") {
  Pair pair;
  const ToDaemon small{Hello{"x"}};
  REQUIRE(tell(pair.a.get(), small));
  auto packet = receive_packet(pair.b.get());
  REQUIRE(packet);
  CHECK((*packet)->fds.empty());
  CHECK(*open_message(**packet) == small);

  const ToDaemon much{large()};
  REQUIRE(encode(much).size() > kMaxPacket);
  REQUIRE(tell(pair.a.get(), much));
  packet = receive_packet(pair.b.get());
  REQUIRE(packet);
  REQUIRE((*packet)->fds.size() == 1);
  CHECK(*open_message(**packet) == much);
}

TEST_CASE("a resolver gone mad cannot make the daemon wait, fault or swell") {
  const auto why = [](UniqueFd fd) {
    Packet packet{.bytes = {0xff}};
    if (fd) packet.fds.push_back(std::move(fd));
    const auto message = open_message(packet);
    return message ? "taken" : message.error().what;
  };
  const auto memfd = [](off_t size, bool sealed) {
    UniqueFd fd(::memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    REQUIRE(::ftruncate(fd.get(), size) == 0);
    if (sealed)
      REQUIRE(::fcntl(fd.get(), F_ADD_SEALS,
                      F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) == 0);
    return fd;
  };
  CHECK(why({}) == "the message is missing");
  CHECK(why(memfd(100, false)) == "the memfd is not sealed");
  CHECK(why(memfd(0, true)) == "0 bytes are not a message");
  CHECK(why(memfd(kMaxEnclosed + 1, true)) == "8388609 bytes are not a message");
  CHECK(why(memfd(kMaxEnclosed, true)) == "unknown message");  // nothing but zeros
  int pipe[2];
  REQUIRE(::pipe2(pipe, O_CLOEXEC) == 0);
  const UniqueFd writer(pipe[1]);
  CHECK(why(UniqueFd(pipe[0])) == "the memfd is not sealed");
  CHECK(why(UniqueFd(::open("/dev/zero", O_RDONLY | O_CLOEXEC))) ==
        "the memfd is not sealed");
  // An envelope in an envelope, and one with two letters.
  const std::vector<uint8_t> envelope{0xff};
  CHECK(why(*seal(envelope)) == "unknown message");
  Packet two{.bytes = {0xff}};
  for (int i = 0; i < 2; ++i) two.fds.push_back(*seal(encode(ToDaemon{Hello{"x"}})));
  CHECK_FALSE(open_message(two));
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
  CHECK(*decode_config(SealedConfig::map((*packet)->fds[0].get())->bytes()) == sample());
  CHECK(::write(fd.get(), "x", 1) < 0);
  CHECK(::ftruncate(fd.get(), 0) < 0);
}

TEST_CASE("a memfd that could still change is refused") {
  const UniqueFd fd(::memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  const auto bytes = *encode_config(sample());
  REQUIRE(::write(fd.get(), bytes.data(), bytes.size()) > 0);
  CHECK(SealedConfig::map(fd.get()).error().what == "the memfd is not sealed");
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
