// SPDX-License-Identifier: GPL-2.0-or-later
// One program of dns_redirect against the model, frame by frame.
#pragma once

#include <string>

#include "bpf/dns_redirect.hh"
#include "tests/bpf/redirect_model.hh"

namespace wigeon::test {

struct Outcome {
  uint64_t packets = 0;
  uint64_t refused = 0;  // the kernel makes no packet of such a frame
  uint64_t rewritten = 0;
  uint64_t checked = 0;  // of them, checksums that were right, by an account of their own
  uint64_t differences = 0;
  std::string first{};  // of them; or what else failed
  bpf::PortRedirect::Counts expected{};
};

// The first two of these have listeners at kRealPorts.
extern const std::vector<Address> kOwn;

// As many frames as give so many packets. `pins`: with which it was opened, to empty its
// flows before they are thrown out.
Outcome judge_frames(const bpf::PortRedirect& redirect, const bpf::PinDirectory& pins,
                     uint64_t seed, uint64_t packets);

}  // namespace wigeon::test
