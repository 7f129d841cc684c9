// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/bpf/redirect_model.hh"

#include <net/ethernet.h>

#include <algorithm>
#include <variant>

namespace wigeon::test {

struct RedirectModel::Segment {
  Address src{}, dst{};
  uint16_t src_port = 0, dst_port = 0;
  uint8_t protocol = 0;
  bool syn = false;
  size_t at = 0;

  [[nodiscard]] bool udp() const { return protocol == IPPROTO_UDP; }
};

namespace {

using Reason = std::optional<dns_redirect_reason>;

unsigned get16(std::span<const uint8_t> bytes, size_t at) {
  return static_cast<unsigned>(bytes[at] << 8 | bytes[at + 1]);
}

bool has_ports(unsigned protocol) {
  return protocol == IPPROTO_UDP || protocol == IPPROTO_TCP;
}
bool is_extension(unsigned protocol) {
  return protocol == IPPROTO_HOPOPTS || protocol == IPPROTO_ROUTING ||
         protocol == IPPROTO_DSTOPTS || protocol == IPPROTO_FRAGMENT;
}

Address address(std::span<const uint8_t> bytes, size_t at, size_t size) {
  return Address::from_bytes(bytes.subspan(at, size)).value();
}

// Where the ports are: offset, how much of the packet is left there, protocol. Or the
// reason why there are none.
struct Found {
  size_t at = 0, left = 0;
  unsigned protocol = 0;
};
using Search = std::variant<Found, Reason>;

constexpr Reason kOther{};
constexpr Reason kMalformed{DNS_MALFORMED};

Search find_v4(std::span<const uint8_t> ip) {
  if (ip.size() < 20) return kMalformed;
  const size_t header = (ip[0] & 15) * size_t{4};
  const size_t total = get16(ip, 2);
  if (ip[0] >> 4 != 4 || header < 20 || total < header || total > ip.size())
    return kMalformed;
  if (!has_ports(ip[9]) || get16(ip, 6) & 0x1fff) return kOther;
  return Found{header, total - header, ip[9]};
}

Search find_v6(std::span<const uint8_t> ip) {
  if (ip.size() < 40) return kMalformed;
  const size_t total = 40 + get16(ip, 4);
  if (ip[0] >> 4 != 6 || total > ip.size()) return kMalformed;
  size_t at = 40;
  unsigned next = ip[6];
  for (int followed = 0; is_extension(next); ++followed) {
    if (followed == DNS_EXTENSIONS_MOST) return Reason{DNS_TOO_DEEP};
    if (ip.size() < at + 8) return kMalformed;
    if (next == IPPROTO_FRAGMENT && get16(ip, at + 2) >> 3) return kOther;
    if (next == IPPROTO_ROUTING && ip[at + 3]) return kOther;
    const size_t length = next == IPPROTO_FRAGMENT ? 8 : (1 + ip[at + 1]) * size_t{8};
    next = ip[at];
    at += length;
    if (ip.size() < at) return kMalformed;
  }
  if (!has_ports(next)) return kOther;
  if (at > total) return kMalformed;
  return Found{at, total - at, next};
}

// The checksum that is right for `to` when it was for `from`, and as wrong otherwise.
unsigned moved(unsigned check, unsigned from, unsigned to) {
  const unsigned sum = (0xffff - check) + (0xffff - from) + to;
  const unsigned folded = sum == 0 ? 0 : (sum - 1) % 0xffff + 1;
  return 0xffff - folded;
}

void rewrite(Bytes& frame, size_t port_at, size_t check_at, unsigned to, bool udp) {
  const unsigned from = get16(frame, port_at), check = get16(frame, check_at);
  put16(frame, port_at, to);
  if (udp && check == 0) return;
  const unsigned now = moved(check, from, to);
  put16(frame, check_at, udp && now == 0 ? 0xffff : now);
}

bool in(const std::vector<Address>& some, const Address& a) {
  return std::ranges::find(some, a) != some.end();
}

}  // namespace

Reason RedirectModel::judge(Bytes& frame) {
  if (frame.size() < kEthernet) return kMalformed;
  const unsigned type = get16(frame, 12);
  if (type != ETHERTYPE_IP && type != ETHERTYPE_IPV6) return kOther;
  const bool v4 = type == ETHERTYPE_IP;
  const std::span<const uint8_t> ip = std::span(frame).subspan(kEthernet);
  const Search search = v4 ? find_v4(ip) : find_v6(ip);
  if (const Reason* none = std::get_if<Reason>(&search)) return *none;
  const Found& found = std::get<Found>(search);
  const size_t header = found.protocol == IPPROTO_UDP ? 8 : 20;
  if (found.left < header) return kMalformed;

  const std::span<const uint8_t> segment = ip.subspan(found.at);
  Segment s{.src = v4 ? address(ip, 12, 4) : address(ip, 8, 16),
            .dst = v4 ? address(ip, 16, 4) : address(ip, 24, 16),
            .src_port = static_cast<uint16_t>(get16(segment, 0)),
            .dst_port = static_cast<uint16_t>(get16(segment, 2)),
            .protocol = static_cast<uint8_t>(found.protocol),
            .at = kEthernet + found.at};
  if (!s.udp()) s.syn = (segment[13] & TH_SYN) && !(segment[13] & TH_ACK);
  return judge(frame, s);
}

Reason RedirectModel::judge(Bytes& frame, const Segment& s) {
  const size_t check_at = s.at + (s.udp() ? 6 : 16);
  if (s.src_port == rules_.port && in(rules_.own, s.src)) {
    if (!flows_.contains({s.protocol, s.dst, s.dst_port, s.src}))
      return DNS_ANSWERED_DIRECTLY;
    rewrite(frame, s.at, check_at, DNS_PORT, s.udp());
    return s.udp() ? DNS_ANSWERED_UDP : DNS_ANSWERED_TCP;
  }
  if (s.dst_port == DNS_PORT) {
    if (!in(rules_.own, s.dst)) return DNS_NOT_OURS;
    const Reason reason = query(s);
    if (reason == DNS_REDIRECTED_UDP || reason == DNS_REDIRECTED_TCP)
      rewrite(frame, s.at + 2, check_at, rules_.port, s.udp());
    return reason;
  }
  if (s.dst_port == rules_.port && in(rules_.own, s.dst)) {
    flows_.erase({s.protocol, s.src, s.src_port, s.dst});
    return DNS_ASKED_DIRECTLY;
  }
  return kOther;
}

Reason RedirectModel::query(const Segment& s) {
  const Flow flow{s.protocol, s.src, s.src_port, s.dst};
  const bool listening = in(rules_.listening, s.dst);
  if (s.udp()) {
    if (rules_.draining) return DNS_DRAINING;
    if (!listening) return DNS_NO_LISTENER;
    flows_.insert(flow);
    return DNS_REDIRECTED_UDP;
  }
  if (s.syn) {
    if (!rules_.draining && listening) {
      flows_.insert(flow);
      return DNS_REDIRECTED_TCP;
    }
    flows_.erase(flow);
    return rules_.draining ? DNS_DRAINING : DNS_NO_LISTENER;
  }
  if (!flows_.contains(flow)) return DNS_OTHER_CONNECTION;
  return listening ? DNS_REDIRECTED_TCP : DNS_NO_LISTENER;
}

}  // namespace wigeon::test
