// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/unit/dns/server_fixture.hh"

using namespace wigeon;
using namespace wigeon::dns;

TEST_CASE("UDP queries are answered over IPv4 and IPv6") {
  Fixture f;
  for (const char* address : {"127.0.0.1", "::1"}) {
    const auto fd = f.client(SOCK_DGRAM, address);
    send_all(fd.get(), kQuery);
    std::string reply;
    f.until([&] { return !(reply = receive(fd.get())).empty(); });
    CHECK(text_of(reply) == std::string("NOERROR aa rd ra\n") + kRecord);
  }
}

TEST_CASE("a UDP reply leaves from the address that was asked") {
  // A connected client takes no reply from any other address. The listener is bound to
  // the wildcard here, as the kernel's steering may bring queries for any address.
  enter_own_network();
  Fixture f;
  const std::vector<Address> any{*Address::parse("0.0.0.0")};
  auto sockets = open_listeners(any, 0);
  REQUIRE(sockets);
  f.port = sockets->front().endpoint.port;
  REQUIRE(f.server.listen({.open = std::move(*sockets)}));
  const auto fd = f.client(SOCK_DGRAM, "127.9.8.7");
  send_all(fd.get(), kQuery);
  std::string reply;
  f.until([&] { return !(reply = receive(fd.get())).empty(); });
  CHECK(text_of(reply).starts_with("NOERROR"));
}

TEST_CASE("a burst of UDP queries is answered whole") {
  Fixture f;
  const auto fd = f.client(SOCK_DGRAM);
  for (int i = 0; i < 100; ++i) send_all(fd.get(), kQuery);
  int replies = 0;
  f.until([&] {
    while (!receive(fd.get()).empty()) ++replies;
    return replies == 100;
  });
  CHECK(f.server.statistics().queries == 100);
}

TEST_CASE("junk gets no reply and harms nobody") {
  Fixture f;
  const auto fd = f.client(SOCK_DGRAM);
  auto reply_bit = kQuery;
  reply_bit[2] |= 0x80;
  const std::vector<uint8_t> large(5000, 0);
  for (const auto& junk : {std::vector<uint8_t>(11), reply_bit, large})
    send_all(fd.get(), junk);
  REQUIRE(::send(fd.get(), "", 0, 0) == 0);
  f.turn();
  CHECK(receive(fd.get()).empty());
  send_all(fd.get(), kQuery);
  f.until([&] { return !receive(fd.get()).empty(); });
}

TEST_CASE("a TCP query may arrive in any two pieces") {
  Fixture f;
  const auto stream = framed(kQuery);
  for (size_t cut = 1; cut < stream.size(); ++cut) {
    const auto fd = f.client(SOCK_STREAM);
    send_all(fd.get(), Bytes(stream).first(cut));
    f.turn(3ms);
    CHECK(receive(fd.get()).empty());
    send_all(fd.get(), Bytes(stream).subspan(cut));
    std::string reply;
    f.until([&] { return !(reply = receive(fd.get())).empty(); });
    CHECK(text_of(reply.substr(2)) == std::string("NOERROR aa rd ra\n") + kRecord);
  }
}

TEST_CASE(
    "pipelined TCP queries are all answered, also behind a half-closed connection") {
  Fixture f;
  const auto fd = f.client(SOCK_STREAM, "::1");
  std::vector<uint8_t> stream;
  for (int i = 0; i < 300; ++i) {
    const auto one = framed(kQuery);
    stream.insert(stream.end(), one.begin(), one.end());
  }
  send_all(fd.get(), stream);
  REQUIRE(::shutdown(fd.get(), SHUT_WR) == 0);
  std::string replies;
  f.until([&] {
    const auto more = receive(fd.get());
    if (more == "closed") return true;
    replies += more;
    return false;
  });
  CHECK(replies.size() == 300 * (2 + 12 + 17 + 16));
}

TEST_CASE("a client that takes no replies is not read from any more, and resumes") {
  Fixture f({.unsent = 20'000});
  const auto fd = f.client(SOCK_STREAM);
  const auto one = framed(kQuery);
  // Replies are half as long again as queries; together they overrun both socket buffers.
  size_t sent = 0, want = 0;
  std::vector<uint8_t> chunk;
  for (int i = 0; i < 500; ++i) chunk.insert(chunk.end(), one.begin(), one.end());
  size_t in_chunk = 0;
  for (int quiet = 0; quiet < 20;) {
    const ssize_t n = ::send(fd.get(), chunk.data() + in_chunk, chunk.size() - in_chunk,
                             MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n > 0) {
      in_chunk = (in_chunk + static_cast<size_t>(n)) % chunk.size();
      sent += static_cast<size_t>(n);
      quiet = 0;
    } else {
      ++quiet;
    }
    f.turn(2ms);
    REQUIRE(sent < 50'000'000);
  }
  want = sent / one.size() * (2 + 12 + 17 + 16);
  size_t got = 0;
  f.until([&] {
    for (std::string more; !(more = receive(fd.get())).empty();) got += more.size();
    return got >= want;
  });
  CHECK(got == want);
}

TEST_CASE("silent TCP connections are closed, talking ones stay") {
  Fixture f({.first_message = 100ms, .idle = 600ms});
  const auto silent = f.client(SOCK_STREAM);
  const auto half = f.client(SOCK_STREAM);
  const auto talking = f.client(SOCK_STREAM);
  send_all(half.get(), Bytes(framed(kQuery)).first(5));
  send_all(talking.get(), framed(kQuery));
  f.until([&] { return f.server.statistics().tcp_open == 3; });
  f.until([&] { return receive(silent.get()) == "closed"; });
  f.until([&] { return receive(half.get()) == "closed"; });
  CHECK(f.server.statistics().tcp_open == 1);
  std::string last;
  f.until([&] {
    if (const auto got = receive(talking.get()); !got.empty()) last = got;
    return last == "closed";
  });
}

TEST_CASE("the oldest idle connection makes room for a new one") {
  Fixture f({.connections = 4, .per_client = 2});
  const auto first = f.client(SOCK_STREAM, "127.0.0.1", "127.0.0.11");
  f.until([&] { return f.server.statistics().tcp_open == 1; });
  const auto second = f.client(SOCK_STREAM, "127.0.0.1", "127.0.0.11");
  f.until([&] { return f.server.statistics().tcp_open == 2; });
  const auto third = f.client(SOCK_STREAM, "127.0.0.1", "127.0.0.11");
  f.until([&] { return receive(first.get()) == "closed"; });
  // Others have their own two places, up to four in all.
  const auto other1 = f.client(SOCK_STREAM, "127.0.0.1", "127.0.0.12");
  const auto other2 = f.client(SOCK_STREAM, "127.0.0.1", "127.0.0.12");
  f.until([&] { return f.server.statistics().tcp_open == 4; });
  const auto another = f.client(SOCK_STREAM, "127.0.0.1", "127.0.0.13");
  f.until([&] { return receive(second.get()) == "closed"; });
  CHECK(f.server.statistics().tcp_open == 4);
  CHECK(f.server.statistics().tcp_closed_for_room == 2);
}

TEST_CASE("connections that wait for a reply are not the ones to make room") {
  Fixture f({.per_client = 1});
  const auto busy = f.client(SOCK_STREAM);
  send_all(busy.get(), framed(make_query({.name = "example.com"})));
  f.until([&] { return f.exchange.waiting.size() == 1; });
  const auto late = f.client(SOCK_STREAM);
  f.until([&] { return receive(late.get()) == "closed"; });
  f.exchange.waiting[0]({});
  std::string reply;
  f.until([&] { return !(reply = receive(busy.get())).empty(); });
  CHECK(text_of(reply.substr(2)) == "SERVFAIL rd ra\n");
}

TEST_CASE("a connection has a limited number of open questions") {
  Fixture f({.pipelined = 3});
  const auto fd = f.client(SOCK_STREAM);
  for (int i = 0; i < 5; ++i)
    send_all(fd.get(),
             framed(make_query({.name = "n" + std::to_string(i) + ".example"})));
  f.until([&] { return f.exchange.waiting.size() == 3; });
  f.turn();
  CHECK(f.exchange.waiting.size() == 3);
  f.exchange.waiting[0]({});
  f.until([&] { return f.exchange.waiting.size() == 4; });
}

TEST_CASE("replies that come after the client has gone are thrown away") {
  Fixture f;
  {
    const auto fd = f.client(SOCK_STREAM);
    send_all(fd.get(), framed(make_query({.name = "example.com"})));
    f.until([&] { return f.exchange.waiting.size() == 1; });
    const linger now{1, 0};
    REQUIRE(::setsockopt(fd.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now) == 0);
  }
  f.until([&] { return f.server.statistics().tcp_open == 0; });
  f.exchange.waiting[0]({});
  f.turn();
}

TEST_CASE("strangers get no reply and no connection until they are let in") {
  Fixture f;
  REQUIRE(add_address("192.0.2.1"));
  const auto udp = f.client(SOCK_DGRAM, "127.0.0.1", "192.0.2.1");
  const auto tcp = f.client(SOCK_STREAM, "127.0.0.1", "192.0.2.1");
  send_all(udp.get(), kQuery);
  f.until([&] { return receive(tcp.get()) == "closed"; });
  f.turn();
  CHECK(receive(udp.get()).empty());
  const auto s = f.server.statistics();
  CHECK(s.queries == 0);
  CHECK(s.listeners[0].refused + s.listeners[1].refused == 1);
  CHECK(s.listeners[2].refused + s.listeners[3].refused == 1);

  f.service.set_access({{}, {*Prefix::parse("192.0.2.0/24")}});
  send_all(udp.get(), kQuery);
  f.until([&] { return !receive(udp.get()).empty(); });
}

TEST_CASE("the interface of a query is known though it waited for the server") {
  Fixture f;
  f.service.set_access({.interfaces = {4711}});  // and loopback
  const std::vector<Address> addresses{*Address::parse("127.0.0.1"),
                                       *Address::parse("::1")};
  auto sockets = *open_listeners(addresses, 0);
  f.port = sockets.front().endpoint.port;
  std::vector<UniqueFd> clients;
  for (const char* address : {"127.0.0.1", "::1"}) {
    clients.push_back(f.client(SOCK_DGRAM, address));
    send_all(clients.back().get(), kQuery);
    clients.push_back(f.client(SOCK_STREAM, address));
    send_all(clients.back().get(), framed(kQuery));
  }
  REQUIRE(f.server.listen({.open = std::move(sockets)}));
  for (const auto& fd : clients)
    f.until([&] { return receive(fd.get()).size() > kQuery.size(); });
}

TEST_CASE("opening listeners is all or nothing and names who is in the way") {
  enter_own_network();
  const std::vector<Address> one{*Address::parse("127.0.0.2")};
  auto held = open_listeners(one, 5353);
  REQUIRE(held);
  const std::vector<Address> both{*Address::parse("127.0.0.3"),
                                  *Address::parse("127.0.0.2")};
  const auto refused = open_listeners(both, 5353);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == EADDRINUSE);
  CHECK(refused.error().what ==
        "binding 127.0.0.2:5353/udp: Address already in use, held by unit_dns (pid " +
            std::to_string(::getpid()) + ")");
  const std::vector<Address> first{both[0]};
  CHECK(open_listeners(first, 5353));
  const std::vector<Address> foreign{*Address::parse("198.51.100.1")};
  CHECK(open_listeners(foreign, 5353).error().what ==
        "binding 198.51.100.1:5353/udp: Cannot assign requested address");
}

TEST_CASE("port 0 finds one port for all addresses and both protocols") {
  enter_own_network();
  const std::vector<Address> addresses{*Address::parse("127.0.0.1"),
                                       *Address::parse("::1")};
  const auto sockets = open_listeners(addresses, 0);
  REQUIRE(sockets);
  REQUIRE(sockets->size() == 4);
  for (const auto& s : *sockets) CHECK(s.endpoint.port == sockets->front().endpoint.port);
}
