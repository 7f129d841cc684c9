// SPDX-License-Identifier: GPL-2.0-or-later
// Tries the endpoints of peers that have several, over time. A peer with one is plan()'s
// alone. What is remembered is in agent/model/endpoints.hh's words.
#pragma once

#include <chrono>
#include <optional>
#include <vector>

#include "agent/model/endpoints.hh"
#include "agent/model/state.hh"
#include "agent/model/validate.hh"

namespace wigeon {

class EndpointKeeper {
 public:
  // Another map, or names stand for something else.
  void offer(const NetworkMap& map, const Accepted& accepted, const Resolved& resolved);

  struct Looked {
    bool changed = false;                              // other endpoints are to be set
    std::optional<std::chrono::milliseconds> again{};  // look() by then
  };
  // What the device says now; peers by key.
  Looked look(const ObservedDevice& device, std::chrono::system_clock::time_point now);

  // Puts the endpoints on trial into d.
  void steer(Desired& d) const;
  void clear() { peers_.clear(); }

 private:
  struct Steered {
    Key public_key{};
    uint16_t keepalive = 0;
    Candidates offered{};
    EndpointState state{};
    std::optional<Endpoint> set{};  // the one on trial; none: the kernel has its own
  };
  std::vector<Steered> peers_{};  // by key
};

}  // namespace wigeon
