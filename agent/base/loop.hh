// SPDX-License-Identifier: GPL-2.0-or-later
// The one event loop of a process, over sd-event. Everything is a file descriptor or a
// timer; callbacks never block and never throw. The handle is the request: destroying it
// cancels it, also from inside its own callback.
#pragma once

#include <sys/epoll.h>
#include <systemd/sd-event.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>

#include "agent/base/owned.hh"
#include "agent/base/result.hh"

namespace wigeon {

class Loop {
 public:
  using Ready = std::move_only_function<void(uint32_t events)>;  // EPOLLIN | …
  using Tick = std::move_only_function<void()>;
  using Signalled = std::move_only_function<void(int signal)>;
  using Exited = std::move_only_function<void(const siginfo_t&)>;

  // One registered source. Declare it after the fd it watches, so that it goes first: a
  // closed fd's number may already belong to someone else.
  class Watch {
   public:
    struct State;  // callback and source; shared, so that a callback may destroy its own
                   // handle
    Watch();
    explicit Watch(std::shared_ptr<State> state);
    Watch(Watch&&) noexcept;
    Watch& operator=(Watch&&) noexcept;
    ~Watch();
    explicit operator bool() const { return state_ != nullptr; }
    void reset();
    // For fd watches: other events from now on.
    Result<void> change(uint32_t events);
    // For timers: fire after this long, again if it fired already.
    Result<void> restart(std::chrono::microseconds after);
    Result<void> disarm();

   private:
    std::shared_ptr<State> state_;
  };

  static Result<Loop> open();

  [[nodiscard]] Result<Watch> watch(int fd, uint32_t events, Ready ready);
  // Fires once, after at least this long on CLOCK_BOOTTIME (suspend counts).
  [[nodiscard]] Result<Watch> after(std::chrono::microseconds delay, Tick tick);
  // A timer that is not armed: restart() arms it.
  [[nodiscard]] Result<Watch> timer(Tick tick);
  // Runs once, when the callbacks that are due now are done.
  [[nodiscard]] Result<Watch> defer(Tick tick);
  // The signals are blocked for the process and come through the loop.
  [[nodiscard]] Result<Watch> signals(std::initializer_list<int> which,
                                      Signalled signalled);
  // Told when the child ends; the child is reaped. Needs SIGCHLD blocked (done here).
  [[nodiscard]] Result<Watch> child(pid_t pid, Exited exited);

  // Pings the service manager's watchdog from the loop when it asked for that.
  Result<void> enable_watchdog();

  // Until exit(); returns its code.
  Result<int> run();
  // One round: waits at most this long. True when something was dispatched.
  Result<bool> run_once(std::chrono::microseconds at_most);
  void exit(int code);

  // Monotonic time as timers see it (CLOCK_BOOTTIME).
  [[nodiscard]] static std::chrono::microseconds now();

  [[nodiscard]] sd_event* raw() const { return event_.get(); }

 private:
  Owned<sd_event, sd_event_unref> event_{};
};

}  // namespace wigeon
