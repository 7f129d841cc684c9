// SPDX-License-Identifier: GPL-2.0-or-later
#include "bpf/reuse.hh"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bpf/libbpf_log.hh"

namespace wigeon::bpf {
namespace {

Result<bool> same_shape(int found, const bpf_map* wanted) {
  bpf_map_info have{};
  __u32 length = sizeof(have);
  if (::bpf_obj_get_info_by_fd(found, &have, &length) != 0) return fail_errno("BPF map");
  return have.type == ::bpf_map__type(wanted) &&
         have.key_size == ::bpf_map__key_size(wanted) &&
         have.value_size == ::bpf_map__value_size(wanted) &&
         have.max_entries == ::bpf_map__max_entries(wanted) &&
         have.map_flags == ::bpf_map__map_flags(wanted);
}

}  // namespace

Result<void> reuse(std::span<PinnedMap> maps, const PinDirectory& pins) {
  for (PinnedMap& m : maps) {
    const auto found = TRY(pins.get(m.pin));
    if (!found || !TRY(same_shape(found->get(), m.map))) continue;
    LibbpfLog log;
    if (const int code = ::bpf_map__reuse_fd(m.map, found->get()); code < 0)
      return log.fail(m.pin, -code);
    m.reused = true;
  }
  return {};
}

Result<void> pin_new(std::span<const PinnedMap> maps, const PinDirectory& pins) {
  for (const PinnedMap& m : maps)
    if (!m.reused) TRY(pins.put(::bpf_map__fd(m.map), m.pin));
  return {};
}

}  // namespace wigeon::bpf
