// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/cli/daemon.hh"

#include <thread>

namespace wigeon::cli {

Client::Clock::time_point deadline_in(std::chrono::milliseconds d) {
  return Client::Clock::now() + d;
}

Outcome<std::string> ask(const Session& session, Client::Clock::time_point deadline,
                         std::string method, std::string params) {
  auto client = Client::connect(session.daemon_address, deadline);
  if (!client) return std::unexpected(std::move(client).error());
  return client->call(std::move(method), std::move(params));
}

void wait_for_daemon(const Session& session, Client::Clock::time_point deadline) {
  constexpr std::chrono::milliseconds kPause{50};
  for (;;) {
    const auto client = Client::connect(session.daemon_address, deadline);
    if (client || client.error().code != Code::not_running) return;
    if (Client::Clock::now() + kPause >= deadline) return;
    std::this_thread::sleep_for(kPause);
  }
}

Outcome<StatusReport> ask_status(const Session& session,
                                 Client::Clock::time_point deadline) {
  auto report = ask(session, deadline, "status", status_from_json);
  if (!report) return report;
  report->cli_version = WIGEON_VERSION;
  return report;
}

Failure nonsense(const Error& error) {
  return {Code::error, "the daemon's answer makes no sense: " + error.what};
}

}  // namespace wigeon::cli
