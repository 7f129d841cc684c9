// SPDX-License-Identifier: GPL-2.0-or-later
// The real daemon, with its files in a directory of the bench's own: no filter, and as a
// rule no name service and kernel WireGuard. Seen only through its programs, /proc and
// the kernel.
#pragma once

#include <string>

#include "agent/base/network.hh"
#include "tests/bench/netlink/process.hh"
#include "tests/bench/netlink/raw.h"

namespace wigeon::bench {

inline constexpr const char* kAgentLink = "wt0";

// A map of the first n peers of the workload, without keepalive (thousands of handshakes
// would begin otherwise); `networks` more prefixes are spread over them. With `changed`
// the peer of that key is reached at another port.
struct Map {
  uint32_t n = 0;
  uint32_t networks = 0;
  uint32_t rules = 0;  // of the firewall: a port of one peer each
  std::string changed{};
  uint16_t port = 0;
};
std::string map_text(const Map& map, uint64_t serial);

class Agent {
 public:
  enum class Kind {
    tunnel,  // kernel WireGuard, no name service
    whole,   // whatever tunnel there is, and a resolver, of which the host is not told
  };
  // wigeond and wigeon are found in PATH.
  static Result<Agent> make(Kind kind = Kind::tunnel);
  Agent(Agent&& other) noexcept;
  Agent& operator=(Agent&&) = delete;
  ~Agent();

  // Renamed into place, as Ansible does it; it is prepared before.
  Result<void> prepare(const Map& map);
  Result<void> publish();
  // Until the map is in force.
  Result<void> start();
  Result<void> up();
  Result<void> cli(const Arguments& arguments);
  // Takes everything down and ends the daemon.
  Result<void> finish();

  [[nodiscard]] pid_t pid() const { return pid_; }
  // CPU time once it has not grown for kQuiet.
  Result<double> quiet_cpu() const;

 private:
  explicit Agent(TempDir directory) : directory_(std::move(directory)) {}
  TempDir directory_;
  pid_t pid_ = 0;
  uint64_t serial_ = 0;
};

}  // namespace wigeon::bench
