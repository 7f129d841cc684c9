// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/bpf/frame.hh"

#include <net/ethernet.h>

#include <algorithm>

namespace wigeon::test {
namespace {

void put_address(Bytes& bytes, size_t at, const Address& a) {
  std::ranges::copy(a.bytes(), bytes.begin() + static_cast<ptrdiff_t>(at));
}

uint16_t fold(uint64_t sum) {
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(sum);
}

size_t header_of(uint8_t protocol) {
  return protocol == IPPROTO_UDP ? 8 : protocol == IPPROTO_TCP ? 20 : 0;
}

void put_extension(Bytes& bytes, size_t at, const Extension& e, uint8_t next) {
  bytes[at] = next;
  if (e.type == IPPROTO_FRAGMENT) {
    put16(bytes, at + 2, static_cast<size_t>(e.fragment_offset << 3 | e.more_fragments));
    put16(bytes, at + 6, 0x1234);
    return;
  }
  bytes[at + 1] = e.more;
  if (e.type == IPPROTO_ROUTING) {
    bytes[at + 2] = 4;
    bytes[at + 3] = e.segments_left;
    return;
  }
  // An experiment's option, which who does not know it skips: padding may not be so long.
  // One option cannot be longer than 257 bytes.
  size_t left = 6 + e.more * size_t{8};
  for (size_t option = at + 2; left > 1;) {
    const size_t length = std::min<size_t>(left, 257);
    const size_t this_one = left - length == 1 ? length - 1 : length;
    bytes[option] = 0x1e;
    bytes[option + 1] = static_cast<uint8_t>(this_one - 2);
    option += this_one;
    left -= this_one;
  }
}

size_t length_of(const Extension& e) {
  return e.type == IPPROTO_FRAGMENT ? 8 : 8 + e.more * size_t{8};
}

void put_v4(Bytes& bytes, const Frame& f) {
  const size_t at = kEthernet, header = 20 + f.option_words * size_t{4};
  put16(bytes, 12, ETHERTYPE_IP);
  bytes[at] = static_cast<uint8_t>(0x40 | header / 4);
  put16(bytes, at + 2, bytes.size() - at);
  put16(bytes, at + 4, 0x1234);
  put16(bytes, at + 6, static_cast<size_t>(f.more_fragments << 13 | f.fragment_offset));
  bytes[at + 8] = 64;
  bytes[at + 9] = f.protocol;
  put_address(bytes, at + 12, f.src);
  put_address(bytes, at + 16, f.dst);
  for (size_t i = 20; i < header; ++i) bytes[at + i] = 1;  // no operation
  const uint16_t sum = fold(words(std::span(bytes).subspan(at, header)));
  put16(bytes, at + 10, static_cast<uint16_t>(~sum));
}

void put_v6(Bytes& bytes, const Frame& f) {
  size_t at = kEthernet;
  put16(bytes, 12, ETHERTYPE_IPV6);
  bytes[at] = 0x60;
  put16(bytes, at + 4, bytes.size() - at - 40);
  bytes[at + 6] = f.extensions.empty() ? f.protocol : f.extensions[0].type;
  bytes[at + 7] = 64;
  put_address(bytes, at + 8, f.src);
  put_address(bytes, at + 24, f.dst);
  at += 40;
  for (size_t i = 0; i < f.extensions.size(); ++i) {
    const bool last = i + 1 == f.extensions.size();
    put_extension(bytes, at, f.extensions[i],
                  last ? f.protocol : f.extensions[i + 1].type);
    at += length_of(f.extensions[i]);
  }
}

void put_segment(Bytes& bytes, const Frame& f) {
  const size_t at = f.segment_at();
  put16(bytes, at, f.src_port);
  put16(bytes, at + 2, f.dst_port);
  size_t check = at + 6;
  if (f.protocol == IPPROTO_UDP) {
    put16(bytes, at + 4, bytes.size() - at);
  } else {
    check = at + 16;
    put16(bytes, at + 6, 0x4242);
    bytes[at + 12] = 5 << 4;
    bytes[at + 13] = f.tcp_flags;
    put16(bytes, at + 14, 0xfaf0);
  }
  if (f.check == Check::zero) return;
  uint16_t sum = static_cast<uint16_t>(
      ~segment_sum(std::span(bytes).subspan(at), f.protocol, f.src, f.dst));
  if (f.check == Check::wrong) sum = fold(uint64_t{sum} + 0x0101);
  if (f.protocol == IPPROTO_UDP && sum == 0) sum = 0xffff;
  put16(bytes, check, sum);
}

}  // namespace

void put16(Bytes& bytes, size_t at, size_t value) {
  bytes.at(at) = static_cast<uint8_t>(value >> 8);
  bytes.at(at + 1) = static_cast<uint8_t>(value);
}

uint64_t words(std::span<const uint8_t> bytes) {
  uint64_t sum = 0;
  for (size_t i = 0; i < bytes.size(); ++i)
    sum += i % 2 ? bytes[i] : uint64_t{bytes[i]} << 8;
  return sum;
}

uint16_t segment_sum(std::span<const uint8_t> segment, uint8_t protocol,
                     const Address& src, const Address& dst) {
  return fold(words(segment) + words(src.bytes()) + words(dst.bytes()) + protocol +
              segment.size());
}

size_t Frame::segment_at() const {
  if (src.is_v4()) return kEthernet + 20 + option_words * size_t{4};
  size_t at = kEthernet + 40;
  for (const Extension& e : extensions) at += length_of(e);
  return at;
}

Bytes Frame::bytes() const {
  Bytes bytes(segment_at() + header_of(protocol) + payload.size());
  std::ranges::copy(payload, bytes.end() - static_cast<ptrdiff_t>(payload.size()));
  if (src.is_v4())
    put_v4(bytes, *this);
  else
    put_v6(bytes, *this);
  if (header_of(protocol)) put_segment(bytes, *this);
  return bytes;
}

}  // namespace wigeon::test
