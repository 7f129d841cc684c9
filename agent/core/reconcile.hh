// SPDX-License-Identifier: GPL-2.0-or-later
// observe -> plan -> journal -> apply, until nothing differs. The same path serves start,
// a new map, repair after somebody touched our things, and recovery after a crash.
//
// What was observed is kept and follows our own operations (advance.hh); it is read again
// only where an event, an error or touched() says that it may have changed.
//
// What survives a crash: the journal (what is ours) and the kernel's state. A crash
// between any two steps leaves a prefix of a plan; the next reconcile() finishes it.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "agent/base/result.hh"
#include "agent/core/journal.hh"
#include "agent/core/kernel.hh"

namespace wigeon {

// Removing the last IPv4 address takes the link's routes along, so one round may not be
// enough; more than a few means that somebody is fighting us.
inline constexpr int kMaxRounds = 4;

class Engine {
 public:
  Engine(Kernel& kernel, Journal& journal) : kernel_(kernel), journal_(journal) {}

  struct Outcome {
    size_t operations = 0;   // 0: everything was as wanted
    size_t repairs = 0;      // of those, all that did more than to try an endpoint
    std::vector<Op> done{};  // all of them; their text() may be megabytes
  };
  // On failure what was done stays done and is in the journal, with one exception: when
  // nothing of ours was there before and our link was made in this call, everything of
  // ours is taken away again, so that a first start that cannot succeed (port taken, no
  // permission) leaves the host as it was. What the tunnel works without (sysctls,
  // nftables, a route whose place somebody has) does not fail the rest: refused() lists
  // it.
  Result<Outcome> reconcile(const Desired& desired);

  // These parts may have changed; the next reconcile() looks.
  void touched(Parts parts) { stale_ |= parts; }

  // An operation that the kernel refused, first line of its text, and why; by that line.
  struct Refused {
    std::string what{};
    std::string why{};
  };
  [[nodiscard]] std::vector<Refused> refused() const;
  // Lets the next reconcile() try them again.
  void forgive() { refused_.clear(); }

  // Takes away links of ours that bear another name: interfaceName has changed since the
  // last start, and the old link would keep port and addresses from the new one.
  Result<void> remove_others(const std::string& link);

  // The state after the last reconcile(), as far as we know.
  [[nodiscard]] const Observed& observed() const { return observed_; }
  // Looks at everything that is ours, or would be by this name.
  Result<void> refresh(const std::string& link);
  // Reads the device of our link, with statistics. ENODEV when we have no link.
  struct Look {
    ObservedDevice device{};
    bool changed = false;  // by somebody else: the next reconcile() will find work
  };
  Result<Look> look();

 private:
  Result<void> converge(const Desired& desired, Outcome& outcome, bool& made_link);
  Result<void> observe(const std::string& link);
  [[nodiscard]] Result<std::vector<Op>> next(const Desired& desired) const;
  [[nodiscard]] Kernel::Ownership ownership(const std::string& link) const;
  void name_sysctls(const Desired& desired);
  void remember_endpoints(KnownDevice& fresh) const;
  Result<void> perform(const Op& op);
  bool refuse(const Op& op, const Error& error);
  Result<void> forget();
  void roll_back(const Desired& desired);

  Kernel& kernel_;
  Journal& journal_;
  Observed observed_{};
  Parts stale_ = Parts::all();
  std::string link_{};  // whose state observed_ is
  std::map<uint64_t, Refused> refused_{};
};

// Waiting time after the n-th failure in a row (n from 1): 0.25 s doubling to 30 s.
std::chrono::milliseconds back_off(unsigned failures);

}  // namespace wigeon
