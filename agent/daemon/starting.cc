// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/starting.hh"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "netlink/wireguard_go.hh"

namespace wigeon {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::seconds kDeadline{5};
constexpr std::chrono::milliseconds kPause{20};

// Its arguments as we start it: "wireguard-go LINK", by any path.
bool runs(const std::filesystem::path& process, const std::string& link) {
  std::ifstream file(process / "cmdline", std::ios::binary);
  std::string program, argument, more;
  return std::getline(file, program, '\0') && std::getline(file, argument, '\0') &&
         !std::getline(file, more, '\0') && argument == link &&
         program.substr(program.rfind('/') + 1) == "wireguard-go";
}

bool any_runs(const std::string& link) {
  std::error_code vanished;  // processes end while we look
  for (std::filesystem::directory_iterator at("/proc", vanished), end; at != end;
       at.increment(vanished)) {
    if (vanished) return false;
    if (runs(at->path(), link)) return true;
  }
  return false;
}

}  // namespace

Result<void> wait_for_starting(const std::set<JournalEntry>& entries) {
  const auto deadline = Clock::now() + kDeadline;
  for (const auto& e : entries) {
    const std::string link = e.detail.substr(0, e.detail.find(' '));
    if (e.kind != "making" || !e.detail.starts_with(link + " tun ")) continue;
    while (!netlink::wireguard_go::check_running(link) && any_runs(link)) {
      if (Clock::now() >= deadline)
        return fail(ETIMEDOUT, link + ": wireguard-go neither serves nor ends");
      std::this_thread::sleep_for(kPause);
    }
  }
  return {};
}

}  // namespace wigeon
