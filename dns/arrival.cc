// SPDX-License-Identifier: GPL-2.0-or-later
#include "dns/arrival.hh"

#include <cstring>

namespace wigeon::dns {
namespace {

template <class T>
T content(const cmsghdr* c) {
  T info;
  std::memcpy(&info, CMSG_DATA(c), sizeof info);
  return info;
}

template <class T>
std::optional<Endpoint> endpoint(const cmsghdr* c) {
  const auto address = content<T>(c);
  const auto e =
      from_sockaddr(reinterpret_cast<const sockaddr*>(&address), sizeof address);
  return e ? std::optional(*e) : std::nullopt;
}

bool is_same(const std::optional<Address>& bound, const void* bytes, size_t size) {
  return bound && bound->bytes().size() == size &&
         std::memcmp(bound->bytes().data(), bytes, size) == 0;
}

}  // namespace

Arrival arrival(const msghdr& m) {
  Arrival a;
  for (auto* c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(const_cast<msghdr*>(&m), c)) {
    if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
      a.interface = static_cast<uint32_t>(content<in_pktinfo>(c).ipi_ifindex);
      a.info = c;
    } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
      a.interface = content<in6_pktinfo>(c).ipi6_ifindex;
      a.info = c;
    } else if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_ORIGDSTADDR) {
      a.to = endpoint<sockaddr_in>(c);
    } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_ORIGDSTADDR) {
      a.to = endpoint<sockaddr_in6>(c);
    }
  }
  return a;
}

size_t reply_control(const cmsghdr* in, const std::optional<Address>& bound,
                     std::span<std::byte> out) {
  if (!in) return 0;
  auto* o = reinterpret_cast<cmsghdr*>(out.data());
  if (in->cmsg_level == IPPROTO_IP) {
    auto info = content<in_pktinfo>(in);
    if (is_same(bound, &info.ipi_addr, sizeof info.ipi_addr)) return 0;
    info.ipi_spec_dst = info.ipi_addr;
    info.ipi_ifindex = 0;
    *o = {CMSG_LEN(sizeof info), IPPROTO_IP, IP_PKTINFO};
    std::memcpy(CMSG_DATA(o), &info, sizeof info);
    return CMSG_SPACE(sizeof info);
  }
  auto info = content<in6_pktinfo>(in);
  // A link-local address means nothing without its interface.
  if (!IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr)) {
    if (is_same(bound, &info.ipi6_addr, sizeof info.ipi6_addr)) return 0;
    info.ipi6_ifindex = 0;
  }
  *o = {CMSG_LEN(sizeof info), IPPROTO_IPV6, IPV6_PKTINFO};
  std::memcpy(CMSG_DATA(o), &info, sizeof info);
  return CMSG_SPACE(sizeof info);
}

}  // namespace wigeon::dns
