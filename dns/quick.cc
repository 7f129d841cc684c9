// SPDX-License-Identifier: GPL-2.0-or-later
#include "dns/quick.hh"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "dns/big_endian.hh"

namespace wigeon::dns {
namespace {

static_assert(std::endian::native == std::endian::little);

constexpr size_t kPointer = 2, kFixed = 10;  // type, class, TTL, length
constexpr size_t kNameAt = kHeaderSize;

struct Parsed {
  size_t name_size = 0;
  uint16_t type = 0;
  uint16_t payload = kMinUdpPayload;
  bool edns = false, dnssec_ok = false;
};

bool parse(Bytes q, Parsed& p) {
  if (q.size() < kHeaderSize + 5 || q[2] & (flag::kQr | flag::kOpcode) >> 8) return false;
  constexpr uint8_t kCounts[] = {0, 1, 0, 0, 0, 0, 0};
  if (std::memcmp(q.data() + 4, kCounts, sizeof kCounts) != 0 || q[11] > 1) return false;
  size_t at = kNameAt;
  for (size_t labels = 0; q[at] != 0; ++labels) {
    // Writer would write the end of a longer name out.
    if (q[at] > kMaxLabel || labels == Writer::kSuffixes) return false;
    at += 1u + q[at];
    if (at + 5 > q.size()) return false;
  }
  p.name_size = at + 1 - kNameAt;
  if (p.name_size > kMaxName) return false;
  p.type = load16(q.data() + at + 1);
  if (load16(q.data() + at + 3) != klass::kIn) return false;
  at += 5;
  if (q[11] == 0) return at == q.size();
  // OPT: root, type, payload, extended rcode, version, DO and zeros, length, options.
  if (at + kOptSize > q.size() || q[at] != 0 || load16(q.data() + at + 1) != type::kOpt ||
      q[at + 6] != 0 || at + kOptSize + load16(q.data() + at + 9) != q.size())
    return false;
  p.edns = true;
  p.payload = std::clamp(load16(q.data() + at + 3), kMinUdpPayload, kUdpPayload);
  p.dnssec_ok = q[at + 7] & 0x80;
  return true;
}

// The name in lower case. Length bytes are below 'A'.
void lower_name(const uint8_t* in, uint8_t* out, size_t size) {
  constexpr uint64_t kEach = 0x0101010101010101;
  for (size_t i = 0; i < size; i += 8) {
    uint64_t w = 0;
    if (size - i >= 8)
      std::memcpy(&w, in + i, 8);
    else
      for (size_t k = 0; k < size - i; ++k) w |= uint64_t{in[i + k]} << (8 * k);
    const uint64_t low = w & (kEach * 0x7f);
    const uint64_t from_a = low + kEach * (0x80 - 'A');
    const uint64_t behind_z = low + kEach * (0x7f - 'Z');
    const uint64_t is_upper = from_a & ~behind_z & ~w & (kEach * 0x80);
    w |= is_upper >> 2;
    std::memcpy(out + i, &w, 8);
  }
}

// Beyond the question: what a reply consists of.
class Tail {
 public:
  Tail(uint8_t* at, uint8_t* end) : at_(at), end_(end) {}
  [[nodiscard]] bool fits(size_t n) const { return static_cast<size_t>(end_ - at_) >= n; }
  void record(size_t owner, uint16_t t, uint32_t ttl, Bytes rdata) {
    head(owner, t, ttl, rdata.size());
    std::memcpy(at_, rdata.data(), rdata.size());
    at_ += rdata.size();
  }
  // The one that put_soa() in answer.cc makes up.
  void made_up_soa(size_t apex) {
    static constexpr uint8_t kMailbox[] = "\x0ahostmaster";
    constexpr size_t kText = sizeof kMailbox - 1;
    head(apex, type::kSoa, kNegativeTtl, kPointer + kText + kPointer + 20);
    store16(at_, 0xc000 | apex);
    std::memcpy(at_ + kPointer, kMailbox, kText);
    at_ += kPointer + kText;
    store16(at_, 0xc000 | apex);
    at_ += kPointer;
    for (const uint32_t v : {1u, 3600u, 600u, 86400u, kNegativeTtl}) {
      store32(at_, v);
      at_ += 4;
    }
  }
  static constexpr size_t kSoaSize = kPointer + kFixed + kPointer + 11 + kPointer + 20;
  void opt(bool dnssec_ok) {
    const uint8_t bytes[kOptSize] = {0,
                                     0,
                                     type::kOpt,
                                     kUdpPayload >> 8,
                                     kUdpPayload & 255,
                                     0,
                                     0,
                                     static_cast<uint8_t>(dnssec_ok ? 0x80 : 0),
                                     0,
                                     0,
                                     0};
    std::memcpy(at_, bytes, sizeof bytes);
    at_ += sizeof bytes;
  }
  [[nodiscard]] const uint8_t* at() const { return at_; }

 private:
  void head(size_t owner, uint16_t t, uint32_t ttl, size_t size) {
    store16(at_, 0xc000 | owner);
    store16(at_ + 2, t);
    store16(at_ + 4, klass::kIn);
    store32(at_ + 6, ttl);
    store16(at_ + 10, size);
    at_ += kPointer + kFixed;
  }
  uint8_t* at_;
  uint8_t* end_;
};

}  // namespace

uint64_t question_hash(Bytes query) {
  Parsed p;
  if (!parse(query, p)) return 0;
  alignas(8) std::array<uint8_t, kMaxName + 1> lowered;
  lower_name(query.data() + kNameAt, lowered.data(), p.name_size);
  return hash_name({lowered.data(), p.name_size});
}

size_t quick_answer(Bytes query, Transport transport, Asker asker, const Zones& zones,
                    uint32_t turn, std::span<uint8_t> out) {
  Parsed p;
  if (!parse(query, p) || (p.type != type::kA && p.type != type::kAaaa)) return 0;
  size_t limit = out.size();
  if (transport == Transport::udp) {
    limit = std::min<size_t>(limit, p.payload);
    if (asker == Asker::peer) limit = std::min(limit, query.size() * kMaxAmplification);
  }
  const size_t question = kNameAt + p.name_size + 4;
  const size_t kept = p.edns ? kOptSize : 0;
  if (question + kept > limit) return 0;

  alignas(8) std::array<uint8_t, kMaxName + 1> lowered;
  lower_name(query.data() + kNameAt, lowered.data(), p.name_size);
  const auto found = zones.find({lowered.data(), p.name_size}, p.type);
  uint16_t answers = 0, authorities = 0, rcode = rcode::kNoError;
  Tail tail(out.data() + question, out.data() + limit - kept);
  switch (found.kind) {
    case Zones::Found::Kind::outside:
    case Zones::Found::Kind::alias:
      return 0;
    case Zones::Found::Kind::set: {
      const size_t each = kPointer + kFixed + (p.type == type::kA ? 4 : 16);
      if (!tail.fits(each * found.set.count)) return 0;
      found.set.each(
          turn, [&](Bytes rdata) { tail.record(kNameAt, p.type, found.set.ttl, rdata); });
      answers = found.set.count;
      break;
    }
    case Zones::Found::Kind::no_name:
      if (!found.authoritative) return 0;
      rcode = rcode::kNxDomain;
      [[fallthrough]];
    case Zones::Found::Kind::no_data:
      // The apex is a suffix of the name asked for. Long ones leave no room for a
      // mailbox.
      if (zones.soa_of(found).count > 0 || found.apex.size() <= 1 ||
          found.apex.size() + 11 > kMaxName || !tail.fits(Tail::kSoaSize))
        return 0;
      tail.made_up_soa(kNameAt + p.name_size - found.apex.size());
      authorities = 1;
      break;
  }
  if (p.edns) tail.opt(p.dnssec_ok);
  std::memcpy(out.data(), query.data(), question);
  const auto asked = load16(query.data() + 2);
  store16(out.data() + 2,
          flag::kQr | flag::kAa | flag::kRa | (asked & (flag::kRd | flag::kCd)) | rcode);
  store16(out.data() + 6, answers);
  store16(out.data() + 8, authorities);
  store16(out.data() + 10, p.edns ? 1 : 0);
  return static_cast<size_t>(tail.at() - out.data());
}

}  // namespace wigeon::dns
