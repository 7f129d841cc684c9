// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/bpf/frame_maker.hh"

#include <net/ethernet.h>

#include <algorithm>

namespace wigeon::test {

Frame made(Random& r, std::span<const uint8_t> noise) {
  static constexpr uint16_t kSome[] = {53, 53, 53, 5053, 5053, 5054, 40000, 40001, 40002};
  static constexpr uint8_t kProtocols[] = {IPPROTO_UDP, IPPROTO_UDP, IPPROTO_UDP,
                                           IPPROTO_UDP, IPPROTO_TCP, IPPROTO_TCP,
                                           IPPROTO_TCP, IPPROTO_TCP, IPPROTO_ICMP};
  static constexpr uint8_t kFlags[] = {TH_SYN, TH_SYN,           TH_SYN | TH_ACK,
                                       TH_ACK, TH_ACK | TH_PUSH, TH_ACK | TH_FIN,
                                       TH_RST, TH_SYN | TH_FIN};
  static constexpr uint8_t kExtensions[] = {IPPROTO_HOPOPTS, IPPROTO_ROUTING,
                                            IPPROTO_DSTOPTS, IPPROTO_FRAGMENT};
  static constexpr size_t kLengths[] = {0, 8, 33, 64, 200, 1400};
  const bool v4 = r.percent(50);
  Frame f{.src = v4 ? r.of(kV4) : r.of(kV6),
          .dst = v4 ? r.of(kV4) : r.of(kV6),
          .protocol = r.of(kProtocols),
          .src_port = r.of(kSome),
          .dst_port = r.of(kSome),
          .tcp_flags = r.of(kFlags)};
  if (v4) {
    if (r.percent(40)) f.option_words = static_cast<uint8_t>(r.below(11));
    if (r.percent(10)) f.more_fragments = true;
    if (r.percent(5)) f.fragment_offset = static_cast<uint16_t>(r.below(0x2000));
  } else if (r.percent(50)) {
    f.extensions.resize(r.below(r.percent(80) ? 4 : 9));
    for (Extension& e : f.extensions) {
      e.type = r.of(kExtensions);
      e.more = static_cast<uint8_t>(r.percent(80) ? r.below(4) : r.below(40));
      e.segments_left = r.percent(90) ? 0 : 1;
      if (r.percent(20)) e.fragment_offset = static_cast<uint16_t>(r.below(0x2000));
      e.more_fragments = r.percent(50);
    }
  }
  size_t length =
      r.below(100) < 97 ? r.below(r.of(kLengths) + 1) : r.below(kLongestFrame);
  length = std::min(length, kLongestFrame - std::min(kLongestFrame, f.segment_at() + 20));
  f.payload = noise.subspan(r.below(noise.size() - length), length);
  f.check = r.percent(70) ? Check::right : r.percent(50) ? Check::zero : Check::wrong;
  return f;
}

void damage(Random& r, Bytes& frame) {
  const auto at = [&] { return r.below(std::min<size_t>(frame.size(), 128)); };
  switch (r.below(6)) {
    case 0:
      frame[at()] ^= static_cast<uint8_t>(1u << r.below(8));
      break;
    case 1:
      frame[at()] = static_cast<uint8_t>(r.next());
      break;
    case 2:
      frame.resize(kEthernet + r.below(frame.size() - kEthernet + 1));
      break;
    case 3:
      frame.resize(frame.size() + r.below(40), 0xaa);
      break;
    case 4:  // a length in a header
      if (frame.size() < kEthernet + 6) break;
      put16(frame, kEthernet + (frame[kEthernet] >> 4 == 4 ? 2 : 4),
            r.below(frame.size() + 3));
      break;
    case 5:
      put16(frame, 12, r.percent(50) ? ETHERTYPE_IP : ETHERTYPE_IPV6);
      break;
  }
}

}  // namespace wigeon::test
