// SPDX-License-Identifier: GPL-2.0-or-later
// Ethernet frames with UDP or TCP in them, as lo carries them: any IPv4 options, IPv6
// extension headers, fragments, and checksums right or not.
#pragma once

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <cstdint>
#include <span>
#include <vector>

#include "tests/bpf/packet.hh"

namespace wigeon::test {

using Bytes = std::vector<uint8_t>;

// Sum of 16-bit words in network order (RFC 1071), not folded; an odd byte at the end is
// the high half.
uint64_t words(std::span<const uint8_t> bytes);
// The folded one's complement sum of a UDP or TCP segment and its pseudo header; 0xffff
// when the checksum in it is right.
uint16_t segment_sum(std::span<const uint8_t> segment, uint8_t protocol,
                     const Address& src, const Address& dst);

// An IPv6 extension header of 8 + 8 * more bytes, filled with options to be skipped.
struct Extension {
  uint8_t type = IPPROTO_DSTOPTS;
  uint8_t more = 0;
  uint8_t segments_left = 0;     // of a routing header
  uint16_t fragment_offset = 0;  // of a fragment header, in units of 8 bytes
  bool more_fragments = false;
};

enum class Check : uint8_t { right, zero, wrong };

struct Frame {
  Address src = ip("100.64.0.1");
  Address dst = ip("100.64.0.1");
  uint8_t protocol = IPPROTO_UDP;
  uint16_t src_port = 40000;
  uint16_t dst_port = 53;
  uint8_t tcp_flags = TH_SYN;
  uint8_t option_words = 0;             // IPv4: 0 to 10
  uint16_t fragment_offset = 0;         // IPv4
  bool more_fragments = false;          // IPv4
  std::vector<Extension> extensions{};  // IPv6
  std::span<const uint8_t> payload{};
  Check check = Check::right;

  // Offset of the UDP or TCP header.
  [[nodiscard]] size_t segment_at() const;
  [[nodiscard]] Bytes bytes() const;
};

inline constexpr size_t kEthernet = 14;

void put16(Bytes& bytes, size_t at, size_t value);

}  // namespace wigeon::test
