// SPDX-License-Identifier: GPL-2.0-or-later
#include "netlink/addr.hh"

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

#include <optional>

namespace wigeon::netlink {
namespace {

// IFA_LOCAL is the address; without it IFA_ADDRESS is (with it, that is the far end).
bool read_address(const Message& m, std::optional<LinkAddress>& to, int family) {
  ifaddrmsg h;
  Bytes attrs;
  if (!m.split(h, attrs)) return false;
  // A kernel without IPv6 answers an IPv6 dump with everything it has.
  if (h.ifa_family != family) return true;
  std::optional<Address> local, address;
  const bool good = for_each_attr(attrs, [&](const Attr& a) {
    switch (a.type) {
      case IFA_LOCAL:
        return a.read(local.emplace());
      case IFA_ADDRESS:
        return a.read(address.emplace());
      default:
        return true;
    }
  });
  if (!good) return false;
  const auto& own = local ? local : address;
  if (!own) return true;
  if (static_cast<int>(own->family()) != family || h.ifa_prefixlen > own->bits())
    return false;
  to = {.link = IfIndex{static_cast<int>(h.ifa_index)},
        .address = {.address = *own, .bits = h.ifa_prefixlen}};
  return true;
}

Result<Msg> message(int type, int flags, const LinkAddress& a) {
  auto m = new_message(type, flags);
  const auto& own = a.address.address;
  ifaddrmsg h{};
  h.ifa_family = static_cast<uint8_t>(own.family());
  h.ifa_prefixlen = a.address.bits;
  h.ifa_scope = own.is_link_local() ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
  h.ifa_index = static_cast<uint32_t>(a.link);
  if (!put_header(m.get(), h) || !put(m.get(), IFA_LOCAL, own) ||
      !put(m.get(), IFA_ADDRESS, own) ||
      (!own.is_v4() && type == RTM_NEWADDR &&
       !put(m.get(), IFA_FLAGS, uint32_t{IFA_F_NODAD})))
    return message_full();
  return m;
}

}  // namespace

Result<std::vector<LinkAddress>> list_addresses(Socket& s, IfIndex link) {
  std::vector<LinkAddress> all;
  for (const int family : {AF_INET, AF_INET6}) {
    const auto m = new_message(RTM_GETADDR, 0);
    ifaddrmsg h{};
    h.ifa_family = static_cast<uint8_t>(family);
    h.ifa_index = static_cast<uint32_t>(link);
    if (!put_header(m.get(), h)) return message_full();
    auto found =
        s.dump<std::vector<LinkAddress>>(m.get(), [&](auto& to, const Message& r) {
          if (r.type != RTM_NEWADDR) return true;
          std::optional<LinkAddress> a;
          if (!read_address(r, a, family)) return false;
          // Again here, for kernels that do not filter.
          if (a && (link == IfIndex::none || a->link == link)) to.push_back(*a);
          return true;
        });
    // A filtered dump of a link that is gone.
    if (!found && found.error().code == ENODEV) continue;
    if (!found) return std::unexpected(std::move(found).error());
    std::ranges::move(*found, std::back_inserter(all));
  }
  return all;
}

Result<void> add_address(Socket& s, const LinkAddress& a) {
  const auto m = TRY(message(RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, a));
  return s.request(m.get());
}

Result<void> remove_address(Socket& s, const LinkAddress& a) {
  const auto m = TRY(message(RTM_DELADDR, 0, a));
  auto done = s.request(m.get());
  if (!done && (done.error().code == EADDRNOTAVAIL || done.error().code == ENODEV))
    return {};
  return done;
}

}  // namespace wigeon::netlink
