// SPDX-License-Identifier: GPL-2.0-or-later
#include "dns/askers.hh"

namespace wigeon::dns {

std::optional<Askers::Added> Askers::add(const Client& client, Landing& landing) {
  const auto known = unanswered_.find(client.address);
  if (known != unanswered_.end() && known->second == kMaxPerClient) return std::nullopt;
  Added added{.id = next_};
  if (size() == kMaxInFlight) {
    if (client.is_peer || peers_.empty()) return std::nullopt;
    added.ousted = take(peers_, peers_.begin()->first);
  }
  ++next_;
  ++unanswered_[client.address];
  (client.is_peer ? peers_ : locals_)
      .emplace(added.id, Asker{client.address, std::move(landing)});
  return added;
}

std::optional<Landing> Askers::take(uint64_t id) {
  auto landing = take(locals_, id);
  return landing ? std::move(landing) : take(peers_, id);
}

std::optional<Landing> Askers::take(Queue& queue, uint64_t id) {
  const auto at = queue.find(id);
  if (at == queue.end()) return std::nullopt;
  const auto count = unanswered_.find(at->second.client);
  if (--count->second == 0) unanswered_.erase(count);
  auto landing = std::move(at->second.landing);
  queue.erase(at);
  return landing;
}

}  // namespace wigeon::dns
