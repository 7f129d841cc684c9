// SPDX-License-Identifier: GPL-2.0-or-later
// observe -> plan -> journal -> apply, until nothing differs. The same path serves start,
// a new map, repair after somebody touched our things, and recovery after a crash.
//
// What survives a crash: the journal (what is ours) and the kernel's state. A crash
// between any two steps leaves a prefix of a plan; the next reconcile() finishes it.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>

#include "agent/base/result.hh"
#include "agent/core/journal.hh"
#include "agent/core/kernel.hh"

namespace wigeon {

class Engine {
 public:
  Engine(Kernel& kernel, Journal& journal) : kernel_(kernel), journal_(journal) {}

  struct Outcome {
    size_t operations = 0;     // 0: everything was as wanted
    std::string transcript{};  // text() of what was done
  };
  // On failure what was done stays done and is in the journal, with one exception: when
  // our link was made in this call, everything of ours is taken away again, so that a
  // first start that cannot succeed (port taken, no permission) leaves the host as it
  // was.
  Result<Outcome> reconcile(const Desired& desired);

  // Takes away links of ours that bear another name: interfaceName has changed since the
  // last start, and the old link would keep port and addresses from the new one.
  Result<void> remove_others(const std::string& link);

  // The state seen by the last reconcile() after it was done, or by refresh().
  [[nodiscard]] const Observed& observed() const { return observed_; }
  Result<void> refresh(const std::string& link);

 private:
  Result<void> converge(const Desired& desired, Outcome& outcome, bool& made_link);
  Result<Observed> observe(const std::string& link);
  [[nodiscard]] Kernel::Ownership ownership(const std::string& link) const;
  Result<void> perform(const Op& op);
  void remember(const Op& op);
  Result<void> forget();
  void roll_back(const Desired& desired);

  Kernel& kernel_;
  Journal& journal_;
  Observed observed_{};
  std::map<Key, Endpoint> endpoints_set_{};
};

// Waiting time after the n-th failure in a row (n from 1): 0.25 s doubling to 30 s.
std::chrono::milliseconds back_off(unsigned failures);

}  // namespace wigeon
