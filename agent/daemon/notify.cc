// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/notify.hh"

#include <fmt/format.h>
#include <systemd/sd-daemon.h>

#include <ctime>
#include <string>

namespace wigeon::notify {

// Failing to tell the manager changes nothing that we could do better.
void ready() { (void)sd_notify(0, "READY=1"); }

void reloading() {
  timespec ts{};
  ::clock_gettime(CLOCK_MONOTONIC, &ts);
  (void)sd_notify(0, fmt::format("RELOADING=1\nMONOTONIC_USEC={}",
                                 ts.tv_sec * 1000000 + ts.tv_nsec / 1000)
                         .c_str());
}

void reloaded() { (void)sd_notify(0, "READY=1"); }

void stopping() { (void)sd_notify(0, "STOPPING=1"); }

void status(std::string_view text) {
  // Each line would be an assignment of its own.
  std::string line = "STATUS=";
  for (const char c : text) line += c == '\n' ? std::string("; ") : std::string(1, c);
  (void)sd_notify(0, line.c_str());
}

}  // namespace wigeon::notify
