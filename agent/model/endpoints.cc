// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/model/endpoints.hh"

#include <algorithm>

namespace wigeon {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::system_clock;

// An endpoint without a route to it is never counted as sent to. A keepalive that does
// not go out this long after its time, with its handshake repeated once, has none.
constexpr auto kNoRoute = 10s;
constexpr auto kFirstLook = 1s, kLastLook = 3s;

constexpr uint64_t kFnvBasis = 0xcbf29ce484222325, kFnvPrime = 0x100000001b3;

void mix(uint64_t& hash, std::span<const uint8_t> bytes) {
  for (const auto b : bytes) hash = (hash ^ b) * kFnvPrime;
}

void mix(uint64_t& hash, const Place& place) {
  const auto text = wigeon::text(place);
  mix(hash, {reinterpret_cast<const uint8_t*>(text.data()), text.size()});
  mix(hash, std::array<uint8_t, 1>{});  // "a:1" and "b:2" are not "a:1b:2"
}

bool is_some(const Endpoint& e) { return e.port != 0; }

bool has(const std::vector<Endpoint>& list, const Endpoint& e) {
  return std::ranges::find(list, e) != list.end();
}

class Chooser {
 public:
  Chooser(const EndpointState& was, const Candidates& offered, const KernelPeer& kernel,
          Clock::time_point now)
      : was_(was), list_(offered.list), kernel_(kernel), now_(now) {
    choice_.next = was;
    choice_.next.map = offered.map;
    remade_ = was.map != 0 && was.map != offered.map;
  }

  EndpointChoice with_session() {
    auto& next = choice_.next;
    const auto& current = *kernel_.endpoint;
    if (has(list_, current)) {
      next.offered = current;
    } else if (remade_ && !list_.empty() && is_some(was_.offered) &&
               !has(list_, was_.offered)) {
      next.worked = {};
      go(list_.front());
      return choice_;
    }
    // A handshake from before the endpoint was set does not speak for it.
    if (kernel_.stats.last_handshake >= was_.since) {
      next.worked = current;
      next.since = {};
    }
    return choice_;
  }

  EndpointChoice without_session() {
    auto& next = choice_.next;
    if (list_.empty()) {
      next.since = {};
      return choice_;
    }
    // Unlisted because it roamed: kept. Unlisted because it is no longer: forgotten.
    if (!has(list_, next.worked) && (remade_ || next.worked == was_.offered))
      next.worked = {};
    const auto order = trial_order();
    const auto at =
        kernel_.endpoint ? std::ranges::find(order, *kernel_.endpoint) : order.end();
    if (remade_ || at == order.end())
      go(list_.front());
    else if (next.since == Clock::time_point{} || now_ < next.since)
      begin();
    else if (!next.tried && kernel_.stats.tx_bytes != next.sent)
      next.tried = true, next.since = now_;
    else if (is_over())
      go(at + 1 == order.end() ? order.front() : at[1]);
    if (order.size() > 1) choice_.look = next_look();
    return choice_;
  }

 private:
  [[nodiscard]] std::vector<Endpoint> trial_order() const {
    const auto& worked = choice_.next.worked;
    std::vector<Endpoint> order;
    if (is_some(worked)) order.push_back(worked);
    for (const auto& e : list_)
      if (e != worked) order.push_back(e);
    return order;
  }

  [[nodiscard]] bool is_over() const {
    const auto lasts = now_ - choice_.next.since;
    if (choice_.next.tried) return lasts >= kTrial;
    return kernel_.keepalive != 0 &&
           lasts >= std::chrono::seconds(kernel_.keepalive) + kNoRoute;
  }

  void go(const Endpoint& e) {
    if (e != kernel_.endpoint) choice_.set = e;
    if (has(list_, e)) choice_.next.offered = e;
    begin();
  }

  void begin() {
    choice_.next.since = now_;
    choice_.next.sent = kernel_.stats.tx_bytes;
    choice_.next.tried = false;
  }

  [[nodiscard]] std::optional<std::chrono::milliseconds> next_look() const {
    const auto& next = choice_.next;
    Clock::duration wait{};
    if (next.tried)
      wait = std::max<Clock::duration>(next.since + kTrial - now_, kFirstLook);
    else if (kernel_.keepalive != 0)
      wait = std::clamp<Clock::duration>(now_ - next.since, kFirstLook, kLastLook);
    else
      return std::nullopt;
    return std::chrono::ceil<std::chrono::milliseconds>(wait);
  }

  const EndpointState& was_;
  const std::vector<Endpoint>& list_;
  const KernelPeer& kernel_;
  Clock::time_point now_;
  EndpointChoice choice_{};
  bool remade_ = false;  // the map's list is another one than last time
};

}  // namespace

Candidates candidates(std::span<const Place> places, const Resolved& resolved,
                      std::span<const Address> unusable) {
  Candidates c{.map = kFnvBasis};
  const auto add = [&](const Endpoint& e) {
    if (c.list.size() < kMaxCandidates && !has(c.list, e) &&
        !std::ranges::binary_search(unusable, e.address))
      c.list.push_back(e);
  };
  for (const auto& place : places) {
    mix(c.map, place);
    if (const auto* literal = std::get_if<Endpoint>(&place)) {
      add(*literal);
      continue;
    }
    const auto at = resolved.find(std::get<HostPort>(place));
    if (at != resolved.end()) std::ranges::for_each(at->second, add);
  }
  return c;
}

EndpointChoice choose(const EndpointState& was, const Candidates& offered,
                      const KernelPeer& kernel, Clock::time_point now) {
  Chooser chooser(was, offered, kernel, now);
  return kernel.endpoint && has_session(kernel.stats, now) ? chooser.with_session()
                                                           : chooser.without_session();
}

}  // namespace wigeon
