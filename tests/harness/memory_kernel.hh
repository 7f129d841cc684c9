// SPDX-License-Identifier: GPL-2.0-or-later
// The Kernel seam in memory: the fake of the engine's tests. It keeps the kernel's own
// rules that matter to plans: a prefix belongs to one peer (the last writer takes it),
// the last IPv4 address takes the link's routes along, a primary address its secondaries,
// a link everything on it.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "agent/core/kernel.hh"

namespace wigeon {

class MemoryKernel : public Kernel {
 public:
  struct FakeLink {
    Link link{};
    ObservedDevice device{};
    std::vector<InterfaceAddress> addresses{};  // in the order they were added
    std::vector<Route> routes{};
  };

  Result<void> observe(const std::string& link, const Ownership& own, Parts parts,
                       Observed& o) override;
  Result<ObservedDevice> device(const Observed& o) override;
  Result<HostView> view(const std::string& link,
                        const std::vector<Prefix>& served) override;
  Result<void> apply(const Op& op, const std::string& alias) override;

  std::map<std::string, FakeLink> links{};
  std::vector<Route> routes{};  // of ours that are on no link
  std::vector<Rule> rules{};
  std::map<std::string, std::string> sysctls{};
  std::string nft{};  // the text of our table; empty: none
  HostView host{};

  std::vector<Op> applied{};
  std::vector<Parts> observed{};  // by each call of observe()
  // Asked before each operation; an error is what apply() returns.
  std::function<Result<void>(const Op&)> fault{};

 private:
  int last_index_ = 1;
  Result<FakeLink*> at(const std::string& name);
  Result<void> perform(const op::LinkAdd& o, const std::string& alias);
  Result<void> perform(const op::LinkDel& o, const std::string& alias);
  Result<void> perform(const op::LinkMtu& o, const std::string& alias);
  Result<void> perform(const op::LinkUp& o, const std::string& alias);
  Result<void> perform(const op::SetDevice& o, const std::string& alias);
  Result<void> perform(const op::AddressAdd& o, const std::string& alias);
  Result<void> perform(const op::AddressDel& o, const std::string& alias);
  Result<void> perform(const op::RoutesAdd& o, const std::string& alias);
  Result<void> perform(const op::RoutesDel& o, const std::string& alias);
  Result<void> perform(const op::RuleAdd& o, const std::string& alias);
  Result<void> perform(const op::RuleDel& o, const std::string& alias);
  Result<void> perform(const op::SysctlSet& o, const std::string& alias);
  Result<void> perform(const op::SysctlRestore& o, const std::string& alias);
  Result<void> perform(const op::NftSet& o, const std::string& alias);
  Result<void> perform(const op::NftDel& o, const std::string& alias);
  Result<void> set_device(FakeLink& l, const DeviceChange& c);
};

}  // namespace wigeon
