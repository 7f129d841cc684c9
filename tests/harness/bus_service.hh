// SPDX-License-Identifier: GPL-2.0-or-later
// A service on a test's message bus, and a client of ours beside it on the same loop.
#pragma once

#include <systemd/sd-bus.h>

#include <catch2/catch.hpp>
#include <memory>
#include <string>

#include "agent/base/bus.hh"
#include "agent/base/owned.hh"
#include "tests/harness/message_bus.hh"

namespace wigeon {

// A connection of its own. Has its name when it is made, so that whoever asks for the
// name afterwards finds it; loses it when it is destroyed.
class BusService {
 public:
  // answer(message, data, …) gets every call to path and below.
  BusService(Loop& loop, const std::string& address, const char* name, const char* path,
             sd_bus_message_handler_t answer, void* data) {
    sd_bus* made = nullptr;
    REQUIRE(sd_bus_new(&made) >= 0);
    bus_.reset(made);
    REQUIRE(sd_bus_set_address(made, address.c_str()) >= 0);
    REQUIRE(sd_bus_set_bus_client(made, 1) >= 0);
    REQUIRE(sd_bus_start(made) >= 0);
    REQUIRE(sd_bus_add_fallback(made, nullptr, path, answer, data) >= 0);
    REQUIRE(sd_bus_request_name(made, name, 0) >= 0);
    REQUIRE(sd_bus_attach_event(made, loop.raw(), 0) >= 0);
  }
  [[nodiscard]] sd_bus* raw() const { return bus_.get(); }

 private:
  Owned<sd_bus, sd_bus_close_unref> bus_{};
};

struct BusSite {
  MessageBus daemon{};
  Loop loop = *Loop::open();

  // A client that looks for a lost bus again soon.
  std::unique_ptr<Bus> connect(Bus::Options options) {
    options.address = daemon.address();
    options.first_wait = std::chrono::milliseconds(10);
    options.longest_wait = std::chrono::milliseconds(50);
    return *Bus::open(loop, std::move(options));
  }
  bool until(auto condition) {
    const auto end = Loop::now() + std::chrono::seconds(10);
    while (!condition() && Loop::now() < end)
      (void)loop.run_once(std::chrono::milliseconds(20));
    return condition();
  }
};

}  // namespace wigeon
