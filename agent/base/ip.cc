// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/base/ip.hh"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

namespace wigeon {
namespace {

// Bytes are equal up to bit n.
bool same_head(std::span<const uint8_t> a, std::span<const uint8_t> b, int n) {
  const auto whole = static_cast<size_t>(n / 8);
  if (!std::equal(a.begin(), a.begin() + static_cast<ptrdiff_t>(whole), b.begin()))
    return false;
  const int rest = n % 8;
  if (rest == 0) return true;
  const auto mask = static_cast<uint8_t>(0xff << (8 - rest));
  return (a[whole] & mask) == (b[whole] & mask);
}

struct Split {
  std::string_view host{}, port{};
  bool bracketed = false;
};

Result<Split> split_port(std::string_view text) {
  Split s;
  if (text.starts_with('[')) {
    const auto close = text.find(']');
    if (close == text.npos || close + 1 >= text.size() || text[close + 1] != ':')
      return fail(EINVAL, "expected [address]:port");
    s = {text.substr(1, close - 1), text.substr(close + 2), true};
  } else {
    const auto colon = text.find(':');
    if (colon == text.npos) return fail(EINVAL, "expected host:port");
    if (text.find(':', colon + 1) != text.npos)
      return fail(EINVAL, "an IPv6 address needs brackets: [address]:port");
    s = {text.substr(0, colon), text.substr(colon + 1), false};
  }
  if (s.host.empty()) return fail(EINVAL, "the host is empty");
  return s;
}

Result<uint16_t> parse_port(std::string_view text) {
  auto n = parse_number(text, 65535);
  if (!n || *n == 0) return fail(ERANGE, "the port must be 1-65535");
  return static_cast<uint16_t>(*n);
}

// "a.b.c.d" in decimal without leading zeros: what inet_pton() takes, at a fraction of
// its cost.
bool parse_v4(std::string_view text, uint8_t* out) {
  const char *p = text.data(), *end = p + text.size();
  for (int i = 0; i < 4; ++i) {
    if (i > 0) {
      if (p == end || *p != '.') return false;
      ++p;
    }
    unsigned n = 0;
    const char* first = p;
    for (; p != end && *p >= '0' && *p <= '9' && p - first < 3; ++p)
      n = n * 10 + static_cast<unsigned>(*p - '0');
    if (p == first || n > 255 || (*first == '0' && p - first > 1)) return false;
    out[i] = static_cast<uint8_t>(n);
  }
  return p == end;
}

std::string v4_text(const uint8_t* bytes) {
  char z[INET_ADDRSTRLEN];
  char* p = z;
  for (int i = 0; i < 4; ++i) {
    if (i > 0) *p++ = '.';
    p = std::to_chars(p, z + sizeof z, bytes[i]).ptr;
  }
  return {z, p};
}

uint64_t fnv(std::span<const uint8_t> bytes, uint64_t h) {
  for (uint8_t b : bytes) h = (h ^ b) * 0x100000001b3;
  return h;
}

}  // namespace

Result<uint64_t> parse_number(std::string_view text, uint64_t max) {
  uint64_t n = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (ec == std::errc::result_out_of_range || (ec == std::errc{} && n > max))
    return fail(ERANGE, "larger than " + std::to_string(max));
  if (ec != std::errc{} || end != text.data() + text.size())
    return fail(EINVAL, "not a decimal number");
  return n;
}

Result<Address> Address::parse(std::string_view text) {
  Address a;
  if (parse_v4(text, a.bytes_.data())) return a;
  a = {};
  char z[INET6_ADDRSTRLEN + 1];
  if (text.empty() || text.size() >= sizeof z || text.find('\0') != text.npos)
    return fail(EINVAL, "not an IP address");
  *std::copy(text.begin(), text.end(), z) = '\0';
  a.family_ = Family::v6;
  if (::inet_pton(AF_INET6, z, a.bytes_.data()) == 1) return a;
  return fail(EINVAL, "not an IP address");
}

Result<Address> Address::from_bytes(std::span<const uint8_t> bytes) {
  if (bytes.size() != 4 && bytes.size() != 16)
    return fail(EINVAL,
                "an address has 4 or 16 bytes, not " + std::to_string(bytes.size()));
  Address a;
  a.family_ = bytes.size() == 4 ? Family::v4 : Family::v6;
  std::copy(bytes.begin(), bytes.end(), a.bytes_.begin());
  return a;
}

Address Address::v4(uint32_t host_order) {
  Address a;
  for (size_t i = 0; i < 4; ++i)
    a.bytes_[i] = static_cast<uint8_t>(host_order >> (24 - 8 * i));
  return a;
}

std::string Address::text() const {
  if (is_v4()) return v4_text(bytes_.data());
  char z[INET6_ADDRSTRLEN];
  return ::inet_ntop(static_cast<int>(family_), bytes_.data(), z, sizeof z);
}

bool Address::is_unspecified() const {
  return std::ranges::all_of(bytes(), [](uint8_t b) { return b == 0; });
}

bool Address::is_loopback() const {
  if (is_v4()) return bytes_[0] == 127;
  return bytes_[15] == 1 &&
         std::all_of(bytes_.begin(), bytes_.end() - 1, [](uint8_t b) { return b == 0; });
}

bool Address::is_link_local() const {
  if (is_v4()) return bytes_[0] == 169 && bytes_[1] == 254;
  return bytes_[0] == 0xfe && (bytes_[1] & 0xc0) == 0x80;
}

bool Address::is_multicast() const {
  return is_v4() ? (bytes_[0] & 0xf0) == 0xe0 : bytes_[0] == 0xff;
}

Result<Prefix> Prefix::make(const Address& a, int bits) {
  if (bits < 0 || bits > a.bits())
    return fail(ERANGE, "the prefix length must be 0-" + std::to_string(a.bits()));
  Prefix p;
  p.address_ = a;
  p.bits_ = static_cast<uint8_t>(bits);
  if (bits == a.bits()) return p;
  std::array<uint8_t, 16> masked{};
  const auto bytes = a.bytes();
  for (size_t i = 0; i < bytes.size(); ++i) {
    const int keep = std::clamp(bits - static_cast<int>(i) * 8, 0, 8);
    masked[i] = static_cast<uint8_t>(bytes[i] & (0xff << (8 - keep)));
  }
  p.address_ = *Address::from_bytes({masked.data(), bytes.size()});
  return p;
}

Prefix Prefix::host(const Address& a) {
  Prefix p;
  p.address_ = a;
  p.bits_ = static_cast<uint8_t>(a.bits());
  return p;
}

Result<Prefix> Prefix::parse(std::string_view text) {
  const auto i = TRY(InterfaceAddress::parse(text));
  return make(i.address, i.bits);
}

bool Prefix::contains(const Address& a) const {
  return a.family() == family() && same_head(address_.bytes(), a.bytes(), bits_);
}

bool Prefix::contains(const Prefix& p) const {
  return p.bits_ >= bits_ && contains(p.address_);
}

std::string Prefix::text() const { return address_.text() + "/" + std::to_string(bits_); }

Result<InterfaceAddress> InterfaceAddress::parse(std::string_view text) {
  const auto slash = text.find('/');
  const auto address = TRY(Address::parse(text.substr(0, slash)));
  if (slash == text.npos)
    return InterfaceAddress{address, static_cast<uint8_t>(address.bits())};
  auto bits = parse_number(text.substr(slash + 1), static_cast<uint64_t>(address.bits()));
  if (!bits)
    return fail(bits.error().code,
                "the prefix length must be 0-" + std::to_string(address.bits()));
  return InterfaceAddress{address, static_cast<uint8_t>(*bits)};
}

Prefix InterfaceAddress::network() const { return *Prefix::make(address, bits); }

std::string InterfaceAddress::text() const {
  return address.text() + "/" + std::to_string(bits);
}

Result<Endpoint> Endpoint::parse(std::string_view text) {
  const auto s = TRY(split_port(text));
  const auto address = TRY(Address::parse(s.host));
  if (address.is_v4() == s.bracketed)
    return fail(EINVAL, "brackets are for IPv6 addresses only");
  return Endpoint{address, TRY(parse_port(s.port))};
}

std::string Endpoint::text() const {
  std::string host = address.text();
  if (scope != 0) host += "%" + std::to_string(scope);
  return HostPort{std::move(host), port}.text();
}

Result<HostPort> HostPort::parse(std::string_view text) {
  const auto s = TRY(split_port(text));
  return HostPort{std::string(s.host), TRY(parse_port(s.port))};
}

std::string HostPort::text() const {
  const bool v6 = host.find(':') != host.npos;
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

socklen_t to_sockaddr(const Endpoint& e, sockaddr_storage& storage) {
  storage = {};
  if (e.address.is_v4()) {
    auto& in = reinterpret_cast<sockaddr_in&>(storage);
    in.sin_family = AF_INET;
    in.sin_port = htons(e.port);
    std::ranges::copy(e.address.bytes(), reinterpret_cast<uint8_t*>(&in.sin_addr));
    return sizeof in;
  }
  auto& in6 = reinterpret_cast<sockaddr_in6&>(storage);
  in6.sin6_family = AF_INET6;
  in6.sin6_port = htons(e.port);
  in6.sin6_scope_id = e.scope;
  std::ranges::copy(e.address.bytes(), in6.sin6_addr.s6_addr);
  return sizeof in6;
}

Result<Endpoint> from_sockaddr(const sockaddr* sa, socklen_t length) {
  if (length < sizeof(sa_family_t)) return fail(EINVAL, "short socket address");
  if (sa->sa_family == AF_INET && length >= sizeof(sockaddr_in)) {
    sockaddr_in in;
    std::memcpy(&in, sa, sizeof in);
    return Endpoint{Address::v4(ntohl(in.sin_addr.s_addr)), ntohs(in.sin_port)};
  }
  if (sa->sa_family == AF_INET6 && length >= sizeof(sockaddr_in6)) {
    sockaddr_in6 in6;
    std::memcpy(&in6, sa, sizeof in6);
    Endpoint e{*Address::from_bytes(in6.sin6_addr.s6_addr), ntohs(in6.sin6_port)};
    if (e.address.needs_scope()) e.scope = in6.sin6_scope_id;
    return e;
  }
  if (sa->sa_family == AF_INET || sa->sa_family == AF_INET6)
    return fail(EINVAL, "short socket address");
  return fail(EAFNOSUPPORT, "neither IPv4 nor IPv6");
}

}  // namespace wigeon

size_t std::hash<wigeon::Address>::operator()(const wigeon::Address& a) const noexcept {
  return wigeon::fnv(a.bytes(), 0xcbf29ce484222325 ^ static_cast<uint8_t>(a.family()));
}

size_t std::hash<wigeon::Prefix>::operator()(const wigeon::Prefix& p) const noexcept {
  return wigeon::fnv(p.address().bytes(),
                     0xcbf29ce484222325 ^ static_cast<uint64_t>(p.bits()));
}
