// SPDX-License-Identifier: GPL-2.0-or-later
// Checked reads of what the kernel sends. Nothing is read in place and nothing is assumed
// about alignment: every length is compared with the bytes that are really there first,
// and the value is copied out.
#pragma once

#include <linux/netlink.h>

#include <concepts>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>

#include "agent/base/ip.hh"
#include "agent/base/key.hh"

namespace wigeon::netlink {

using Bytes = std::span<const uint8_t>;

// The first sizeof(T) bytes as a T; false when there are fewer.
template <class T>
bool copy_front(Bytes from, T& to) {
  static_assert(std::is_trivially_copyable_v<T>);
  if (from.size() < sizeof to) return false;
  std::memcpy(&to, from.data(), sizeof to);
  return true;
}

// What follows a header of this size and its padding; empty when nothing does.
inline Bytes behind(Bytes all, size_t header) {
  const size_t skip = NLMSG_ALIGN(header);
  return skip < all.size() ? all.subspan(skip) : Bytes{};
}

// Each read is false, and leaves its target alone, when the length is not the type's.
struct Attr {
  uint16_t type = 0;  // without the flag bits
  Bytes payload{};

  template <std::unsigned_integral T>
  [[nodiscard]] bool read(T& to) const {
    return payload.size() == sizeof to && copy_front(payload, to);
  }
  // Up to the first NUL or the end.
  [[nodiscard]] bool read(std::string& to) const {
    const auto* text = reinterpret_cast<const char*>(payload.data());
    to.assign(text, ::strnlen(text, payload.size()));
    return true;
  }
  [[nodiscard]] bool read(Address& to) const {
    return take(Address::from_bytes(payload), to);
  }
  [[nodiscard]] bool read(Key& to) const { return take(Key::from_bytes(payload), to); }
  [[nodiscard]] bool read(SecretKey& to) const {
    return take(SecretKey::from_bytes(payload), to);
  }

 private:
  template <class T>
  static bool take(Result<T> from, T& to) {
    if (!from) return false;
    to = *std::move(from);
    return true;
  }
};

// each(const Attr&) -> bool for every attribute. False when the bytes are not whole
// attributes, or as soon as `each` says so.
template <class Each>
[[nodiscard]] bool for_each_attr(Bytes rest, Each&& each) {
  while (!rest.empty()) {
    nlattr header;
    if (!copy_front(rest, header)) return false;
    if (header.nla_len < NLA_HDRLEN || header.nla_len > rest.size()) return false;
    const auto type = static_cast<uint16_t>(header.nla_type & NLA_TYPE_MASK);
    if (!each(Attr{type, rest.subspan(NLA_HDRLEN, header.nla_len - size_t{NLA_HDRLEN})}))
      return false;
    rest = behind(rest, header.nla_len);
  }
  return true;
}

// One netlink message as received.
struct Message {
  uint16_t type = 0;
  uint16_t flags = 0;
  uint32_t sequence = 0;
  uint32_t port = 0;
  Bytes payload{};

  // The family's fixed header (ifinfomsg, rtmsg, genlmsghdr …) and the attributes behind
  // it.
  template <class Header>
  [[nodiscard]] bool split(Header& header, Bytes& attrs) const {
    if (!copy_front(payload, header)) return false;
    attrs = behind(payload, sizeof header);
    return true;
  }
};

// each(const Message&) -> bool for every message of a datagram; false as for_each_attr.
template <class Each>
[[nodiscard]] bool for_each_message(Bytes rest, Each&& each) {
  while (!rest.empty()) {
    nlmsghdr h;
    if (!copy_front(rest, h)) return false;
    if (h.nlmsg_len < NLMSG_HDRLEN || h.nlmsg_len > rest.size()) return false;
    if (!each(Message{h.nlmsg_type, h.nlmsg_flags, h.nlmsg_seq, h.nlmsg_pid,
                      rest.subspan(NLMSG_HDRLEN, h.nlmsg_len - size_t{NLMSG_HDRLEN})}))
      return false;
    rest = behind(rest, h.nlmsg_len);
  }
  return true;
}

}  // namespace wigeon::netlink
