// SPDX-License-Identifier: GPL-2.0-or-later
// D-Bus messages made without a bus, to be read.
#pragma once

#include <sys/socket.h>
#include <systemd/sd-bus.h>

#include <cstdlib>

#include "agent/base/owned.hh"

namespace wigeon {

using BusMessage = Owned<sd_bus_message, sd_bus_message_unref>;

class MessageMaker {
 public:
  MessageMaker() {
    sd_bus* made = nullptr;
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0 ||
        sd_bus_new(&made) < 0 || sd_bus_set_fd(made, ends[0], ends[0]) < 0 ||
        sd_bus_start(made) < 0)
      std::abort();
    bus_.reset(made);
    other_end_ = UniqueFd(ends[1]);
  }
  BusMessage begin() const {
    sd_bus_message* made = nullptr;
    if (sd_bus_message_new_signal(bus_.get(), &made, "/", "a.b", "C") < 0) std::abort();
    return BusMessage(made);
  }
  // Ready to be read; false when it is not a whole message.
  static bool end(const BusMessage& m) {
    return sd_bus_message_seal(m.get(), 1, 0) >= 0 &&
           sd_bus_message_rewind(m.get(), 1) >= 0;
  }
  // fill: int(sd_bus_message*).
  BusMessage make(auto fill) const {
    auto m = begin();
    if (fill(m.get()) < 0 || !end(m)) std::abort();
    return m;
  }

 private:
  UniqueFd other_end_{};
  Owned<sd_bus, sd_bus_close_unref> bus_{};
};

}  // namespace wigeon
