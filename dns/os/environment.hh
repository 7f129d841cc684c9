// SPDX-License-Identifier: GPL-2.0-or-later
// What of this host decides who manages its resolver settings, and the decision. Reading
// it is effects; deciding is a pure function, explained in one line.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "agent/base/bus.hh"
#include "agent/base/loop.hh"
#include "dns/os/manager.hh"

namespace wigeon::dns::os {

struct Environment {
  // /etc/resolv.conf; no text: it does not exist or cannot be read.
  std::optional<std::string> resolv_conf{};
  std::string resolv_conf_target{};  // the file behind symbolic links; empty: it is none
  std::string nsswitch{};            // /etc/nsswitch.conf

  bool resolved = false;           // org.freedesktop.resolve1 has an owner
  std::string resolv_conf_mode{};  // its ResolvConfMode: "stub", "foreign", …
  bool network_manager = false;    // org.freedesktop.NetworkManager has an owner
  std::string nm_version{};
  std::string nm_mode{};        // DnsManager.Mode: "default", "dnsmasq", …
  std::string nm_rc_manager{};  // DnsManager.RcManager: "symlink", "unmanaged", …
  // The program at resolvconf's path: none, Debian's, openresolv, or systemd's shim,
  // which is resolvectl by another name.
  enum class Resolvconf : uint8_t { none, debian, openresolv, systemd } resolvconf{};

  friend bool operator==(const Environment&, const Environment&) = default;
};

struct Choice {
  ManagerKind kind = ManagerKind::none;
  std::string reason{};  // "systemd-resolved runs and nsswitch.conf asks it"

  friend bool operator==(const Choice&, const Choice&) = default;
};

// asked: what dns.manager says; nothing: auto. What was asked for and cannot be is none,
// with the reason.
Choice choose_manager(const Environment& environment, std::optional<ManagerKind> asked);

class EnvironmentWatch {
 public:
  using Changed = std::move_only_function<void(const Environment&)>;

  // Told once when everything is known, the bus being absent included, and then at each
  // change. Files are heard by inotify, services by the bus.
  static Result<std::unique_ptr<EnvironmentWatch>> open(Loop& loop, Bus& bus,
                                                        Changed changed);
  virtual ~EnvironmentWatch() = default;
};

}  // namespace wigeon::dns::os
