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

// An error of decoding what the daemon sent.
Failure nonsense(const Error& error);

// The same with the answer decoded.
template <class T>
Outcome<T> ask(const Session& session, Client::Clock::time_point deadline,
               std::string method, Result<T> (*decode)(std::string_view),
               std::string params = "{}") {
  const auto answer = ask(session, deadline, std::move(method), std::move(params));
  if (!answer) return std::unexpected(answer.error());
  auto result = decode(*answer);
  if (!result) return std::unexpected(nonsense(result.error()));
  return *std::move(result);
}

// Returns when somebody listens on the socket, or at the deadline.
void wait_for_daemon(const Session& session, Client::Clock::time_point deadline);

Outcome<StatusReport> ask_status(const Session& session,
                                 Client::Clock::time_point deadline);

}  // namespace wigeon::cli
