// SPDX-License-Identifier: GPL-2.0-or-later
// Frames by chance, most of them about DNS on our addresses, and damage to them.
#pragma once

#include "tests/bpf/frame.hh"

namespace wigeon::test {

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t next() {  // splitmix64
    uint64_t z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
  }
  size_t below(size_t n) { return next() % n; }
  bool percent(unsigned p) { return below(100) < p; }
  template <class T, size_t N>
  const T& of(const T (&some)[N]) {
    return some[below(N)];
  }

 private:
  uint64_t state_;
};

// Ours with listeners, ours without, others.
inline const Address kV4[] = {ip("100.64.0.1"), ip("100.64.0.1"), ip("100.64.0.1"),
                              ip("100.64.0.2"), ip("127.0.0.1"),  ip("192.0.2.7")};
inline const Address kV6[] = {ip("fd00::1"), ip("fd00::1"), ip("fd00::1"),
                              ip("fd00::2"), ip("::1"),     ip("2001:db8::7")};

inline constexpr uint16_t kRealPorts[] = {5053, 5054};
// A test run has a page, less head and tail room.
inline constexpr size_t kLongestFrame = 3'000;

// Its payload is a part of `noise`, of at least kLongestFrame bytes.
Frame made(Random& r, std::span<const uint8_t> noise);
// Once; leaves at least an Ethernet header.
void damage(Random& r, Bytes& frame);

}  // namespace wigeon::test
