// SPDX-License-Identifier: GPL-2.0-or-later
// What the kernel has after an operation that it acknowledged, without reading it again:
// one changed peer among 10,000 must not cost a dump. Pure.
#pragma once

#include "agent/core/plan.hh"

namespace wigeon {

// Changes o as the operation changed the kernel. Returned is what the operation may have
// changed beyond that, or in ways known only to the kernel: those parts must be observed.
[[nodiscard]] Parts advance(Observed& o, const Op& op);

}  // namespace wigeon
