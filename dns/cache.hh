// SPDX-License-Identifier: GPL-2.0-or-later
// What upstream servers said, kept by who said it: a group's answer never serves another
// group's name. Answers hold as long as they say; failures for a moment (RFC 9520), so
// that a name that cannot be resolved is not asked for again and again. Past its time an
// answer may still stand in when its servers fail (RFC 8767), if that is wanted.
//
// Bounded by bytes and by entries. Who goes when there is no room is found by the clock
// algorithm: a hand goes round, passes over what was used since it came by last, at most
// kMaxChances times in a row, and takes the next, or what is over when it meets that. So
// a store has a bounded cost, whatever clients do, and a hit writes to its own entry
// only. Nothing else ends an entry: what is over is noticed when it is looked for.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <vector>

#include "dns/cache_reply.hh"
#include "dns/statistics.hh"

namespace wigeon::dns {

inline constexpr size_t kMaxCacheBytes = 4u << 20;
inline constexpr size_t kMaxCacheEntries = 16'384;
inline constexpr int kMaxChances = 16;

// A failure is kept a second, and twice as long each time it comes again, up to these.
// Silent servers have their health beside it, which knows when they are back.
inline constexpr std::chrono::seconds kFirstFailure{1}, kMaxSilence{5}, kMaxRefusal{60};
// It is new again when it did not come for so long.
inline constexpr std::chrono::seconds kFailureMemory{60};
// While a stale answer stands in, the servers are asked this often (RFC 8767 §5).
inline constexpr std::chrono::seconds kStaleRecheck{30};

// Everything that changes a reply: who is asked, the question, RD, AD, CD and DO.
class CacheKey {
 public:
  CacheKey(uint32_t source, const Question& question, uint16_t flags, bool dnssec_ok);
  [[nodiscard]] Bytes bytes() const { return {bytes_.data(), size_}; }
  static constexpr size_t kNameAt = 8;  // the name in lower case is the rest

 private:
  std::array<uint8_t, kNameAt + kMaxName> bytes_;  // meaningful up to size_
  size_t size_;
};

class Cache {
 public:
  using Time = std::chrono::microseconds;
  struct Limits {
    size_t bytes = kMaxCacheBytes;
    size_t entries = kMaxCacheEntries;
  };
  struct Hit {
    Kept kept{};
    Aging aging{};
    bool is_silence = false;  // the servers did not reply; kept says nothing
    uint32_t turn = 0;        // counts the entry's hits
  };
  enum class Want : uint8_t { anything, answers };  // or failures left out

  Cache() : Cache(Limits{}) {}
  explicit Cache(const Limits& limits);

  // 0: never.
  void set_serve_stale(std::chrono::seconds past) { stale_ = past; }

  // What may be answered without asking. The hit's bytes are valid until the next change.
  std::optional<Hit> find(const CacheKey& key, Time now, Want want = Want::anything);
  // The servers have failed. What may be said instead now, and for kStaleRecheck.
  std::optional<Hit> stand_in(const CacheKey& key, Time now);

  // Nothing changes while an answer holds, nor does a failure while one does: of all who
  // waited for one reply, only the first is heard. What cannot be kept ends what was
  // there before; a failure does not, if that may stand in.
  void store(const CacheKey& key, const Keeping& what, Time now);
  void store_silence(const CacheKey& key, Time now);

  // What is kept for the name, and for all below it. Returns how many entries that were.
  size_t flush(const Name& apex);

  void count_miss() { ++counters_.misses; }
  [[nodiscard]] CacheStatistics statistics() const;

 private:
  enum class Kind : uint8_t { none, answer, refusal, silence };
  struct Slot {
    uint64_t hash = 0;
    std::unique_ptr<uint8_t[]> data{};  // the key, a Kept, its records
    Time stored{}, expires{}, recheck{};
    uint32_t size = 0;
    uint32_t next = 0;  // in its chain, or of the free ones
    uint16_t key_size = 0;
    uint16_t turn = 0;
    Kind kind = Kind::none;
    bool used = false;
  };

  [[nodiscard]] uint32_t find_slot(Bytes key, uint64_t hash) const;
  [[nodiscard]] uint32_t& head(uint64_t hash) {
    return heads_[hash & (heads_.size() - 1)];
  }
  [[nodiscard]] bool may_stand_in(const Slot& slot, Time now) const;
  [[nodiscard]] Hit hit(Slot& slot, Time now, bool is_stale);
  static Time failure_hold(const Slot* last, Time most, Time now);
  void fail(const CacheKey& key, const Keeping& what, Kind kind, Time most, Time now);
  void put(const CacheKey& key, const Keeping& what, Kind kind, Time holds, Time now);
  void remove(uint32_t index);
  void evict(Time now);

  Limits limits_;
  Time stale_{};
  std::vector<uint32_t> heads_{};  // by hash: the first slot of a chain; 0: none
  std::vector<Slot> slots_{};      // slot 0 is nobody's
  uint32_t free_ = 0;
  size_t hand_ = 0;
  CacheStatistics counters_{};
};

}  // namespace wigeon::dns
