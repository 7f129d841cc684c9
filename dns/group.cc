// SPDX-License-Identifier: GPL-2.0-or-later
#include "dns/group.hh"

#include <algorithm>

#include "dns/message.hh"

namespace wigeon::dns {
namespace {

using namespace std::chrono_literals;

std::chrono::milliseconds limit_for(size_t servers) {
  if (servers == 1) return 4s;
  return std::max<std::chrono::milliseconds>(
      2s, std::chrono::milliseconds(kForwardTimeout) / servers);
}

// DNSSEC says that the answer is bad (1, 2, 5-12), or a policy that there is none for us
// (15-18): another server's answer would only be a way round it.
bool is_final(ExtendedError::Code why) {
  const auto extended_error = static_cast<uint16_t>(why);
  return extended_error == 1 || extended_error == 2 ||
         (extended_error >= 5 && extended_error <= 12) ||
         (extended_error >= 15 && extended_error <= 18);
}

}  // namespace

Turn turn_of(std::span<const Endpoint> servers, const HealthTable& table,
             ServerHealth::Time now) {
  Turn turn;
  if (servers.empty()) return turn;
  turn.limit = limit_for(servers.size());
  std::vector<Endpoint> failing, due;
  for (const auto& server : servers) {
    const auto at = table.find(server);
    const bool known = at != table.end();
    if (!known || !at->second.failing())
      turn.order.push_back(server);
    else if (!at->second.dead(now))
      failing.push_back(server);
    if (known && at->second.probe_due(now)) due.push_back(server);
  }
  if (!turn.order.empty())
    turn.probes = std::move(due);
  else if (failing.empty())
    failing = std::move(due);
  turn.order.insert(turn.order.end(), failing.begin(), failing.end());
  return turn;
}

Verdict judge(const Scrubbed& reply) {
  if (reply.rcode != rcode::kServFail && reply.rcode != rcode::kRefused)
    return Verdict::answer;
  return is_final(reply.extended_error) ? Verdict::final : Verdict::refusal;
}

}  // namespace wigeon::dns
