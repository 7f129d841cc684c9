// SPDX-License-Identifier: GPL-2.0-or-later
#include "dns/cache.hh"

#include <bit>
#include <cstring>

#include "agent/base/digest.hh"

namespace wigeon::dns {
namespace {

using std::chrono::duration_cast;
using std::chrono::seconds;

constexpr size_t kHeapOverhead = 16;  // of one block of malloc

}  // namespace

CacheKey::CacheKey(uint32_t source, const Question& question, uint16_t flags,
                   bool dnssec_ok) {
  const Bytes name = question.name.wire();
  std::memcpy(bytes_.data(), &source, sizeof source);
  std::memcpy(bytes_.data() + 4, &question.type, sizeof question.type);
  static_assert((flag::kRd >> 8) == 1 && (flag::kAd | flag::kCd) == 0x30);
  bytes_[6] =
      static_cast<uint8_t>((flags & flag::kRd) >> 8 | (flags & (flag::kAd | flag::kCd)));
  bytes_[7] = dnssec_ok;
  for (size_t i = 0; i < name.size(); ++i) bytes_[kNameAt + i] = lower(name[i]);
  size_ = kNameAt + name.size();
}

Cache::Cache(const Limits& limits)
    : limits_(limits), heads_(std::bit_ceil(std::max<size_t>(limits.entries, 1))) {
  slots_.reserve(limits_.entries + 1);  // pages that are not needed stay untouched
  slots_.emplace_back();
}

uint32_t Cache::find_slot(Bytes key, uint64_t hash) const {
  uint32_t index = heads_[hash & (heads_.size() - 1)];
  for (; index != 0; index = slots_[index].next) {
    const Slot& slot = slots_[index];
    if (slot.hash == hash && slot.key_size == key.size() &&
        std::memcmp(slot.data.get(), key.data(), key.size()) == 0)
      break;
  }
  return index;
}

bool Cache::may_stand_in(const Slot& slot, Time now) const {
  return slot.kind == Kind::answer && now < slot.expires + stale_;
}

Cache::Hit Cache::hit(Slot& slot, Time now, bool is_stale) {
  slot.used = true;
  ++(is_stale ? counters_.stale : counters_.hits);
  Hit hit{.is_silence = slot.kind == Kind::silence, .turn = slot.turn++};
  std::memcpy(&hit.kept, slot.data.get() + slot.key_size, sizeof hit.kept);
  const size_t records_at = slot.key_size + sizeof hit.kept;
  hit.kept.records = {slot.data.get() + records_at, slot.size - records_at};
  hit.aging = {static_cast<uint32_t>(duration_cast<seconds>(now - slot.stored).count()),
               is_stale};
  return hit;
}

std::optional<Cache::Hit> Cache::find(const CacheKey& key, Time now, Want want) {
  const Bytes bytes = key.bytes();
  const uint32_t index = find_slot(bytes, digest(bytes));
  if (index == 0) return std::nullopt;
  Slot& slot = slots_[index];
  if (want == Want::answers && slot.kind != Kind::answer) return std::nullopt;
  if (now < slot.expires) return hit(slot, now, false);
  if (now < slot.recheck && may_stand_in(slot, now)) return hit(slot, now, true);
  return std::nullopt;
}

std::optional<Cache::Hit> Cache::stand_in(const CacheKey& key, Time now) {
  if (stale_ == Time{}) return std::nullopt;
  const Bytes bytes = key.bytes();
  const uint32_t index = find_slot(bytes, digest(bytes));
  if (index == 0 || !may_stand_in(slots_[index], now)) return std::nullopt;
  Slot& slot = slots_[index];
  if (now < slot.expires) return hit(slot, now, false);
  if (slot.recheck <= now) slot.recheck = now + kStaleRecheck;
  return hit(slot, now, true);
}

void Cache::store(const CacheKey& key, const Keeping& what, Time now) {
  const uint32_t index = find_slot(key.bytes(), digest(key.bytes()));
  if (index != 0 && slots_[index].kind == Kind::answer && now < slots_[index].expires)
    return;
  switch (what.as) {
    case Keeping::As::nothing:
      if (index != 0) remove(index);
      return;
    case Keeping::As::answer:
      return put(key, what, Kind::answer, seconds(what.ttl), now);
    case Keeping::As::failure:
      return fail(key, what, Kind::refusal, kMaxRefusal, now);
  }
}

void Cache::store_silence(const CacheKey& key, Time now) {
  fail(key, {}, Kind::silence, kMaxSilence, now);
}

Cache::Time Cache::failure_hold(const Slot* last, Time most, Time now) {
  if (!last || last->kind == Kind::answer || now >= last->expires + kFailureMemory)
    return kFirstFailure;
  return std::min(2 * (last->expires - last->stored), most);
}

void Cache::fail(const CacheKey& key, const Keeping& what, Kind kind, Time most,
                 Time now) {
  const uint32_t index = find_slot(key.bytes(), digest(key.bytes()));
  const Slot* last = index != 0 ? &slots_[index] : nullptr;
  if (last && (now < last->expires || may_stand_in(*last, now))) return;
  const Time holds = failure_hold(last, most, now);
  Keeping capped = what;
  capped.most = static_cast<uint32_t>(duration_cast<seconds>(holds).count());
  put(key, capped, kind, holds, now);
}

void Cache::put(const CacheKey& key, const Keeping& what, Kind kind, Time holds,
                Time now) {
  const Bytes bytes = key.bytes(), records = what.kept.records;
  const uint64_t hash = digest(bytes);
  const size_t size = bytes.size() + sizeof(Kept) + records.size();
  if (const uint32_t old = find_slot(bytes, hash); old != 0) remove(old);
  const size_t cost = sizeof(Slot) + kHeapOverhead + size;
  if (limits_.entries == 0 || cost > limits_.bytes) return;
  while (counters_.entries == limits_.entries || counters_.bytes + cost > limits_.bytes)
    evict(now);

  auto data = std::make_unique_for_overwrite<uint8_t[]>(size);
  Kept kept = what.kept;
  kept.records = {};
  std::ranges::copy(bytes, data.get());
  std::memcpy(data.get() + bytes.size(), &kept, sizeof kept);
  const std::span<uint8_t> copy{data.get() + bytes.size() + sizeof kept, records.size()};
  std::ranges::copy(records, copy.begin());
  cap_ttls(copy, kept.answers + kept.authorities, what.most);

  uint32_t index = free_;
  if (index != 0) {
    free_ = slots_[index].next;
  } else {
    index = static_cast<uint32_t>(slots_.size());
    slots_.emplace_back();
  }
  uint32_t& first = head(hash);
  slots_[index] = {.hash = hash,
                   .data = std::move(data),
                   .stored = now,
                   .expires = now + holds,
                   .size = static_cast<uint32_t>(size),
                   .next = first,
                   .key_size = static_cast<uint16_t>(bytes.size()),
                   .kind = kind};
  first = index;
  ++counters_.entries;
  counters_.bytes += cost;
}

void Cache::remove(uint32_t index) {
  Slot& slot = slots_[index];
  uint32_t* link = &head(slot.hash);
  while (*link != index) link = &slots_[*link].next;
  *link = slot.next;
  --counters_.entries;
  counters_.bytes -= sizeof(Slot) + kHeapOverhead + slot.size;
  slot = {.next = free_};
  free_ = index;
}

void Cache::evict(Time now) {
  for (int chances = 0;;) {
    hand_ = hand_ + 1 < slots_.size() ? hand_ + 1 : 1;
    Slot& slot = slots_[hand_];
    if (slot.kind == Kind::none) continue;
    const bool is_over = now >= slot.expires && !may_stand_in(slot, now);
    if (slot.used && !is_over && chances < kMaxChances) {
      slot.used = false;
      ++chances;
      continue;
    }
    if (!is_over) ++counters_.evicted;
    return remove(static_cast<uint32_t>(hand_));
  }
}

size_t Cache::flush(const Name& apex) {
  const uint64_t before = counters_.entries;
  for (uint32_t i = 1; i < slots_.size(); ++i) {
    const Slot& slot = slots_[i];
    if (slot.kind == Kind::none) continue;
    const Bytes key(slot.data.get(), slot.key_size);
    if (is_within(key.subspan(CacheKey::kNameAt), apex.wire())) remove(i);
  }
  return before - counters_.entries;
}

CacheStatistics Cache::statistics() const { return counters_; }

}  // namespace wigeon::dns
