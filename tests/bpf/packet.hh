// SPDX-License-Identifier: GPL-2.0-or-later
// Packets as an L3 device carries them: IPv4{.dst = …} / Udp{.dst = 53} / "payload".
// Lengths and checksums follow what is appended; what a test wants wrong it overwrites.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "agent/base/ip.hh"

namespace wigeon::test {

inline Address ip(std::string_view text) { return Address::parse(text).value(); }

struct IPv4 {
  Address src = ip("100.64.0.2");
  Address dst = ip("100.64.0.1");
  uint8_t ttl = 64;
};

struct IPv6 {
  Address src = ip("fd00::2");
  Address dst = ip("fd00::1");
  uint8_t hop_limit = 64;
};

struct Udp {
  uint16_t src = 40000;
  uint16_t dst = 53;
};

class Packet {
 public:
  Packet(const IPv4& h) {  // implicit: a header alone is a packet
    bytes_ = {0x45, 0, 0, 0, 0, 0, 0, 0, h.ttl, 253, 0, 0};
    append(h.src.bytes());
    append(h.dst.bytes());
    complete();
  }
  Packet(const IPv6& h) {
    bytes_ = {0x60, 0, 0, 0, 0, 0, 253, h.hop_limit};
    append(h.src.bytes());
    append(h.dst.bytes());
    complete();
  }

  [[nodiscard]] const std::vector<uint8_t>& bytes() const { return bytes_; }

  friend Packet operator/(Packet p, const Udp& h) {
    p.bytes_[p.is_v4() ? 9 : 6] = IPPROTO_UDP;
    p.udp_ = p.bytes_.size();
    p.bytes_.resize(p.udp_ + 8);
    p.put16(p.udp_, h.src);
    p.put16(p.udp_ + 2, h.dst);
    p.complete();
    return p;
  }
  friend Packet operator/(Packet p, std::string_view payload) {
    p.bytes_.insert(p.bytes_.end(), payload.begin(), payload.end());
    p.complete();
    return p;
  }

 private:
  [[nodiscard]] bool is_v4() const { return bytes_[0] >> 4 == 4; }
  [[nodiscard]] size_t header() const { return is_v4() ? 20 : 40; }
  void append(std::span<const uint8_t> more) {
    bytes_.insert(bytes_.end(), more.begin(), more.end());
  }
  void put16(size_t at, size_t value) {
    bytes_[at] = static_cast<uint8_t>(value >> 8);
    bytes_[at + 1] = static_cast<uint8_t>(value);
  }
  // One's complement sum over [from, to), the last odd byte padded with zero.
  [[nodiscard]] uint32_t sum(size_t from, size_t to) const {
    uint32_t total = 0;
    for (size_t i = from; i < to; ++i) total += bytes_[i] * ((i - from) % 2 ? 1u : 256u);
    return total;
  }
  static uint16_t fold(uint32_t total) {
    while (total >> 16) total = (total & 0xffff) + (total >> 16);
    return static_cast<uint16_t>(~total);
  }
  void complete() {
    if (is_v4()) {
      put16(2, bytes_.size());
      put16(10, 0);
      put16(10, fold(sum(0, 20)));
    } else {
      put16(4, bytes_.size() - 40);
    }
    if (udp_ == 0) return;
    const size_t length = bytes_.size() - udp_;
    put16(udp_ + 4, length);
    put16(udp_ + 6, 0);
    const size_t addresses = is_v4() ? 12 : 8;
    const uint16_t check = fold(sum(addresses, header()) + IPPROTO_UDP +
                                static_cast<uint32_t>(length) + sum(udp_, bytes_.size()));
    put16(udp_ + 6, check ? check : 0xffff);
  }

  std::vector<uint8_t> bytes_{};
  size_t udp_ = 0;
};

// Seen also where the left side is still a header.
Packet operator/(Packet p, const Udp& h);
Packet operator/(Packet p, std::string_view payload);

}  // namespace wigeon::test
