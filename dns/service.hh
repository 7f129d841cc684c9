// SPDX-License-Identifier: GPL-2.0-or-later
// The resolver without its sockets: a query in, a reply now or later. Listeners bring the
// bytes; the zones can be replaced at any moment.
#pragma once

#include <functional>
#include <memory>

#include "agent/base/loop.hh"
#include "dns/access.hh"
#include "dns/answer.hh"
#include "dns/forward.hh"
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

  void replace_zones(std::shared_ptr<const Zones> zones) { zones_ = std::move(zones); }
  // Nothing changes on failure.
  Result<void> set_upstreams(Upstreams upstreams) {
    return forwarder_.set_upstreams(std::move(upstreams));
  }
  void set_access(Access access) { access_ = std::move(access); }
  [[nodiscard]] const Access& access() const { return access_; }

  // One query. On Kind::reply the bytes are in buffer(); on Kind::ask call ask() to get
  // the reply later. No heap allocation unless it is Kind::ask.
  Answer handle(Bytes query, Transport transport);
  [[nodiscard]] Bytes reply(const Answer& a) const { return {buffer_.data(), a.size}; }
  // For the query just handled, which came from source. later may be called before this
  // returns; the bytes it gets are valid during the call. Over TCP it is always called,
  // over UDP not when nothing is to be sent.
  void ask(Time now, const Address& source, Later later);
  // The same for a client of this host, whoever it is.
  void ask(Time now, Later later) { ask(now, Client{}.address, std::move(later)); }

  void expire(Time now) { forwarder_.expire(now); }
  [[nodiscard]] std::optional<Time> deadline() const { return forwarder_.deadline(); }
  [[nodiscard]] size_t waiting() const { return forwarder_.waiting(); }
  [[nodiscard]] Statistics statistics() const;

 private:
  Bytes finish(size_t size);
  void land(const Asked& asked, const Landed& landed, Later& later);

  Forwarder::Clock clock_;
  Forwarder forwarder_;
  std::shared_ptr<const Zones> zones_;
  Access access_{};
  std::vector<uint8_t> buffer_ = std::vector<uint8_t>(kMaxMessage);
  Asked asked_{};
  Question wanted_{};
  Transport transport_ = Transport::udp;  // of the query handled last
  uint32_t turn_ = 0;
  Statistics statistics_{};
};

}  // namespace wigeon::dns
