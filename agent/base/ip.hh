// SPDX-License-Identifier: GPL-2.0-or-later
// Addresses, prefixes and endpoints: parsed once at the edge, compared as values inside.
#pragma once

#include <netinet/in.h>

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "agent/base/result.hh"

namespace wigeon {

enum class Family : uint8_t { v4 = AF_INET, v6 = AF_INET6 };

// 4 or 16 bytes in network order. IPv4-mapped IPv6 text parses to IPv6: nothing is
// unmapped here. No zone index: a link-local address with "%eth0" is refused by parse().
class Address {
 public:
  Address() = default;  // 0.0.0.0
  static Result<Address> parse(std::string_view text);
  // EINVAL unless 4 or 16 bytes.
  static Result<Address> from_bytes(std::span<const uint8_t> bytes);
  static Address v4(uint32_t host_order);

  [[nodiscard]] Family family() const { return family_; }
  [[nodiscard]] bool is_v4() const { return family_ == Family::v4; }
  [[nodiscard]] std::span<const uint8_t> bytes() const {
    return {bytes_.data(), is_v4() ? 4u : 16u};
  }
  [[nodiscard]] int bits() const { return is_v4() ? 32 : 128; }
  [[nodiscard]] std::string text() const;
  [[nodiscard]] bool is_unspecified() const;
  [[nodiscard]] bool is_loopback() const;    // 127.0.0.0/8, ::1
  [[nodiscard]] bool is_link_local() const;  // 169.254.0.0/16, fe80::/10
  [[nodiscard]] bool needs_scope() const { return !is_v4() && is_link_local(); }
  [[nodiscard]] bool is_multicast() const;  // 224.0.0.0/4, ff00::/8

  auto operator<=>(const Address&) const = default;

 private:
  Family family_ = Family::v4;
  std::array<uint8_t, 16> bytes_{};
};

// A network: host bits are always zero.
class Prefix {
 public:
  Prefix() = default;  // 0.0.0.0/0
  // "10.0.0.0/8"; a bare address means its full length. Host bits are cleared.
  static Result<Prefix> parse(std::string_view text);
  // ERANGE when bits is longer than the family allows.
  static Result<Prefix> make(const Address& a, int bits);
  static Prefix host(const Address& a);

  [[nodiscard]] const Address& address() const { return address_; }
  [[nodiscard]] int bits() const { return bits_; }
  [[nodiscard]] Family family() const { return address_.family(); }
  [[nodiscard]] bool contains(const Address& a) const;
  [[nodiscard]] bool contains(const Prefix& p) const;  // equal or more specific
  [[nodiscard]] bool overlaps(const Prefix& p) const {
    return contains(p) || p.contains(*this);
  }
  [[nodiscard]] bool is_host() const { return bits_ == address_.bits(); }
  [[nodiscard]] std::string text() const;

  auto operator<=>(const Prefix&) const = default;

 private:
  Address address_{};
  uint8_t bits_ = 0;
};

// An address on an interface, with the length of the network it is in: "100.64.0.5/16".
struct InterfaceAddress {
  Address address{};
  uint8_t bits = 32;

  static Result<InterfaceAddress> parse(std::string_view text);
  [[nodiscard]] Prefix network() const;
  [[nodiscard]] std::string text() const;
  auto operator<=>(const InterfaceAddress&) const = default;
};

struct Endpoint {
  Address address{};
  uint16_t port = 0;  // host order
  // Of a link-local IPv6 address, which means nothing without: the index of its
  // interface. 0 for all others.
  uint32_t scope = 0;

  // "192.0.2.1:51820", "[2001:db8::1]:51820"; port 1-65535. text() has the scope too:
  // "[fe80::1%2]:53".
  static Result<Endpoint> parse(std::string_view text);
  [[nodiscard]] std::string text() const;
  auto operator<=>(const Endpoint&) const = default;
};

// "host:port" whose host is a name or an address; IPv6 addresses in brackets.
struct HostPort {
  std::string host{};
  uint16_t port = 0;

  static Result<HostPort> parse(std::string_view text);
  [[nodiscard]] std::string text() const;
  auto operator<=>(const HostPort&) const = default;
};

// Conversions at the socket border. storage must hold a sockaddr_in6; returns the length
// used.
socklen_t to_sockaddr(const Endpoint& e, sockaddr_storage& storage);
// EAFNOSUPPORT for other families, EINVAL when the length is short.
Result<Endpoint> from_sockaddr(const sockaddr* sa, socklen_t length);

// Decimal without sign, blanks or leading '+', at most max; the error says what was
// wrong.
Result<uint64_t> parse_number(std::string_view text, uint64_t max);

}  // namespace wigeon

template <>
struct std::hash<wigeon::Address> {
  size_t operator()(const wigeon::Address& a) const noexcept;
};
template <>
struct std::hash<wigeon::Prefix> {
  size_t operator()(const wigeon::Prefix& p) const noexcept;
};
