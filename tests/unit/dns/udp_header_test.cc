// SPDX-License-Identifier: GPL-2.0-or-later
#include "dns/udp_header.hh"

#include <catch2/catch.hpp>
#include <random>

using namespace wigeon;
using namespace wigeon::dns;

namespace {

// RFC 1071 by the book: 16 bits at a time in network order, the carry added at once.
uint16_t ones_complement_sum(const std::vector<uint8_t>& bytes) {
  uint32_t sum = 0;
  for (size_t i = 0; i < bytes.size(); i += 2) {
    sum += static_cast<uint32_t>(bytes[i] << 8);
    if (i + 1 < bytes.size()) sum += bytes[i + 1];
    if (sum > 0xffff) sum -= 0xffff;
  }
  return static_cast<uint16_t>(sum);
}

// What a receiver checks: pseudo header, header and payload add up to all ones.
std::vector<uint8_t> checked(const Endpoint& from, const Endpoint& to,
                             const UdpHeader& header, Bytes payload) {
  std::vector<uint8_t> all;
  const auto add = [&](Bytes b) { all.insert(all.end(), b.begin(), b.end()); };
  add(from.address.bytes());
  add(to.address.bytes());
  const size_t length = 8 + payload.size();
  const auto high = static_cast<uint8_t>(length >> 8), low = static_cast<uint8_t>(length);
  if (from.address.is_v4())
    add(std::vector<uint8_t>{0, 17, high, low});
  else
    add(std::vector<uint8_t>{0, 0, high, low, 0, 0, 0, 17});
  add(header);
  add(payload);
  return all;
}

Endpoint at(const char* text) { return *Endpoint::parse(text); }

}  // namespace

TEST_CASE("a UDP header is what the kernel puts before the same payload") {
  // Read from a TUN device, Linux 6.18.
  const std::vector<uint8_t> hello{'h', 'e', 'l', 'l', 'o'};
  CHECK(udp_header(at("192.0.2.1:53"), at("192.0.2.2:40000"), hello) ==
        UdpHeader{0x00, 0x35, 0x9c, 0x40, 0x00, 0x0d, 0x9b, 0x88});
  CHECK(udp_header(at("[fd00::1]:53"), at("[fd00::2]:40000"), hello) ==
        UdpHeader{0x00, 0x35, 0x9c, 0x40, 0x00, 0x0d, 0x25, 0x88});
}

TEST_CASE("the checksum of a UDP header is the one that receivers compute") {
  std::mt19937 random(7);
  const auto byte = [&] { return static_cast<uint8_t>(random()); };
  for (size_t size = 0; size < 1300; ++size) {
    std::vector<uint8_t> payload(size);
    for (auto& b : payload) b = byte();
    for (const size_t bytes : {size_t{4}, size_t{16}}) {
      std::vector<uint8_t> a(bytes), b(bytes);
      for (auto& x : a) x = byte();
      for (auto& x : b) x = byte();
      const Endpoint from{*Address::from_bytes(a), static_cast<uint16_t>(random())};
      const Endpoint to{*Address::from_bytes(b), static_cast<uint16_t>(random())};
      const auto header = udp_header(from, to, payload);
      REQUIRE(ones_complement_sum(checked(from, to, header, payload)) == 0xffff);
      REQUIRE((header[0] << 8 | header[1]) == from.port);
    }
  }
}

TEST_CASE("a checksum of 0 is sent as all ones, since 0 means none") {
  // Two bytes of payload that bring the sum to all ones.
  const auto from = at("192.0.2.1:53"), to = at("192.0.2.2:40000");
  const auto without = udp_header(from, to, std::vector<uint8_t>{0, 0});
  const std::vector<uint8_t> payload{without[6], without[7]};
  const auto header = udp_header(from, to, payload);
  CHECK(header[6] == 0xff);
  CHECK(header[7] == 0xff);
  CHECK(ones_complement_sum(checked(from, to, header, payload)) == 0xffff);
}

TEST_CASE("the largest datagram has a header too") {
  const std::vector<uint8_t> payload(kMaxUdpPayload, 0xff);
  const auto from = at("[fd00::1]:53"), to = at("[fd00::2]:65535");
  const auto header = udp_header(from, to, payload);
  CHECK(header[4] == 0xff);
  CHECK(header[5] == 0xff);
  CHECK(ones_complement_sum(checked(from, to, header, payload)) == 0xffff);
}
