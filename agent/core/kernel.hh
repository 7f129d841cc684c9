// SPDX-License-Identifier: GPL-2.0-or-later
// The seam between deciding and doing. Two implementations: the Linux kernel
// (kernel_linux.cc, over netlink/) and the in-memory kernel of the tests
// (tests/harness/memory_kernel.hh).
#pragma once

#include <string>
#include <vector>

#include "agent/base/result.hh"
#include "agent/core/plan.hh"
#include "agent/model/state.hh"

namespace wigeon {

class Kernel {
 public:
  virtual ~Kernel() = default;

  // How to tell what is ours, from the journal. A link is ours when its alias is this
  // one, or when it is of the expected kind, down and has no alias yet while creating
  // says that we were making it.
  struct Ownership {
    std::string alias{};    // "wigeon:…"; empty: none of ours exists
    bool creating = false;  // the journal says so, but not that it was finished
  };
  // Reads these parts of what there is of ours into o and leaves the others, except that
  // with a link that is another than o's come its device, addresses and routes. Sysctls:
  // the present values of those that o names. endpoint_set of peers is empty: the caller
  // knows it. o is partly read on failure.
  virtual Result<void> observe(const std::string& link, const Ownership& own, Parts parts,
                               Observed& o) = 0;

  // Our link's device with statistics; o is what observe() has read last.
  virtual Result<ObservedDevice> device(const Observed& o) = 0;

  // The rest of the host, without our link and our routes. served: the networks that
  // peers may reach through us; routes that lead elsewhere are not kept
  // (model/host_routes.hh).
  virtual Result<HostView> view(const std::string& link,
                                const std::vector<Prefix>& served) = 0;

  // LinkAdd gives the link the alias. On failure the kernel is as before this operation,
  // except that part of a RoutesAdd, RoutesDel or SetDevice may have been done.
  virtual Result<void> apply(const Op& op, const std::string& alias) = 0;
};

}  // namespace wigeon
