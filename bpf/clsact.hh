// SPDX-License-Identifier: GPL-2.0-or-later
// Our filter in a device's clsact qdisc, for kernels without tcx.
#pragma once

#include <cstdint>
#include <optional>

#include "bpf/attach.hh"

namespace wigeon::bpf::clsact {

// Makes the qdisc when it is missing; replaces our filter in one step when it is there.
Result<void> set(int program, const Place& place);
// Absent is fine. The qdisc stays: others may have filters in it.
Result<void> remove(const Place& place);
// Program id of our filter.
Result<std::optional<uint32_t>> program(const Place& place);

}  // namespace wigeon::bpf::clsact
