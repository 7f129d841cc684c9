// SPDX-License-Identifier: GPL-2.0-or-later
// Sysctls of which the kernel does not tell (accept_ra, send_redirects): looked at on a
// timer, one system call each, and only while there are any.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "agent/base/owned.hh"
#include "agent/base/sysctl.hh"
#include "agent/model/state.hh"

namespace wigeon {

// Whether the monitor hears of changes to it (netlink::Event::Kind::settings).
bool kernel_tells_of(std::string_view key);

class SysctlWatch {
 public:
  explicit SysctlWatch(std::string root = std::string(kSysctlRoot))
      : root_(std::move(root)) {}

  // From now on these, as they were observed; those that cannot be read, or of which the
  // kernel tells, are left out.
  void hold(const std::vector<KnownSysctl>& sysctls);
  [[nodiscard]] bool empty() const { return held_.empty(); }
  // Whether one of them is another than when it was held, or went with its interface.
  [[nodiscard]] bool changed() const;

 private:
  struct Held {
    std::string key{}, value{};
    UniqueFd fd{};

    [[nodiscard]] bool is(std::string_view expected) const;
  };

  std::string root_;
  std::vector<Held> held_{};
};

}  // namespace wigeon
