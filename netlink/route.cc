// SPDX-License-Identifier: GPL-2.0-or-later
#include "netlink/route.hh"

#include <algorithm>

namespace wigeon::netlink {
namespace {

constexpr size_t kRouteMessage = 128;
constexpr size_t kChangesAtOnce = kBatchMessages;

bool rejects(Route::Type t) {
  return t == Route::Type::blackhole || t == Route::Type::unreachable ||
         t == Route::Type::prohibit || t == Route::Type::throw_;
}

Route::Type type_of(uint8_t kernel) {
  switch (kernel) {
    case RTN_UNICAST:
      return Route::Type::unicast;
    case RTN_LOCAL:
      return Route::Type::local;
    case RTN_BLACKHOLE:
      return Route::Type::blackhole;
    case RTN_UNREACHABLE:
      return Route::Type::unreachable;
    case RTN_PROHIBIT:
      return Route::Type::prohibit;
    case RTN_THROW:
      return Route::Type::throw_;
    default:
      return Route::Type::other;
  }
}

bool shared_table(uint32_t table) {
  return table == RT_TABLE_MAIN || table == RT_TABLE_LOCAL || table == RT_TABLE_DEFAULT;
}

// A gateway of the other family: rtvia is a family and an address.
bool read_via(const Attr& a, std::optional<Address>& to) {
  if (a.payload.size() < sizeof(rtvia)) return false;
  const auto address = Address::from_bytes(a.payload.subspan(sizeof(rtvia)));
  if (!address) return false;
  to = *address;
  return true;
}

bool read_hops(Bytes rest, const Route& common, std::vector<Route>& to) {
  while (!rest.empty()) {
    rtnexthop hop;
    if (!copy_front(rest, hop)) return false;
    if (hop.rtnh_len < sizeof hop || hop.rtnh_len > rest.size()) return false;
    Route& route = to.emplace_back(common);
    route.device = IfIndex{hop.rtnh_ifindex};
    const bool good = for_each_attr(rest.subspan(sizeof hop, hop.rtnh_len - sizeof hop),
                                    [&](const Attr& a) {
                                      if (a.type == RTA_GATEWAY)
                                        return a.read(route.gateway.emplace());
                                      if (a.type == RTA_VIA)
                                        return read_via(a, route.gateway);
                                      return true;
                                    });
    if (!good) return false;
    rest = behind(rest, hop.rtnh_len);
  }
  return true;
}

Result<Msg> message(const RouteChange& c) {
  const Route& r = c.route;
  const bool adds = c.kind == RouteChange::Kind::add;
  if (r.type == Route::Type::other) return fail(EINVAL, "a route of no kind we write");
  const int existing = shared_table(r.table) ? NLM_F_EXCL : NLM_F_REPLACE;
  auto m = adds ? new_message(RTM_NEWROUTE, NLM_F_CREATE | existing, kRouteMessage)
                : new_message(RTM_DELROUTE, 0, kRouteMessage);
  rtmsg h{};
  h.rtm_family = static_cast<uint8_t>(r.destination.family());
  h.rtm_dst_len = static_cast<uint8_t>(r.destination.bits());
  h.rtm_table = r.table < 256 ? static_cast<uint8_t>(r.table) : uint8_t{RT_TABLE_COMPAT};
  h.rtm_protocol = r.protocol;
  h.rtm_type = static_cast<uint8_t>(r.type);
  if (!adds)
    h.rtm_scope = RT_SCOPE_NOWHERE;  // any
  else if (r.type == Route::Type::local)
    h.rtm_scope = RT_SCOPE_HOST;
  else
    h.rtm_scope = r.gateway || rejects(r.type) ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK;

  bool fits = put_header(m.get(), h) && put(m.get(), RTA_TABLE, r.table) &&
              put(m.get(), RTA_DST, r.destination.address());
  if (r.metric != 0) fits = fits && put(m.get(), RTA_PRIORITY, r.metric);
  if (r.device != IfIndex::none)
    fits = fits && put(m.get(), RTA_OIF, static_cast<uint32_t>(r.device));
  if (r.gateway) {
    if (r.gateway->family() != r.destination.family())
      return fail(EINVAL, "a gateway of another family than the destination");
    fits = fits && put(m.get(), RTA_GATEWAY, *r.gateway);
  }
  if (!fits) return message_full();
  return m;
}

Result<Msg> dump_message(const RouteFilter& filter, int family) {
  auto m = new_message(RTM_GETROUTE, 0);
  rtmsg h{};
  h.rtm_family = static_cast<uint8_t>(family);
  h.rtm_protocol = filter.protocol;
  bool fits = put_header(m.get(), h) && put(m.get(), RTA_TABLE, filter.table);
  if (filter.device != IfIndex::none)
    fits = fits && put(m.get(), RTA_OIF, static_cast<uint32_t>(filter.device));
  if (!fits) return message_full();
  return m;
}

// A kernel may not filter, and one without IPv6 answers with IPv4.
bool passes(const RouteFilter& f, int family, const Route& r) {
  return r.table == f.table && static_cast<int>(r.destination.family()) == family &&
         (f.protocol == RTPROT_UNSPEC || r.protocol == f.protocol) &&
         (f.device == IfIndex::none || r.device == f.device);
}

// "FIB table does not exist", or the device that was named.
bool no_table(const Error& e) { return e.code == ENOENT || e.code == ENODEV; }

Result<std::vector<Route>> list_family(Socket& s, int family, const RouteFilter& filter) {
  const auto m = TRY(dump_message(filter, family));
  auto found = s.dump<std::vector<Route>>(m.get(), [&](auto& to, const Message& reply) {
    if (reply.type != RTM_NEWROUTE) return true;
    std::vector<Route> read;
    if (!read_routes(reply, read)) return false;
    for (const auto& r : read)
      if (passes(filter, family, r)) to.push_back(r);
    return true;
  });
  if (!found && no_table(found.error())) return std::vector<Route>{};
  return found;
}

}  // namespace

bool read_routes(const Message& m, std::vector<Route>& to) {
  rtmsg h;
  Bytes attrs;
  if (!m.split(h, attrs)) return false;
  if (h.rtm_family != AF_INET && h.rtm_family != AF_INET6) return true;
  if (h.rtm_flags & RTM_F_CLONED) return true;
  Route route{
      .table = h.rtm_table, .type = type_of(h.rtm_type), .protocol = h.rtm_protocol};
  std::optional<Address> destination;
  Bytes hops;
  const bool good = for_each_attr(attrs, [&](const Attr& a) {
    uint32_t device = 0;
    switch (a.type) {
      case RTA_DST:
        return a.read(destination.emplace());
      case RTA_TABLE:
        return a.read(route.table);
      case RTA_PRIORITY:
        return a.read(route.metric);
      case RTA_GATEWAY:
        return a.read(route.gateway.emplace());
      case RTA_VIA:
        return read_via(a, route.gateway);
      case RTA_MULTIPATH:
        hops = a.payload;
        return true;
      case RTA_OIF:
        if (!a.read(device)) return false;
        route.device = IfIndex{static_cast<int>(device)};
        return true;
      default:
        return true;
    }
  });
  if (!good) return false;
  if (!destination) {  // the default route has none
    destination = h.rtm_family == AF_INET
                      ? Address{}
                      : *Address::from_bytes(std::array<uint8_t, 16>{});
  }
  const auto prefix = Prefix::make(*destination, h.rtm_dst_len);
  if (!prefix || static_cast<int>(prefix->family()) != h.rtm_family) return false;
  route.destination = *prefix;
  if (rejects(route.type)) route.device = IfIndex::none;
  if (!hops.empty()) return read_hops(hops, route, to);
  to.push_back(route);
  return true;
}

Result<std::vector<Route>> list_routes(Socket& s, const RouteFilter& filter) {
  auto all = TRY(list_family(s, AF_INET, filter));
  std::ranges::move(TRY(list_family(s, AF_INET6, filter)), std::back_inserter(all));
  return all;
}

Result<void> scan_routes(Socket& s, const RouteFilter& filter,
                         const std::function<void(const Route&)>& take) {
  std::vector<Route> read;
  for (const int family : {AF_INET, AF_INET6}) {
    const auto m = TRY(dump_message(filter, family));
    auto done = s.dump_as_it_is(m.get(), [&](const Message& reply) {
      if (reply.type != RTM_NEWROUTE) return true;
      read.clear();
      if (!read_routes(reply, read)) return false;
      for (const auto& r : read)
        if (passes(filter, family, r)) take(r);
      return true;
    });
    if (!done && !no_table(done.error())) return done;
  }
  return {};
}

Result<std::vector<Refusal>> change_routes(Socket& s,
                                           std::span<const RouteChange> changes) {
  std::vector<Refusal> refusals;
  for (size_t from = 0; from < changes.size(); from += kChangesAtOnce) {
    const auto part =
        changes.subspan(from, std::min(kChangesAtOnce, changes.size() - from));
    std::vector<Msg> messages;
    messages.reserve(part.size());
    for (const auto& c : part) messages.push_back(TRY(message(c)));
    for (auto& refused : TRY(s.batch(messages))) {
      const bool gone_already = part[refused.index].kind == RouteChange::Kind::remove &&
                                refused.error.code == ESRCH;
      if (gone_already) continue;
      refused.index += from;
      refusals.push_back(std::move(refused));
    }
  }
  return refusals;
}

Result<void> add_route(Socket& s, const Route& r) {
  const auto m = TRY(message({.kind = RouteChange::Kind::add, .route = r}));
  return s.request(m.get());
}

Result<void> remove_route(Socket& s, const Route& r) {
  const auto m = TRY(message({.kind = RouteChange::Kind::remove, .route = r}));
  auto done = s.request(m.get());
  if (!done && done.error().code == ESRCH) return {};
  return done;
}

}  // namespace wigeon::netlink
