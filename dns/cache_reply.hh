// SPDX-License-Identifier: GPL-2.0-or-later
// What a cache keeps of a reply that scrub() wrote, for how long, and what becomes of its
// times to live. Pure.
#pragma once

#include "dns/message.hh"

namespace wigeon::dns {

inline constexpr uint32_t kMaxKeptTtl = 86'400;  // RFC 8767 §4 allows up to a week
inline constexpr uint32_t kMaxNegativeTtl = 900;
inline constexpr uint32_t kStaleTtl = 30;     // in answers past their time (RFC 8767 §4)
inline constexpr size_t kMaxKeptSize = 8192;  // of the records; larger ones are not kept

// A view into the reply.
struct Kept {
  uint16_t rcode = 0;  // all twelve bits
  bool authentic = false;
  uint16_t answers = 0, authorities = 0;
  // The addresses at the chain's end, if they may change places: `turning` records of
  // `stride` bytes each, the first at `turn_at`. None of them holds what a pointer leads
  // to.
  uint16_t turn_at = 0, stride = 0, turning = 0;
  ExtendedError::Code extended_error = ExtendedError::Code::none;
  // What follows the question, OPT left out. Pointers count from the message's begin, so
  // they hold behind any spelling of the same name.
  Bytes records{};
};

struct Keeping {
  enum class As : uint8_t {
    nothing,  // "no" without SOA (RFC 2308 §5), TTL 0, truncated, too large, unreadable
    answer,   // a set, NXDOMAIN or NODATA
    failure,  // any other rcode
  };
  As as = As::nothing;
  uint32_t ttl = 0;  // seconds that an answer holds; no record of it may promise more
                     // than `most`
  uint32_t most = 0;
  Kept kept{};
};

// Whether replies to it are kept at all: of class IN, and about one type.
bool is_keepable(const Question& question);
Keeping keep(const Question& question, Bytes reply);

// How an answer from a cache differs from the one that came.
struct Aging {
  uint32_t age = 0;  // seconds
  bool is_stale = false;
};
void age_records(std::span<uint8_t> records, int count, const Aging& aging);
void cap_ttls(std::span<uint8_t> records, int count, uint32_t most);

}  // namespace wigeon::dns
