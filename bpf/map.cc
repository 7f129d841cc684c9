// SPDX-License-Identifier: GPL-2.0-or-later
#include "bpf/map.hh"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>

namespace wigeon::bpf {
namespace {

Storage storage_of(__u32 type) {
  switch (type) {
    case BPF_MAP_TYPE_PERCPU_ARRAY:
    case BPF_MAP_TYPE_PERCPU_HASH:
    case BPF_MAP_TYPE_LRU_PERCPU_HASH:
    case BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE:
      return Storage::per_cpu;
    default:
      return Storage::shared;
  }
}

Result<void> compare(int fd, const Shape& want) {
  bpf_map_info have{};
  __u32 length = sizeof(have);
  if (::bpf_obj_get_info_by_fd(fd, &have, &length) != 0) return fail_errno("BPF map");
  if (have.key_size != want.key || have.value_size != want.value ||
      storage_of(have.type) != want.storage ||
      (want.entries != 0 && have.max_entries != want.entries))
    return fail(
        EPROTO,
        fmt::format("BPF map {}: type {}, {}-byte keys, {}-byte values, {} entries; "
                    "expected {}, {}-byte keys, {}-byte values, {} entries",
                    have.name, have.type, have.key_size, have.value_size,
                    have.max_entries,
                    want.storage == Storage::per_cpu ? "per CPU" : "shared", want.key,
                    want.value, want.entries ? want.entries : have.max_entries));
  return {};
}

}  // namespace

RawMap::RawMap(UniqueFd fd, const Shape& shape) : fd_(std::move(fd)) {
  const Result<void> same = compare(fd_.get(), shape);
  if (same) return;
  std::fprintf(stderr, "%s\n", same.error().what.c_str());
  std::abort();
}

Result<RawMap> RawMap::adopt(UniqueFd fd, const Shape& shape) {
  TRY(compare(fd.get(), shape));
  return RawMap(std::move(fd));
}

Result<void> RawMap::lookup(const void* key, void* value) const {
  if (::bpf_map_lookup_elem(fd_.get(), key, value) != 0) return fail_errno("map lookup");
  return {};
}

Result<void> RawMap::update(const void* key, const void* value, __u64 flags) const {
  if (::bpf_map_update_elem(fd_.get(), key, value, flags) != 0)
    return fail_errno("map update");
  return {};
}

Result<void> RawMap::remove(const void* key) const {
  if (::bpf_map_delete_elem(fd_.get(), key) != 0) return fail_errno("map delete");
  return {};
}

Result<bool> RawMap::next(const void* key, void* next) const {
  if (::bpf_map_get_next_key(fd_.get(), key, next) == 0) return true;
  if (errno == ENOENT) return false;
  return fail_errno("map keys");
}

Result<size_t> possible_cpus() {
  const int n = ::libbpf_num_possible_cpus();
  if (n <= 0) return fail_errno("counting possible CPUs", -n);
  return static_cast<size_t>(n);
}

}  // namespace wigeon::bpf
