// SPDX-License-Identifier: GPL-2.0-or-later
// What Upstream keeps of a query and of a server; for upstream.cc and upstream_time.cc.
#pragma once

#include <optional>

#include "dns/upstream.hh"
#include "dns/upstream_channel.hh"
#include "dns/upstream_query.hh"
#include "dns/upstream_socket.hh"

namespace wigeon::dns {

struct Upstream::Server {
  explicit Server(const Endpoint& e) : endpoint(e), size(to_sockaddr(e, address)) {}
  Endpoint endpoint;
  sockaddr_storage address{};
  socklen_t size;
  size_t in_flight = 0;
  Time plain_until{}, unmixed_until{}, used{};
  std::unique_ptr<UdpChannel> udp{};
  std::unique_ptr<TcpChannel> tcp{};  // shared by queries
  // Of one query each, which lost a shared one; and shared ones on which one waited in
  // vain.
  std::vector<std::unique_ptr<TcpChannel>> others{};
};

struct Upstream::Flight {
  uint16_t number = 0;
  uint64_t serial = 0;  // another one for each query; 0: none
  Server* server = nullptr;
  UpstreamQuery query{};
  UdpChannel::Query kept{};
  std::optional<UpstreamSocket> socket{};
  Time deadline{}, repeat_at{};
  int mismatches = 0;
  bool tcp = false;
  bool alone = false;    // on a connection of its own
  bool plain = false;    // the server refused EDNS
  bool unmixed = false;  // the server changed the spelling
  Done done{};
  [[nodiscard]] bool is_on_udp() const { return serial != 0 && !tcp; }
};

}  // namespace wigeon::dns
