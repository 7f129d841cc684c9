// SPDX-License-Identifier: GPL-2.0-or-later
// BPF maps with types. Sizes are compared with the kernel's once, when the map is taken;
// after that a key or value of the wrong shape cannot be passed.
#pragma once

#include <linux/types.h>

#include <cstddef>
#include <type_traits>
#include <vector>

#include "agent/base/owned.hh"
#include "agent/base/result.hh"

namespace wigeon::bpf {

enum class Storage { shared, per_cpu };

struct Shape {
  size_t key = 0;
  size_t value = 0;
  Storage storage = Storage::shared;
  size_t entries = 0;  // 0: any number
};

// Bytes in, bytes out. Use Map or PerCpuMap.
class RawMap {
 public:
  // Aborts when the kernel's map has another shape: two halves of one build disagree.
  RawMap(UniqueFd fd, const Shape& shape);
  // For a map found pinned: EPROTO when it has another shape (another version made it).
  static Result<RawMap> adopt(UniqueFd fd, const Shape& shape);

  [[nodiscard]] int fd() const { return fd_.get(); }
  // ENOENT when the key is not there. A per-CPU map fills possible_cpus() values.
  Result<void> lookup(const void* key, void* value) const;
  Result<void> update(const void* key, const void* value, __u64 flags) const;
  Result<void> remove(const void* key) const;
  // The key behind `key` (null: the first one); false when there is none.
  Result<bool> next(const void* key, void* next) const;

 private:
  explicit RawMap(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

// Number of CPUs the kernel may ever have: a per-CPU value is that many values long.
Result<size_t> possible_cpus();

template <class T>
inline constexpr bool kPlain = std::is_trivially_copyable_v<T>;
// A key with padding would not be found again.
template <class K>
inline constexpr bool kKey = kPlain<K>&& std::has_unique_object_representations_v<K>;

template <class K, class V>
class Map {
  static_assert(kKey<K> && kPlain<V>);

 public:
  explicit Map(UniqueFd fd) : raw_(std::move(fd), kShape) {}
  static Result<Map> adopt(UniqueFd fd, size_t entries = 0) {
    Shape shape = kShape;
    shape.entries = entries;
    return Map(TRY(RawMap::adopt(std::move(fd), shape)));
  }

  [[nodiscard]] int fd() const { return raw_.fd(); }
  [[nodiscard]] Result<V> lookup(const K& key) const {
    V value{};
    TRY(raw_.lookup(&key, &value));
    return value;
  }
  // flags: BPF_ANY, BPF_NOEXIST (EEXIST), BPF_EXIST (ENOENT)
  Result<void> update(const K& key, const V& value, __u64 flags = 0) const {
    return raw_.update(&key, &value, flags);
  }
  Result<void> remove(const K& key) const { return raw_.remove(&key); }
  // At most `most`; for maps that nobody changes meanwhile.
  [[nodiscard]] Result<std::vector<K>> keys(size_t most) const {
    std::vector<K> all;
    K key{};
    while (all.size() < most && TRY(raw_.next(all.empty() ? nullptr : &all.back(), &key)))
      all.push_back(key);
    return all;
  }

 private:
  static constexpr Shape kShape{sizeof(K), sizeof(V), Storage::shared, 0};
  explicit Map(RawMap raw) : raw_(std::move(raw)) {}
  RawMap raw_;
};

template <class K, class V>
class PerCpuMap {
  static_assert(kKey<K> && kPlain<V>);
  static_assert(sizeof(V) % 8 == 0, "the kernel pads each CPU's value to 8 bytes");

 public:
  explicit PerCpuMap(UniqueFd fd) : raw_(std::move(fd), kShape) {}
  static Result<PerCpuMap> adopt(UniqueFd fd, size_t entries = 0) {
    Shape shape = kShape;
    shape.entries = entries;
    return PerCpuMap(TRY(RawMap::adopt(std::move(fd), shape)));
  }

  [[nodiscard]] int fd() const { return raw_.fd(); }
  // One value for each possible CPU.
  [[nodiscard]] Result<std::vector<V>> lookup(const K& key) const {
    std::vector<V> values(TRY(possible_cpus()));
    TRY(raw_.lookup(&key, values.data()));
    return values;
  }

 private:
  static constexpr Shape kShape{sizeof(K), sizeof(V), Storage::per_cpu, 0};
  explicit PerCpuMap(RawMap raw) : raw_(std::move(raw)) {}
  RawMap raw_;
};

}  // namespace wigeon::bpf
