// SPDX-License-Identifier: GPL-2.0-or-later
#include "dns/upstream.hh"

#include <ares.h>

#include <algorithm>
#include <unordered_map>

#include "dns/message.hh"
#include "dns/random.hh"

namespace wigeon::dns {
namespace {

// Retries and time-outs are looked for this often while queries are in flight.
constexpr std::chrono::milliseconds kTick{50};
// c-ares cannot be told to give up one query, so queries whose limit has passed linger
// until their last try ends.
constexpr size_t kMaxLingering = 4000;
constexpr int kTries = 2;
constexpr int kFirstTimeoutMs = 1000;

Error ares_error(std::string_view doing, int status) {
  return {EIO, std::string(doing) + ": " + ares_strerror(status)};
}

Result<void> init_library() {
  static const int status = ares_library_init(ARES_LIB_INIT_ALL);
  if (status != ARES_SUCCESS)
    return std::unexpected(ares_error("ares_library_init", status));
  return {};
}

}  // namespace

class Upstream::Channel {
 public:
  static Result<std::unique_ptr<Channel>> open(Loop& loop, const Endpoint& server);
  ~Channel() {
    // Ends what is in flight through the callbacks, and closes the sockets, whose watches
    // the state callback ends first.
    if (channel_) ares_destroy(channel_);
  }
  void send(Bytes query, Flight* flight);
  void check_timeouts() {
    if (in_flight > 0) ares_process_fd(channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
  }

  size_t in_flight = 0;

 private:
  explicit Channel(Loop& loop) : loop_(loop) {}
  static void on_socket(void* self, ares_socket_t fd, int readable, int writable);
  static void on_reply(void* data, int status, int timeouts, unsigned char* bytes,
                       int size);
  Result<void> set_server(const Endpoint& server);

  Loop& loop_;
  ares_channel channel_ = nullptr;
  std::unordered_map<int, Loop::Watch> sockets_{};
};

struct Upstream::Flight {
  Upstream* owner = nullptr;
  Channel* channel = nullptr;
  std::chrono::microseconds deadline{};
  Done done{};  // empty once called
  std::list<Flight>::iterator self{};
};

Result<std::unique_ptr<Upstream::Channel>> Upstream::Channel::open(
    Loop& loop, const Endpoint& server) {
  std::unique_ptr<Channel> c(new Channel(loop));
  char lookups[] = "b";  // DNS only
  ares_options o{};
  // EDNS: accept replies of up to ednspsz bytes over UDP; a FORMERR without OPT repeats
  // the query without its last 11 bytes, which is the OPT record of ours. Not STAYOPEN: a
  // channel that has nothing in flight closes its sockets, so that the next query has a
  // new port.
  o.flags =
      ARES_FLAG_EDNS | ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES | ARES_FLAG_NOCHECKRESP;
  o.ednspsz = kUdpPayload;
  o.timeout = kFirstTimeoutMs;
  o.tries = kTries;
  o.ndots = 1;
  o.lookups = lookups;
  o.sock_state_cb = on_socket;
  o.sock_state_cb_data = c.get();
  // Domains, sort list, servers and ndots are given, if only as nothing, so that c-ares
  // has no reason to read resolv.conf.
  const int set = ARES_OPT_FLAGS | ARES_OPT_EDNSPSZ | ARES_OPT_TIMEOUTMS |
                  ARES_OPT_TRIES | ARES_OPT_NDOTS | ARES_OPT_LOOKUPS |
                  ARES_OPT_SOCK_STATE_CB | ARES_OPT_DOMAINS | ARES_OPT_SORTLIST |
                  ARES_OPT_SERVERS | ARES_OPT_NOROTATE;
  const int status = ares_init_options(&c->channel_, &o, set);
  if (status != ARES_SUCCESS) {
    c->channel_ = nullptr;
    return std::unexpected(ares_error("ares_init_options", status));
  }
  TRY(c->set_server(server));
  return c;
}

Result<void> Upstream::Channel::set_server(const Endpoint& server) {
  ares_addr_port_node node{};
  node.family = static_cast<int>(server.address.family());
  const auto bytes = server.address.bytes();
  std::memcpy(&node.addr, bytes.data(), bytes.size());
  node.udp_port = node.tcp_port = server.port;
  const int status = ares_set_servers_ports(channel_, &node);
  if (status != ARES_SUCCESS)
    return std::unexpected(ares_error("ares_set_servers_ports", status));
  return {};
}

void Upstream::Channel::on_socket(void* data, ares_socket_t fd, int readable,
                                  int writable) {
  auto& self = *static_cast<Channel*>(data);
  const uint32_t events = (readable ? EPOLLIN : 0u) | (writable ? EPOLLOUT : 0u);
  const auto known = self.sockets_.find(fd);
  if (events == 0) {
    if (known != self.sockets_.end()) self.sockets_.erase(known);
    return;
  }
  if (known != self.sockets_.end()) {
    (void)known->second.change(events);  // fails only without memory; the timeout remains
    return;
  }
  auto watch = self.loop_.watch(fd, events, [&self, fd](uint32_t ready) {
    // An error is found by reading.
    const bool in = ready & (EPOLLIN | EPOLLERR | EPOLLHUP);
    const bool out = ready & EPOLLOUT;
    ares_process_fd(self.channel_, in ? fd : ARES_SOCKET_BAD, out ? fd : ARES_SOCKET_BAD);
  });
  if (watch) self.sockets_.emplace(fd, std::move(*watch));
}

void Upstream::Channel::on_reply(void* data, int status, int, unsigned char* bytes,
                                 int size) {
  auto* flight = static_cast<Flight*>(data);
  --flight->channel->in_flight;
  Upstream& owner = *flight->owner;
  Done done = std::move(flight->done);
  owner.flights_.erase(flight->self);
  if (owner.closing_ || !done) return;
  using End = Outcome::End;
  if (status == ARES_SUCCESS && bytes && size > 0)
    done({End::replied, {bytes, static_cast<size_t>(size)}});
  else
    done({status == ARES_ETIMEOUT ? End::no_reply : End::unreachable, {}});
}

void Upstream::Channel::send(Bytes query, Flight* flight) {
  ++in_flight;
  ares_send(channel_, query.data(), static_cast<int>(query.size()), on_reply, flight);
}

UsableUpstreams usable_upstreams(std::span<const Endpoint> configured,
                                 std::span<const Address> own_addresses,
                                 std::span<const Endpoint> listeners) {
  UsableUpstreams result;
  for (const auto& e : configured) {
    const bool good = e.port != 0 && !e.address.is_unspecified() &&
                      !e.address.is_multicast() &&
                      std::ranges::count(own_addresses, e.address) == 0 &&
                      std::ranges::count(listeners, e) == 0;
    auto& list = good ? result.servers : result.dropped;
    if (std::ranges::count(list, e) == 0) list.push_back(e);
  }
  return result;
}

Result<std::unique_ptr<Upstream>> Upstream::open(Loop& loop) {
  TRY(init_library());
  return std::unique_ptr<Upstream>(new Upstream(loop));
}

Upstream::Upstream(Loop& loop) : loop_(loop) {}

Upstream::~Upstream() {
  closing_ = true;
  pools_.clear();
  retired_.clear();
}

Result<void> Upstream::set_servers(std::span<const Endpoint> servers) {
  std::map<Endpoint, Pool> fresh;
  for (const auto& server : servers) {
    if (pools_.contains(server) || fresh.contains(server)) continue;
    for (size_t i = 0; i < kChannels; ++i)
      fresh[server].push_back(TRY(Channel::open(loop_, server)));
  }
  for (auto at = pools_.begin(); at != pools_.end();) {
    if (std::ranges::count(servers, at->first) > 0) {
      ++at;
      continue;
    }
    retired_.push_back(std::move(at->second));
    at = pools_.erase(at);
  }
  pools_.merge(fresh);
  keep_ticking();
  return {};
}

void Upstream::send(const Endpoint& server, Bytes query, Transport,
                    std::chrono::milliseconds limit, Done done) {
  const auto at = pools_.find(server);
  if (at == pools_.end() || flights_.size() >= kMaxLingering)
    return done({Outcome::End::unreachable, {}});
  static Random random;
  Channel& channel = *at->second[random.u16() % at->second.size()];
  flights_.push_front({this, &channel, Loop::now() + limit, std::move(done)});
  flights_.front().self = flights_.begin();
  keep_ticking();
  channel.send(query, &flights_.front());  // on_reply() may run before this returns
}

void Upstream::keep_ticking() {
  if (ticking_) return;
  if (!ticker_) {
    auto timer = loop_.after(kTick, [this] { tick(); });
    if (!timer) return;  // out of memory: tried again with the next query
    ticker_ = std::move(*timer);
  } else if (!ticker_.restart(kTick)) {
    return;
  }
  ticking_ = true;
}

void Upstream::tick() {
  ticking_ = false;
  for (auto& [server, pool] : pools_)
    for (auto& channel : pool) channel->check_timeouts();
  for (auto& pool : retired_)
    for (auto& channel : pool) channel->check_timeouts();
  std::erase_if(retired_, [](const Pool& pool) {
    return std::ranges::all_of(pool, [](auto& c) { return c->in_flight == 0; });
  });
  std::vector<Done> late;
  for (auto& flight : flights_)
    if (flight.done && flight.deadline <= Loop::now())
      late.push_back(std::move(flight.done));
  for (auto& done : late) done({Outcome::End::no_reply, {}});
  if (!flights_.empty()) keep_ticking();
}

}  // namespace wigeon::dns
