// SPDX-License-Identifier: GPL-2.0-or-later
// Attaching programs to network devices: one place, three ways.
//
//   way            since   ends                        replaced by
//   xdp_link       5.9     with its last fd or pin     link update, no packet missed
//   tcx_link       6.6     with its last fd or pin     link update, no packet missed
//   clsact_filter  4.5     on detach() or with the     filter replace, no packet missed
//                          device; never with us
//
// XDP is always generic: WireGuard and TUN devices take no other. When a device goes, its
// pinned links stay with ifindex 0; they are recognized as dead and replaced.
#pragma once

#include <linux/bpf.h>

#include <cstdint>
#include <vector>

#include "agent/base/network.hh"
#include "agent/base/owned.hh"
#include "agent/base/result.hh"
#include "bpf/pins.hh"
#include "bpf/probe.hh"

namespace wigeon::bpf {

enum class Hook : uint8_t { xdp, tc_ingress, tc_egress };
enum class Way : uint8_t { xdp_link, tcx_link, clsact_filter };

struct Place {
  IfIndex device = IfIndex::none;
  Hook hook = Hook::tc_ingress;
  Way way = Way::clsact_filter;
};

// The best way to that hook which this kernel has; ENOTSUP with the probe's reason.
Result<Place> place(IfIndex device, Hook hook, const Features& features);

// Which clsact filter is ours: whoever sets one with these numbers is us.
inline constexpr uint32_t kClsactPriority = 1;
inline constexpr uint32_t kClsactHandle = 0x1BD;

// Attach types newer than the UAPI headers of the reference system.
inline constexpr auto kTcxIngress = static_cast<bpf_attach_type>(46);
inline constexpr auto kTcxEgress = static_cast<bpf_attach_type>(47);
inline constexpr uint32_t kTcxLinkType = 11;

class Attachment {
 public:
  // EBUSY: somebody else's XDP program is there, named in the message; it is left alone.
  static Result<Attachment> open(int program, const Place& place);
  // As above, but the link also gets the pin `name`. A link that a predecessor pinned
  // there and that is still attached at `place` is taken over: it gets the program in one
  // step.
  static Result<Attachment> open(int program, const Place& place,
                                 const PinDirectory& pins, const char* name);

  [[nodiscard]] const Place& place() const { return place_; }
  // The program in the place of the attached one; no packet meets neither.
  Result<void> replace(int program);
  // Now, whoever else holds the link; a pin of it is left for the caller to remove.
  Result<void> detach() &&;

 private:
  Attachment(const Place& place, UniqueFd link) : place_(place), link_(std::move(link)) {}
  Place place_;
  UniqueFd link_;  // none for clsact
};

// Ids of the programs there: all on tcx, the one on XDP, only ours on clsact.
Result<std::vector<uint32_t>> programs_at(const Place& place);

}  // namespace wigeon::bpf
