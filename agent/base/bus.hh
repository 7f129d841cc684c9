// SPDX-License-Identifier: GPL-2.0-or-later
// A connection to a D-Bus message bus on our loop, over sd-bus. Nothing here waits for
// the bus: opening, calls and matches are messages whose answers come through the loop,
// so a bus daemon that hangs costs a time-out and no standstill. A bus that is not there
// is a state, not an error: it is looked for again after 0.1 s, doubling to 30 s. Matches
// and watched names are taken up again with each new connection.
//
// States: absent -> connecting -> connected -> absent …
#pragma once

#include <systemd/sd-bus.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "agent/base/loop.hh"
#include "agent/base/owned.hh"
#include "agent/base/result.hh"

namespace wigeon {

// $DBUS_SYSTEM_BUS_ADDRESS, or the socket every Debian has.
std::string system_bus_address();

struct BusMethod {
  const char* destination = "";
  const char* path = "";
  const char* interface = "";
  const char* member = "";
};

class Bus {
 public:
  enum class State { absent, connecting, connected };
  // Appends the arguments; negative errno as sd_bus_message_append() has it.
  using Fill = std::move_only_function<int(sd_bus_message*)>;
  // The message is valid during the call. An error begins with its D-Bus name.
  using Done = std::move_only_function<void(const Result<sd_bus_message*>& reply)>;
  using Heard = std::move_only_function<void(sd_bus_message* signal)>;
  // The unique name that owns it now; empty: nobody, or there is no bus.
  using Owner = std::move_only_function<void(const std::string& unique_name)>;

  // One request. Destroying it cancels, also from inside its own callback; it may outlive
  // the bus and is silent then.
  class Handle {
   public:
    struct State;
    Handle() = default;
    explicit Handle(std::shared_ptr<State> state) : state_(std::move(state)) {}
    explicit operator bool() const { return state_ != nullptr; }
    void reset() { state_.reset(); }

   private:
    std::shared_ptr<State> state_{};
  };

  struct Options {
    std::string address = system_bus_address();
    std::chrono::milliseconds call_limit{10'000};
    std::chrono::milliseconds connect_limit{10'000};
    std::chrono::milliseconds first_wait{100}, longest_wait{30'000};
  };

  // Begins to connect; fails only when the loop cannot be used.
  static Result<std::unique_ptr<Bus>> open(Loop& loop, Options options);
  static Result<std::unique_ptr<Bus>> open(Loop& loop) { return open(loop, Options()); }
  // Not from inside a callback of one of its handles.
  ~Bus();
  Bus(const Bus&) = delete;
  Bus& operator=(const Bus&) = delete;

  // done is called once, never before call() has returned: with the reply, the callee's
  // error, ETIMEDOUT, or ENOTCONN when there is no bus or it goes away.
  [[nodiscard]] Handle call(const BusMethod& method, Fill fill, Done done);
  // After this error of a call it is not known whether it was carried out. Every other
  // one is the callee's answer: it was not.
  static bool undecided(const Error& e);
  // Signals that fit a match rule of the D-Bus specification.
  [[nodiscard]] Handle match(std::string rule, Heard heard);
  // Told the owner once it is known, and then at each change. When the bus goes, "" is
  // told while state() is not connected: the service may well live on.
  [[nodiscard]] Handle watch_name(std::string name, Owner owner);

  [[nodiscard]] State state() const { return state_; }
  // Why it is not connected; empty when it is.
  [[nodiscard]] const std::string& why() const { return why_; }

 private:
  Bus(Loop& loop, Options options) : loop_(loop), options_(std::move(options)) {}
  void connect();
  void drop();
  Result<void> start();
  void lost(std::string why);
  void on_connected();
  Handle stand(std::shared_ptr<Handle::State> request);  // until it is destroyed
  void take_up(Handle::State& request);
  std::vector<std::shared_ptr<Handle::State>> standing();

  static int connected(sd_bus_message*, void* self, sd_bus_error*);
  static int disconnected(sd_bus_message*, void* self, sd_bus_error*);

  Loop& loop_;
  Options options_;
  State state_ = State::absent;
  std::string why_ = "not asked yet";
  unsigned failures_ = 0;
  std::chrono::microseconds connected_at_{};
  std::vector<std::weak_ptr<Handle::State>> standing_{};  // matches and names
  Owned<sd_bus, sd_bus_close_unref> bus_{};
  Owned<sd_bus_slot, sd_bus_slot_unref> connected_{}, disconnected_{};
  Loop::Watch again_{}, limit_{};
};

}  // namespace wigeon
