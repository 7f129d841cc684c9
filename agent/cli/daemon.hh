// SPDX-License-Identifier: GPL-2.0-or-later
// One question to the daemon: connect, call, decode.
#pragma once

#include <chrono>
#include <string>

#include "agent/cli/command.hh"
#include "agent/control/client.hh"

namespace wigeon::cli {

Client::Clock::time_point deadline_in(std::chrono::milliseconds d);

Outcome<std::string> ask(const Session& session, Client::Clock::time_point deadline,
                         std::string method, std::string params = "{}");

// Returns when somebody listens on the socket, or at the deadline.
void wait_for_daemon(const Session& session, Client::Clock::time_point deadline);

Outcome<StatusReport> ask_status(const Session& session,
                                 Client::Clock::time_point deadline);

// An error of decoding what the daemon sent.
Failure nonsense(const Error& error);

}  // namespace wigeon::cli
