// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/base/loop.hh"

#include <csignal>
#include <ctime>
#include <vector>

namespace wigeon {

struct Loop::Watch::State {
  std::vector<Owned<sd_event_source, sd_event_source_disable_unref>> sources{};
  Ready ready{};
  Tick tick{};
  Signalled signalled{};
  Exited exited{};
};

namespace {

using State = Loop::Watch::State;
using Source = Owned<sd_event_source, sd_event_source_disable_unref>;

// The callback may destroy its own handle, so it holds the state until it returns.
std::shared_ptr<State> hold(void* data) {
  return static_cast<std::weak_ptr<State>*>(data)->lock();
}

void drop(void* data) { delete static_cast<std::weak_ptr<State>*>(data); }

int on_fd(sd_event_source*, int, uint32_t events, void* data) {
  if (auto s = hold(data)) s->ready(events);
  return 0;
}

int on_time(sd_event_source*, uint64_t, void* data) {
  if (auto s = hold(data)) s->tick();
  return 0;
}

int on_defer(sd_event_source*, void* data) {
  if (auto s = hold(data)) s->tick();
  return 0;
}

int on_signal(sd_event_source*, const signalfd_siginfo* si, void* data) {
  if (auto s = hold(data)) s->signalled(static_cast<int>(si->ssi_signo));
  return 0;
}

int on_child(sd_event_source*, const siginfo_t* si, void* data) {
  if (auto s = hold(data)) s->exited(*si);
  return 0;
}

// Makes a source and ties it to the state: it carries a weak reference, the state owns
// it. add: (sd_event_source** made, void* data) -> negative errno or not.
Result<void> adopt(const std::shared_ptr<State>& state, std::string_view doing,
                   auto add) {
  auto data = std::make_unique<std::weak_ptr<State>>(state);
  sd_event_source* made = nullptr;
  const int r = add(&made, data.get());
  if (r < 0) return fail_errno(doing, -r);
  sd_event_source_set_destroy_callback(made, drop);
  (void)data.release();  // drop() deletes it
  state->sources.emplace_back(made);
  return {};
}

Result<void> block(int signal) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, signal);
  if (::sigprocmask(SIG_BLOCK, &set, nullptr) != 0) return fail_errno("sigprocmask");
  return {};
}

uint64_t usec(std::chrono::microseconds d) {
  return d.count() < 0 ? 0 : static_cast<uint64_t>(d.count());
}

}  // namespace

Loop::Watch::Watch() = default;
Loop::Watch::Watch(std::shared_ptr<State> state) : state_(std::move(state)) {}
Loop::Watch::Watch(Watch&&) noexcept = default;
Loop::Watch& Loop::Watch::operator=(Watch&& other) noexcept {
  if (this != &other) {
    reset();
    state_ = std::move(other.state_);
  }
  return *this;
}
Loop::Watch::~Watch() { reset(); }

void Loop::Watch::reset() {
  if (!state_) return;
  // Sources end now, even when a running callback keeps the state for a moment longer.
  state_->sources.clear();
  state_.reset();
}

Result<void> Loop::Watch::change(uint32_t events) {
  const int r = sd_event_source_set_io_events(state_->sources.at(0).get(), events);
  if (r < 0) return fail_errno("sd_event_source_set_io_events", -r);
  return {};
}

Result<void> Loop::Watch::restart(std::chrono::microseconds after) {
  auto* source = state_->sources.at(0).get();
  int r = sd_event_source_set_time_relative(source, usec(after));
  if (r >= 0) r = sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
  if (r < 0) return fail_errno("sd_event_source_set_time", -r);
  return {};
}

Result<void> Loop::Watch::disarm() {
  const int r = sd_event_source_set_enabled(state_->sources.at(0).get(), SD_EVENT_OFF);
  if (r < 0) return fail_errno("sd_event_source_set_enabled", -r);
  return {};
}

Result<Loop> Loop::open() {
  Loop loop;
  sd_event* e = nullptr;
  const int r = sd_event_new(&e);
  if (r < 0) return fail_errno("sd_event_new", -r);
  loop.event_.reset(e);
  return loop;
}

Result<Loop::Watch> Loop::watch(int fd, uint32_t events, Ready ready) {
  auto state = std::make_shared<State>();
  state->ready = std::move(ready);
  TRY(adopt(state, "sd_event_add_io", [&](auto** made, void* data) {
    return sd_event_add_io(event_.get(), made, fd, events, on_fd, data);
  }));
  return Watch(std::move(state));
}

Result<Loop::Watch> Loop::after(std::chrono::microseconds delay, Tick tick) {
  auto state = std::make_shared<State>();
  state->tick = std::move(tick);
  // Accuracy 1 ms: a default of 250 ms would add its slack to every DNS timeout.
  TRY(adopt(state, "sd_event_add_time", [&](auto** made, void* data) {
    return sd_event_add_time_relative(event_.get(), made, CLOCK_BOOTTIME, usec(delay),
                                      1000, on_time, data);
  }));
  return Watch(std::move(state));
}

Result<Loop::Watch> Loop::timer(Tick tick) {
  auto watch = TRY(after(std::chrono::hours(24), std::move(tick)));
  TRY(watch.disarm());
  return watch;
}

Result<Loop::Watch> Loop::defer(Tick tick) {
  auto state = std::make_shared<State>();
  state->tick = std::move(tick);
  TRY(adopt(state, "sd_event_add_defer", [&](auto** made, void* data) {
    return sd_event_add_defer(event_.get(), made, on_defer, data);
  }));
  return Watch(std::move(state));
}

Result<Loop::Watch> Loop::signals(std::initializer_list<int> which, Signalled signalled) {
  auto state = std::make_shared<State>();
  state->signalled = std::move(signalled);
  for (const int signal : which) {
    TRY(block(signal));
    TRY(adopt(state, "sd_event_add_signal", [&](auto** made, void* data) {
      return sd_event_add_signal(event_.get(), made, signal, on_signal, data);
    }));
  }
  return Watch(std::move(state));
}

Result<Loop::Watch> Loop::child(pid_t pid, Exited exited) {
  TRY(block(SIGCHLD));
  auto state = std::make_shared<State>();
  state->exited = std::move(exited);
  TRY(adopt(state, "sd_event_add_child", [&](auto** made, void* data) {
    return sd_event_add_child(event_.get(), made, pid, WEXITED, on_child, data);
  }));
  return Watch(std::move(state));
}

Result<void> Loop::enable_watchdog() {
  const int r = sd_event_set_watchdog(event_.get(), 1);
  if (r < 0) return fail_errno("sd_event_set_watchdog", -r);
  return {};
}

Result<int> Loop::run() {
  const int r = sd_event_loop(event_.get());
  if (r < 0) return fail_errno("sd_event_loop", -r);
  return r;
}

Result<bool> Loop::run_once(std::chrono::microseconds at_most) {
  const int r = sd_event_run(event_.get(), usec(at_most));
  if (r < 0) return fail_errno("sd_event_run", -r);
  return r > 0;
}

void Loop::exit(int code) { sd_event_exit(event_.get(), code); }

std::chrono::microseconds Loop::now() {
  timespec ts{};
  ::clock_gettime(CLOCK_BOOTTIME, &ts);
  return std::chrono::seconds(ts.tv_sec) +
         std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::nanoseconds(ts.tv_nsec));
}

}  // namespace wigeon
