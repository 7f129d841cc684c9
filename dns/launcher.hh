// SPDX-License-Identifier: GPL-2.0-or-later
// The daemon's end of the resolver process: starts it, gives it sockets and
// configurations, hears what it says. Whether it is started again when it ends is the
// caller's decision.
//
// Start: socket pair → fork → descriptors closed but the pair's end (as 3), no groups,
// another uid, no capabilities, no new privileges, no core dumps → exec. The sockets of
// listeners and for replies travel over the pair and the parent's copies are closed, so
// that they live as long as the resolver.
#pragma once

#include <memory>
#include <string>

#include "agent/base/loop.hh"
#include "dns/control.hh"
#include "dns/listener_change.hh"

namespace wigeon::dns {

struct Identity {
  uid_t uid = 65534;
  gid_t gid = 65534;
};
// The user wigeon-resolver when there is one, else 65534.
Identity resolver_identity();

class Resolver {
 public:
  // Called from the loop. Any of them may destroy the Resolver.
  struct Events {
    std::move_only_function<void(const Hello&)> hello{};
    std::move_only_function<void(const Listening&)> listening{};
    std::move_only_function<void(const Applied&)> applied{};
    std::move_only_function<void(const Refused&)> refused{};
    std::move_only_function<void(const Statistics&)> statistics{};
    std::move_only_function<void(const Flushed&)> flushed{};
    std::move_only_function<void(const Traced&)> traced{};
    // "exit code 1", "signal 31 (Bad system call)". Nothing is called after it.
    std::move_only_function<void(const std::string& why)> exited{};
  };

  // program: its path; it is opened before the uid changes, so the new user needs no
  // permission on the way to it. Fails with what went wrong up to and including exec;
  // what happens later comes as an event. config: of encode_config().
  static Result<std::unique_ptr<Resolver>> start(Loop& loop, const std::string& program,
                                                 Identity identity,
                                                 ListenerChange listeners, Bytes config,
                                                 Events events);
  // Kills it, should it still run.
  ~Resolver();

  // The reply is applied or refused with the generation returned here.
  Result<uint32_t> configure(Bytes config);
  // Changes what it listens on while it serves; the reply is listening. Our copies of the
  // sockets are closed when this returns.
  Result<void> listen(ListenerChange change);
  Result<void> ask_statistics();
  // The replies, flushed and traced, have the id returned here. An empty name:
  // everything.
  Result<uint32_t> flush(std::string name);
  Result<uint32_t> query(std::string name, uint16_t type, Transport transport);
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  // Held by a running callback too, which may destroy the Resolver.
  struct Shared {
    Events events{};
    bool alive = true;
  };
  explicit Resolver(Events events)
      : shared_(std::make_shared<Shared>(Shared{std::move(events)})) {}
  void ready();
  void receive(const ToDaemon& message);
  void exited(const siginfo_t& info);

  std::shared_ptr<Shared> shared_;
  UniqueFd socket_{};
  pid_t pid_ = -1;
  uint32_t generation_ = 0;
  uint32_t last_id_ = 0;
  Loop::Watch child_{};
  Loop::Watch readable_{};
};

}  // namespace wigeon::dns
