// SPDX-License-Identifier: GPL-2.0-or-later
// The daemon takes the resolver's listeners from one place to another, as when it goes to
// another rung, while clients ask: none of their queries may be lost.
#include <poll.h>

#include <atomic>
#include <thread>

#include "tests/netns/dns_steered.hh"
#include "tests/scenario/message_text.hh"

using namespace wigeon;
using namespace wigeon::dns;

namespace {

class Load {
 public:
  struct Counts {
    std::atomic<uint64_t> answered = 0, lost = 0;
  };
  Counts udp{}, late{}, tcp{}, stream{};

  explicit Load(const Hosts& hosts) {
    for (const auto& own : hosts.own()) {
      const Endpoint to{own, 53};
      threads_.emplace_back([this, to] { ask_udp(to, udp, "alpha.wigeon.test"); });
      threads_.emplace_back([this, to] { ask_udp(to, late, "up.test"); });
      threads_.emplace_back([this, to] { ask_tcp(to); });
      threads_.emplace_back([this, to] { ask_stream(to); });
    }
  }
  ~Load() { stop(); }
  void stop() {
    stop_ = true;
    for (auto& t : threads_) t.join();
    threads_.clear();
  }

 private:
  static UniqueFd connected(const Endpoint& to, int kind) {
    UniqueFd fd(::socket(static_cast<int>(to.address.family()), kind | SOCK_CLOEXEC, 0));
    sockaddr_storage storage;
    const auto size = to_sockaddr(to, storage);
    if (::connect(fd.get(), reinterpret_cast<sockaddr*>(&storage), size) != 0) fd.reset();
    return fd;
  }
  // So many bytes of whatever comes; fewer when nothing comes for six seconds.
  static size_t receive(int fd, std::span<uint8_t> into) {
    pollfd w{.fd = fd, .events = POLLIN, .revents = 0};
    if (::poll(&w, 1, 6000) <= 0) return 0;
    const ssize_t n = ::recv(fd, into.data(), into.size(), MSG_DONTWAIT);
    return n < 0 ? 0 : static_cast<size_t>(n);
  }
  static std::vector<uint8_t> framed(const std::vector<uint8_t>& query) {
    std::vector<uint8_t> out{0, static_cast<uint8_t>(query.size())};
    out.insert(out.end(), query.begin(), query.end());
    return out;
  }
  static bool ask_framed(int fd, uint16_t id) {
    const auto query = framed(make_query({.name = "alpha.wigeon.test", .id = id}));
    if (::send(fd, query.data(), query.size(), MSG_NOSIGNAL) !=
        static_cast<ssize_t>(query.size()))
      return false;
    std::vector<uint8_t> reply(512);
    size_t got = 0;
    do {
      const size_t n = receive(fd, std::span(reply).subspan(got));
      if (n == 0) return false;
      got += n;
    } while (got < 2 || got < 2u + (reply[0] << 8 | reply[1]));
    return (reply[2] << 8 | reply[3]) == id;
  }

  void ask_udp(const Endpoint& to, Counts& counts, const std::string& name) {
    const bool unique = name == "up.test";
    const auto fd = connected(to, SOCK_DGRAM);
    std::vector<uint8_t> reply(1500);
    for (uint32_t n = 0; !stop_; ++n) {
      const auto id = static_cast<uint16_t>(n);
      const std::string prefix =
          unique ? "n" + std::to_string(n) + (to.address.is_v4() ? ".four." : ".six.")
                 : "";
      const auto query = make_query({.name = prefix + name, .id = id});
      (void)::send(fd.get(), query.data(), query.size(), 0);
      size_t got = 0;
      do {
        got = receive(fd.get(), reply);
      } while (got > 1 && (reply[0] << 8 | reply[1]) != id);
      const bool good = got > kHeaderSize && (reply[3] & flag::kRcode) == 0;
      ++(good ? counts.answered : counts.lost);
    }
  }
  void ask_tcp(const Endpoint& to) {
    for (uint16_t id = 0; !stop_; ++id) {
      const auto fd = connected(to, SOCK_STREAM);
      ++(fd && ask_framed(fd.get(), id) ? tcp.answered : tcp.lost);
    }
  }
  // One connection, however many listeners come and go.
  void ask_stream(const Endpoint& to) {
    const auto fd = connected(to, SOCK_STREAM);
    for (uint16_t id = 0; !stop_; ++id) {
      const bool good = fd && ask_framed(fd.get(), id);
      ++(good ? stream.answered : stream.lost);
      if (!good) return;
      std::this_thread::sleep_for(1ms);
    }
  }

  std::atomic<bool> stop_ = false;
  std::vector<std::thread> threads_{};
};

std::vector<ListenerInfo> infos(const ListenerSockets& sockets) {
  std::vector<ListenerInfo> all;
  for (const auto& s : sockets) all.push_back(s.info());
  return all;
}

}  // namespace

TEST_CASE("no query is lost while listeners change under load") {
  SteeredResolver s;
  const Dnsmasq dnsmasq;
  REQUIRE(s.r.listenings.size() == 1);
  auto current = s.r.listenings[0].listeners;
  const auto change = [&](ListenerChange wanted) {
    const size_t n = s.r.listenings.size();
    REQUIRE(s.r.resolver->listen(std::move(wanted)));
    s.r.until([&] { return s.r.listenings.size() > n; });
    CHECK(s.r.listenings.back().failure.empty());
  };
  std::vector<uint16_t> old;
  Load load(s.hosts);
  for (int i = 0; i < 20; ++i) {
    const auto end = Loop::now() + 100ms;
    s.r.until([&] { return Loop::now() > end; });
    auto sockets = *open_listeners(loopback_for(s.hosts.own()), 0);
    const auto next = infos(sockets);
    old.push_back(current[0].endpoint.port);
    s.steering.to(sockets);  // queries wait in them from here on
    ListenerChange wanted{.open = std::move(sockets), .keep_replies = true};
    if (i % 3 == 0) wanted.replies = *open_reply_sockets(s.hosts.own());
    // The old ones go at once, or in a message of their own.
    if (i % 2 == 0) wanted.keep = current;
    change(std::move(wanted));
    if (i % 2 == 0) change({.keep = next, .keep_replies = true});
    current = s.r.listenings.back().listeners;
    CHECK(current.size() == 4);
  }
  load.stop();
  const auto report = [](const char* what, const Load::Counts& c) {
    std::printf("%s: %lu answered, %lu lost\n", what, c.answered.load(), c.lost.load());
    CHECK(c.lost == 0);
    CHECK(c.answered > 50);
  };
  report("UDP", load.udp);
  report("UDP, from upstream", load.late);
  report("TCP, a connection each", load.tcp);
  report("TCP, one connection", load.stream);
  CHECK(s.counts().second == 0);
  for (const uint16_t port : old)
    s.r.until([&] { return open_listeners(Running::addresses(), port).has_value(); });
}
