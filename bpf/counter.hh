// SPDX-License-Identifier: GPL-2.0-or-later
// Counts what arrives on the tunnel device, by reason. Passes everything.
#pragma once

#include <array>
#include <string_view>

#include "bpf/abi/wt0_count.h"
#include "bpf/attach.hh"
#include "bpf/map.hh"
#include "bpf/pins.hh"

namespace wigeon::bpf {

std::string_view text(wt0_reason reason);

// Indexed by reason; all CPUs together.
using Counts = std::array<wt0_count, WT0_REASONS>;

class Counter {
 public:
  // Attached while this object lives (a clsact filter: until remove() or detach()).
  static Result<Counter> open(const Place& place);
  // Attached until remove(). Finds what a predecessor left: its counters go on, its
  // program is replaced in one step. Counters of another shape are replaced by new ones.
  static Result<Counter> open(const Place& place, const PinDirectory& pins);
  // Detaches and unpins what any open() with these pins left on this device. Absent is
  // fine.
  static Result<void> remove(IfIndex device, const PinDirectory& pins);

  [[nodiscard]] Result<Counts> counters() const;
  [[nodiscard]] const Place& place() const { return attachment_.place(); }
  // The attached program, for BPF_PROG_TEST_RUN.
  [[nodiscard]] int program() const { return program_.get(); }
  Result<void> detach() &&;

 private:
  using Map = PerCpuMap<__u32, wt0_count>;
  struct Loaded;
  Counter(Loaded loaded, Attachment attachment);
  static Result<Loaded> load(Hook hook, const Map* counts);

  UniqueFd program_;
  Map counts_;
  Attachment attachment_;
};

}  // namespace wigeon::bpf
