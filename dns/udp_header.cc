// SPDX-License-Identifier: GPL-2.0-or-later
#include "dns/udp_header.hh"

#include <arpa/inet.h>

#include <cstring>

namespace wigeon::dns {
namespace {

// RFC 1071: adds 32 bits at a time in memory order, which the byte order does not change.
// All parts but the last must have an even size.
class InternetChecksum {
 public:
  void add(Bytes bytes) {
    uint32_t word = 0;
    for (; bytes.size() >= sizeof word; bytes = bytes.subspan(sizeof word)) {
      std::memcpy(&word, bytes.data(), sizeof word);
      sum_ += word;
    }
    if (bytes.empty()) return;
    word = 0;
    std::memcpy(&word, bytes.data(), bytes.size());
    sum_ += word;
  }
  // As it stands in a header, in host order.
  [[nodiscard]] uint16_t value() const {
    uint64_t s = sum_;
    while (s >> 16) s = (s & 0xffff) + (s >> 16);
    return ntohs(static_cast<uint16_t>(~s));
  }

 private:
  uint64_t sum_ = 0;
};

std::array<uint8_t, 2> bytes_of(uint16_t v) {
  return {static_cast<uint8_t>(v >> 8), static_cast<uint8_t>(v)};
}

}  // namespace

UdpHeader udp_header(const Endpoint& from, const Endpoint& to, Bytes payload) {
  UdpHeader header{};
  const auto put = [&](size_t at, uint16_t v) {
    std::memcpy(&header[at], bytes_of(v).data(), 2);
  };
  put(0, from.port);
  put(2, to.port);
  const auto length = static_cast<uint16_t>(header.size() + payload.size());
  put(4, length);
  // The pseudo header's fields (RFC 768, RFC 8200 §8.1); their order does not matter.
  InternetChecksum sum;
  sum.add(from.address.bytes());
  sum.add(to.address.bytes());
  sum.add(bytes_of(IPPROTO_UDP));
  sum.add(bytes_of(length));
  sum.add(header);
  sum.add(payload);
  const uint16_t checksum = sum.value();
  put(6, checksum != 0 ? checksum : 0xffff);
  return header;
}

}  // namespace wigeon::dns
