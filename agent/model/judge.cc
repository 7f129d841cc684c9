// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/model/judge.hh"

#include <fmt/format.h>

#include <algorithm>

#include "agent/model/limits.hh"

namespace wigeon {

std::string Refusal::text() const {
  return fmt::format("{} ({}): {}", what, pointer, reason);
}

void Judge::refuse_map(std::string_view pointer, std::string value, std::string reason) {
  verdict_.errors.add({context_.file, map_.at + std::string(pointer), std::move(value),
                       std::move(reason)});
}

void Judge::refuse(Refusal r) {
  if (verdict_.refusals.size() < kMaxRefusals)
    verdict_.refusals.push_back(std::move(r));
  else
    ++verdict_.more_refusals;
}

void Judge::refuse_peer(size_t peer, std::string reason) {
  if (!has_peer(peer)) return;
  verdict_.accepted.peers[peer] = false;
  refuse({"peer " + map_.remote_peers[peer].key.text(), peer_pointer(peer),
          std::move(reason)});
}

void Judge::refuse_allowed_ip(size_t peer, size_t index, std::string reason) {
  const auto& p = map_.remote_peers[peer];
  auto& left_out = verdict_.accepted.left_out[peer];
  const auto i = static_cast<uint16_t>(index);
  const auto at = std::ranges::lower_bound(left_out, i);
  if (at != left_out.end() && *at == i) return;
  left_out.insert(at, i);
  refuse({fmt::format("{} of peer {}", p.allowed_ips[index].text(), p.key.text()),
          allowed_ip_pointer(peer, index), std::move(reason)});
  if (left_out.size() == p.allowed_ips.size())
    refuse_peer(peer, "none of its allowed IPs can be used");
}

void Judge::refuse_endpoint(size_t peer, std::string reason) {
  refuse({"peer " + map_.remote_peers[peer].key.text(), peer_pointer(peer),
          std::move(reason)});
}

void Judge::refuse_route(size_t route, std::string reason) {
  if (!verdict_.accepted.routes[route]) return;
  verdict_.accepted.routes[route] = false;
  const auto& r = map_.routes[route];
  refuse({"route " + printable(r.net_id.empty() ? r.id : r.net_id),
          map_.at + "/Routes/" + std::to_string(route), std::move(reason)});
}

void Judge::note(std::string text) {
  if (verdict_.notes.size() < kMaxProblems) verdict_.notes.push_back(std::move(text));
}

bool Accepted::has_allowed_ip(size_t peer, size_t index) const {
  const auto at = left_out.find(peer);
  return at == left_out.end() ||
         !std::ranges::binary_search(at->second, static_cast<uint16_t>(index));
}

bool Judge::is_client_route(size_t route) const {
  return map_.routes[route].peer != context_.own_key;
}

std::string Judge::peer_pointer(size_t peer) const {
  return map_.at + "/remotePeers/" + std::to_string(peer);
}

std::string Judge::allowed_ip_pointer(size_t peer, size_t index) const {
  return peer_pointer(peer) + "/allowedIps/" + std::to_string(index);
}

bool is_default_like(const Prefix& p) {
  // Global IPv6 unicast is 2000::/3; whoever has that has everything.
  return p.bits() <= (p.family() == Family::v4 ? 1 : 3);
}

}  // namespace wigeon
