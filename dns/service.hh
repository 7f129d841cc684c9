// SPDX-License-Identifier: GPL-2.0-or-later
// The resolver without its sockets: a query in, a reply now or later. Listeners bring the
// bytes; the zones can be replaced at any moment.
#pragma once

#include <functional>
#include <memory>

#include "agent/base/loop.hh"
#include "dns/access.hh"
#include "dns/answer.hh"
#include "dns/cache.hh"
#include "dns/forward.hh"
#include "dns/rate.hh"
#include "dns/statistics.hh"

namespace wigeon::dns {

// A peer's answer that took longer is not sent over UDP: an attacker must not collect
// replies for one moment (CVE-2024-33655).
inline constexpr std::chrono::milliseconds kDiscardAfter{1900};

class Service {
 public:
  using Time = Forwarder::Time;
  using Later = std::move_only_function<void(Bytes reply)>;

  explicit Service(Exchange& exchange, Forwarder::Clock clock = Loop::now);

  // Returns the ones there were, so that the caller decides where they are freed.
  std::shared_ptr<const Zones> replace_zones(std::shared_ptr<const Zones> zones) {
    return std::exchange(zones_, std::move(zones));
  }
  [[nodiscard]] const Zones& zones() const { return *zones_; }
  // Nothing changes on failure.
  Result<void> set_upstreams(Upstreams upstreams);
  void set_access(Access access) { access_ = std::move(access); }
  [[nodiscard]] const Access& access() const { return access_; }
  // Takes a token from a peer; false when it asks too often.
  bool may_ask_now(Asker asker, const Address& source, Time now) {
    return asker == Asker::host || rate_.take(source, now);
  }

  // How long past their time answers may be given when their servers fail; 0: not at all.
  void set_serve_stale(std::chrono::seconds past) { cache_.set_serve_stale(past); }
  // Forgets what is kept of the name and all below it; the root: everything. Returns how
  // many answers that were.
  size_t flush(const Name& apex) { return cache_.flush(apex); }

  // One query. On Kind::reply the bytes are in reply(); on Kind::ask call ask() to get
  // the reply later. No heap allocation unless it is Kind::ask.
  Answer handle(Bytes query, Transport transport, Asker asker = Asker::host);
  [[nodiscard]] Bytes reply(const Answer& a) const { return {buffer_.data(), a.size}; }
  // For the query just handled, which came from source. later may be called before this
  // returns; the bytes it gets are valid during the call. Over TCP it is always called,
  // over UDP not when nothing is to be sent.
  // tracer: told what happens, when somebody wants to know.
  void ask(Time now, const Address& source, Later later,
           const std::shared_ptr<Tracer>& tracer = {});
  // The same for a client of this host, whoever it is.
  void ask(Time now, Later later) { ask(now, Client{}.address, std::move(later)); }

  // Who of us has the name; and, of a query just handled, what is asked upstream.
  void describe(const Name& name, uint16_t type, const Answer& a, Trace& trace) const;

  [[nodiscard]] Time now() const { return clock_(); }
  void expire(Time now) { forwarder_.expire(now); }
  [[nodiscard]] std::optional<Time> deadline() const { return forwarder_.deadline(); }
  [[nodiscard]] size_t waiting() const { return forwarder_.waiting(); }
  [[nodiscard]] Statistics statistics() const;
  // A reply of ours went out cut, since no more of it fits a packet on its way.
  void count_truncated() { ++statistics_.truncated; }

 private:
  Bytes finish(size_t size);
  size_t recall(Time now);
  // owner: the source whose name it is. What is returned goes before what landed.
  std::optional<Cache::Hit> keep(const Asked& asked, const Question& wanted,
                                 uint32_t owner, const Landed& landed, Time now);
  size_t write(const Asked& asked, const Question& wanted, const Cache::Hit& hit);
  size_t write(const Asked& asked, const Landed& landed);

  Forwarder::Clock clock_;
  Forwarder forwarder_;
  Cache cache_{};
  RebindingGuard guard_{};  // what is kept has passed it
  std::shared_ptr<const Zones> zones_;
  Access access_{};
  RateLimit rate_;
  std::vector<uint8_t> buffer_ = std::vector<uint8_t>(kMaxMessage);
  Asked asked_{};
  Question wanted_{};
  bool is_ours_ = false;                  // wanted_ is in a zone of ours
  Transport transport_ = Transport::udp;  // of the query handled last
  uint32_t turn_ = 0;
  Statistics statistics_{};
};

}  // namespace wigeon::dns
