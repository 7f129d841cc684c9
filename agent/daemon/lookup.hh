// SPDX-License-Identifier: GPL-2.0-or-later
// Endpoint host names to addresses, through the host's own resolver (nsswitch.conf,
// /etc/hosts). getaddrinfo(3) blocks and parses foreign bytes, so it runs in a child of
// its own, without privilege and with a deadline; the loop reads the answers from a pipe.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "agent/base/ip.hh"
#include "agent/base/loop.hh"
#include "agent/model/endpoints.hh"

namespace wigeon {

class Lookup {
 public:
  // Names that were found, with at most kMaxAddressesPerName addresses each in the
  // resolver's order; the others are missing. Called once.
  using Done = std::move_only_function<void(Resolved)>;

  // Destroying the handle forgets the answer; the child ends by itself.
  static Result<std::unique_ptr<Lookup>> start(Loop& loop,
                                               const std::vector<HostPort>& names,
                                               Done done);
  Lookup(const Lookup&) = delete;
  Lookup& operator=(const Lookup&) = delete;

 private:
  Lookup() = default;
  void on_readable();
  void finish();

  UniqueFd pipe_{};
  std::string received_{};
  Done done_{};
  Loop::Watch readable_{}, deadline_{};
};

// Pure half: lines "host port address…", as the child writes them. A line without its
// end, and one without a good address, is skipped.
Resolved read_lookup(std::string_view lines);

}  // namespace wigeon
