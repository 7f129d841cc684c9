// SPDX-License-Identifier: GPL-2.0-or-later
// The CLI's side of the control socket: blocking calls with one deadline for all of them.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "agent/base/owned.hh"
#include "agent/control/protocol.hh"

namespace wigeon {

inline constexpr std::string_view kDefaultDaemonAddress =
    "unix:///run/wigeon/wigeon.sock";

class Client {
 public:
  using Clock = std::chrono::steady_clock;

  // "unix:///path" or "/path"; anything else is a usage error. not_running when nobody
  // listens, not_permitted when the socket is not for this user.
  static Outcome<Client> connect(std::string_view address, Clock::time_point deadline);

  // The result, a JSON object; or what the daemon, or the way to it, says against it.
  Outcome<std::string> call(std::string method, std::string params = "{}");

 private:
  Client(UniqueFd fd, Clock::time_point deadline);
  Outcome<void> send(std::string_view line);
  Outcome<std::string> receive();

  UniqueFd fd_;
  Clock::time_point deadline_;
  uint64_t last_id_ = 0;
  std::string in_{};
};

}  // namespace wigeon
