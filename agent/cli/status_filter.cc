// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/cli/status_filter.hh"

#include <algorithm>
#include <cctype>

namespace wigeon::cli {
namespace {

std::string lower(std::string_view s) {
  std::string out(s);
  std::ranges::transform(out, out.begin(), [](unsigned char c) {
    return static_cast<char>(std::tolower(c));
  });
  return out;
}

template <class E>
std::optional<E> named(const std::string& name, std::initializer_list<E> all) {
  for (const E e : all)
    if (lower(text(e)) == lower(name)) return e;
  return std::nullopt;
}

std::unexpected<Failure> usage(std::string message) {
  return std::unexpected(Failure{Code::usage, std::move(message)});
}

bool passes(const PeerFilter& f, const PeerStatus& p) {
  const auto has_ip = [&](const Address& a) { return p.ip == a || p.ipv6 == a; };
  const auto has_name = [fqdn = lower(p.fqdn)](const std::string& start) {
    return fqdn.starts_with(start);
  };
  return (f.ips.empty() || std::ranges::any_of(f.ips, has_ip)) &&
         (f.names.empty() || std::ranges::any_of(f.names, has_name)) &&
         (!f.state || p.state == *f.state) &&
         (!f.connection || p.connection == *f.connection);
}

}  // namespace

Outcome<PeerFilter> parse_filter(const std::vector<std::string>& ips,
                                 const std::vector<std::string>& names,
                                 const std::string& state,
                                 const std::string& connection) {
  PeerFilter filter;
  if (!state.empty()) {
    filter.state =
        named(state, {PeerState::connected, PeerState::connecting, PeerState::idle});
    if (!filter.state)
      return usage(
          "wrong status filter, should be one of connected|connecting|idle, got: " +
          state);
  }
  if (!connection.empty()) {
    filter.connection = named(connection, {ConnectionType::p2p, ConnectionType::relayed});
    if (!filter.connection)
      return usage("wrong connection-type filter, should be one of P2P|Relayed, got: " +
                   connection);
  }
  for (const auto& ip : ips) {
    const auto address = Address::parse(ip);
    if (!address)
      return usage("got an invalid IP address in the filter: address " + ip + ", error " +
                   address.error().what);
    filter.ips.push_back(*address);
  }
  for (const auto& name : names) filter.names.push_back(lower(name));
  return filter;
}

void apply(const PeerFilter& filter, PeersStatus& peers) {
  std::erase_if(peers.details, [&](const PeerStatus& p) { return !passes(filter, p); });
  std::ranges::stable_sort(peers.details, {}, &PeerStatus::ip);
  peers.total = peers.details.size();
  peers.connected = static_cast<uint64_t>(
      std::ranges::count(peers.details, PeerState::connected, &PeerStatus::state));
}

}  // namespace wigeon::cli
