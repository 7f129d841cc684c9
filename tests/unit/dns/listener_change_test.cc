// SPDX-License-Identifier: GPL-2.0-or-later
// Listeners come and go while the server serves.
#include "dns/listener_change.hh"

#include "tests/unit/dns/server_fixture.hh"

using namespace wigeon;
using namespace wigeon::dns;

namespace {

const std::vector<Address> kBoth{*Address::parse("127.0.0.1"), *Address::parse("::1")};

// Opens others and lets the first ones go; `port` is the others' then.
uint16_t replace(Fixture& f) {
  auto sockets = *open_listeners(kBoth, 0);
  const uint16_t port = sockets.front().endpoint.port;
  REQUIRE(f.server.listen({.open = std::move(sockets)}));
  return std::exchange(f.port, port);
}

std::string reply_of(Fixture& f, int fd) {
  std::string reply;
  f.until([&] { return !(reply = receive(fd)).empty(); });
  return reply;
}

}  // namespace

TEST_CASE("what is kept goes on, with the same socket and its counters") {
  Fixture f;
  const auto before = f.server.listening().listeners;
  const auto fd = f.client(SOCK_DGRAM);
  send_all(fd.get(), kQuery);
  (void)reply_of(f, fd.get());
  const std::vector<Address> one{*Address::parse("127.0.0.1")};
  auto more = *open_listeners(one, 0);
  const uint16_t port = more.front().endpoint.port;
  REQUIRE(f.server.listen({.open = std::move(more), .keep = before}));
  CHECK(f.server.listening().listeners.size() == before.size() + 2);
  uint64_t queries = 0;
  for (const auto& l : f.server.statistics().listeners) queries += l.queries;
  CHECK(queries == 1);
  for (const uint16_t p : {f.port, port}) {
    f.port = p;
    for (const int kind : {SOCK_DGRAM, SOCK_STREAM}) {
      const auto client = f.client(kind);
      send_all(client.get(), kind == SOCK_DGRAM ? kQuery : framed(kQuery));
      (void)reply_of(f, client.get());
    }
  }
}

TEST_CASE("listeners that go answer what was queued in them, and free their port") {
  Fixture f;
  const auto udp = f.client(SOCK_DGRAM);
  for (int i = 0; i < 200; ++i) send_all(udp.get(), kQuery);
  const auto tcp = f.client(SOCK_STREAM, "::1");
  send_all(tcp.get(), framed(kQuery));
  const uint16_t old = replace(f);
  CHECK(f.server.listening().listeners.size() == 4);
  int replies = 0;
  f.until([&] {
    while (!receive(udp.get()).empty()) ++replies;
    return replies == 200;
  });
  CHECK(reply_of(f, tcp.get()).size() > kQuery.size());
  f.until([&] { return open_listeners(kBoth, old).has_value(); });
  // The connection has outlived its listener.
  send_all(tcp.get(), framed(kQuery));
  (void)reply_of(f, tcp.get());
}

TEST_CASE("a UDP listener that goes waits for the replies it owes") {
  Fixture f;
  const auto fd = f.client(SOCK_DGRAM);
  send_all(fd.get(), make_query({.name = "example.com"}));
  f.until([&] { return f.exchange.waiting.size() == 1; });
  const uint16_t old = replace(f);
  f.turn(600ms);
  const std::vector<Address> one{*Address::parse("127.0.0.1")};
  CHECK_FALSE(open_listeners(one, old));
  f.exchange.waiting[0]({});
  f.exchange.waiting.clear();
  CHECK(text_of(reply_of(f, fd.get())) == "SERVFAIL rd ra\n");
  f.until([&] { return open_listeners(one, old).has_value(); });
}

TEST_CASE("replies may be owed by listeners that are gone with their server") {
  auto f = std::make_unique<Fixture>();
  const auto fd = f->client(SOCK_DGRAM);
  send_all(fd.get(), make_query({.name = "example.com"}));
  f->until([&] { return f->exchange.waiting.size() == 1; });
  REQUIRE(f->server.listen({}));
  CHECK(f->server.listening() == Listening{});
  f.reset();
}

TEST_CASE("a change that cannot be is refused and changes nothing") {
  Fixture f;
  const auto before = f.server.listening();
  auto sockets = *open_listeners(kBoth, 0);
  auto wrong = before.listeners;
  wrong[0].endpoint.port ^= 1;
  const auto missing = f.server.listen({.open = std::move(sockets), .keep = wrong});
  CHECK(missing.error().code == ENOENT);
  CHECK(missing.error().what == "nothing to keep at " + wrong[0].endpoint.text());
  auto twice = *open_listeners(kBoth, 0);
  twice[0].endpoint = before.listeners[0].endpoint;
  twice[0].transport = before.listeners[0].transport;
  CHECK(f.server.listen({.open = std::move(twice), .keep = before.listeners})
            .error()
            .code == EEXIST);
  CHECK(f.server.listening() == before);
  const auto fd = f.client(SOCK_DGRAM);
  send_all(fd.get(), kQuery);
  (void)reply_of(f, fd.get());
}

TEST_CASE("reply sockets are kept, replaced and dropped") {
  Fixture f;
  const auto keep = f.server.listening().listeners;
  const auto have = [&] {
    const auto l = f.server.listening();
    return std::pair(l.reply_v4, l.reply_v6);
  };
  CHECK(have() == std::pair(false, false));
  REQUIRE(f.server.listen({.keep = keep, .replies = *open_reply_sockets(kBoth)}));
  CHECK(have() == std::pair(true, true));
  REQUIRE(f.server.listen({.keep = keep, .keep_replies = true}));
  CHECK(have() == std::pair(true, true));
  const auto v6 = std::span(kBoth).last(1);
  REQUIRE(f.server.listen({.keep = keep, .replies = *open_reply_sockets(v6)}));
  CHECK(have() == std::pair(false, true));
  REQUIRE(f.server.listen({.keep = keep}));
  CHECK(have() == std::pair(false, false));
}

TEST_CASE("a change and its packet are the same thing") {
  enter_own_network();
  const ListenerInfo kept{Transport::tcp, *Endpoint::parse("127.0.0.1:5053")};
  const ListenerChange change{.open = *open_listeners(kBoth, 0),
                              .keep = {kept},
                              .replies = *open_reply_sockets(kBoth),
                              .keep_replies = true};
  const auto [message, lent] = listen_packet(change);
  CHECK(lent.size() == 6);
  std::vector<UniqueFd> fds;
  for (const int fd : lent) fds.emplace_back(::dup(fd));
  const auto last = fds.back().get();
  auto fewer = listener_change(message, {});
  CHECK(fewer.error().code == EBADMSG);
  const auto back = *listener_change(message, std::move(fds));
  REQUIRE(back.open.size() == 4);
  for (size_t i = 0; i < 4; ++i) CHECK(back.open[i].info() == change.open[i].info());
  CHECK(back.keep == change.keep);
  CHECK(back.replies.v6.get() == last);
  CHECK((back.replies.v4 && back.keep_replies));
}

TEST_CASE("listeners near a port take a free one when somebody has it") {
  enter_own_network();
  const auto first = *open_listeners_near(kBoth, 5353);
  CHECK(first[0].endpoint.port == 5353);
  const auto second = *open_listeners_near(kBoth, 5353);
  REQUIRE(second.size() == 4);
  for (const auto& s : second) {
    CHECK(s.endpoint.port != 5353);
    CHECK(s.endpoint.port == second[0].endpoint.port);
  }
}

TEST_CASE("loopback has an address for each family of ours") {
  const auto v4 = *Address::parse("100.64.0.1"), v6 = *Address::parse("fd00::1");
  CHECK(loopback_for(std::vector{v4, v6, v4}) == kBoth);
  CHECK(loopback_for(std::vector{v6}) == std::vector{kBoth[1]});
  CHECK(loopback_for(std::vector{v4}) == std::vector{kBoth[0]});
  CHECK(loopback_for({}).empty());
}
