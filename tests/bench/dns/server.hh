// SPDX-License-Identifier: GPL-2.0-or-later
// The servers that are measured, each a process (or a family of them) on CPU 0.
#pragma once

#include <optional>

#include "agent/base/owned.hh"
#include "tests/bench/dns/workload.hh"
#include "tests/bench/netlink/process.hh"

namespace wigeon::bench {

struct Task {
  size_t names = 0;
  std::optional<Endpoint> upstream{};  // who is asked for all other names
  std::string directory{};             // for its files
  Endpoint endpoint{};                 // where to serve, UDP and TCP
};

class Server {
 public:
  Server(pid_t pid, UniqueFd control, Endpoint endpoint, double started)
      : pid_(pid), control_(std::move(control)), endpoint_(endpoint), started_(started) {}
  Server(Server&& other) noexcept
      : pid_(std::exchange(other.pid_, -1)),
        control_(std::move(other.control_)),
        endpoint_(other.endpoint_),
        started_(other.started_) {}
  Server& operator=(Server&&) = delete;
  ~Server();

  // When its program began, its files being there: CLOCK_MONOTONIC.
  [[nodiscard]] double started() const { return started_; }
  [[nodiscard]] const Endpoint& endpoint() const { return endpoint_; }
  // Seconds on a CPU, of the process and its children.
  [[nodiscard]] Result<double> cpu() const;
  struct Memory {
    uint64_t pss = 0, anonymous = 0;  // bytes
  };
  [[nodiscard]] Result<Memory> memory() const;
  [[nodiscard]] int control() const { return control_.get(); }

 private:
  pid_t pid_;
  UniqueFd control_;  // ours: the daemon's end
  Endpoint endpoint_;
  double started_;
};

enum class Role { limit, ours, peer };
struct Kind {
  const char* name;
  Role role;
  bool serves_tcp = true, forwards = false;
  Result<Server> (*start)(const Task& task);
};
// Those whose programs are in $PATH.
std::vector<Kind> local_kinds();
std::vector<Kind> forwarding_kinds();

Result<Server> start_ours(const Task& task);
Result<Server> start_echo(const Task& task, int cpu);
// Answers nothing: takes what CPU time others leave, at the priority of our loader.
Result<Server> start_burner();

// Gives our resolver a configuration; nothing is waited for.
Result<UniqueFd> sealed_config(size_t names, unsigned version);
Result<void> configure(const Server& ours, int sealed, uint32_t generation);

}  // namespace wigeon::bench
