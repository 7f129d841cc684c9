// SPDX-License-Identifier: GPL-2.0-or-later
// Tells when somebody else configures a WireGuard device of this network namespace: sets
// or removes peers, key, port or mark. The kernel's WireGuard sends no multicast for that
// (Linux 5.10 to 7.2), and reading thousands of peers each second to find out is dear.
//
// Costs nothing while nobody configures, and our own changes do not wake us. Needs
// CAP_BPF and CAP_PERFMON (also later: none), /proc, and a kernel with BTF and BPF
// trampolines (x86: 5.5; arm64: 6.0). Whoever cannot have it polls: poll_interval.hh.
//
// Linux skips a program that is hit while it already runs on the same CPU, which takes a
// preemption in the middle of its microsecond. So look now and then all the same.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "agent/base/result.hh"
#include "bpf/abi/wg_set.h"

namespace wigeon::bpf {

class TunnelWatch {
 public:
  // `family`: WireGuard's number in generic netlink; 0 while it has none. Hears from now
  // on, so observe after it. It is this process and its namespaces that are "we": a child
  // of fork() is somebody else. EPERM: capabilities. ENOTSUP: the kernel cannot do it.
  static Result<TunnelWatch> open(uint16_t family);

  // WireGuard gets a new number whenever its module is loaded again.
  void set_family(uint16_t family);

  // Readable when there is something to drain.
  [[nodiscard]] int fd() const;

  struct Who {
    uint32_t process = 0;   // as the initial PID namespace numbers it
    std::string command{};  // its name, chosen by itself; printable characters only
  };
  struct Changes {
    uint64_t count = 0;         // finished since the last drain, exact
    std::optional<Who> last{};  // absent when its record was lost
  };
  Result<Changes> drain();

  // Since open(), for a reason.
  [[nodiscard]] Result<uint64_t> count(wg_set_reason reason) const;

  TunnelWatch(TunnelWatch&&) noexcept;
  TunnelWatch& operator=(TunnelWatch&&) noexcept;
  ~TunnelWatch();

 private:
  struct State;
  explicit TunnelWatch(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;  // at one address: libbpf calls back into it
};

}  // namespace wigeon::bpf
