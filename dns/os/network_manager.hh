// SPDX-License-Identifier: GPL-2.0-or-later
// NetworkManager: DNS servers of the device that it sees our link as, by rewriting the
// device's applied connection (Device.Reapply). Kept in its memory only: it forgets them
// when it restarts, and then they are written again.
//
// Where names go, by the mode of its DnsManager: dnsmasq, systemd-resolved and unbound
// split, with "~corp.example" for domains that only route, "~." for all names, and
// priority -500, so that no other connection's domain below ours wins. Mode "default" is
// a list in resolv.conf: there ours comes first, with priority 1, and gets every name; a
// negative priority would keep the host's own servers out of the file, and leave it
// without DNS when we are gone. A connection with a lower priority yet is said.
//
// The link itself. It was made by us, and NetworkManager lists it as "connected
// (externally)". Reapply with flag 1 (preserve-external-ip, since 1.42) leaves IPv4 and
// WireGuard as they are; without it, it takes everything off the link and the link down.
// Versions that do not know the flag are not asked, but for those before 1.27, which did
// not touch such a link. IPv6: see NmApplied::v6_ignored. What the first Reapply takes
// off there, the daemon puts back as with anybody else's doing.
//
// A link that NetworkManager does not manage (unmanaged-devices) cannot have servers
// there, which is said. It is never brought down or deleted through NetworkManager.
#pragma once

#include "agent/base/owned.hh"
#include "dns/os/bus_manager.hh"
#include "dns/os/bus_network_manager.hh"

namespace wigeon::dns::os {

class NetworkManager final : public BusManager {
 public:
  // left: a note "networkManager NAME …" of an earlier run.
  NetworkManager(Loop& loop, Bus& bus, std::optional<std::string> left, Events events);

 private:
  using Message = Owned<sd_bus_message, sd_bus_message_unref>;

  void round() override;
  void start_over() override;
  [[nodiscard]] bool covers(const std::string& note, const HostDns& dns) const override;
  [[nodiscard]] bool forgotten(const std::string& note) const override;
  void take_back();
  void on_manager();
  void find_device(const std::string& interface);
  void on_applied(sd_bus_message* m);
  void compare();
  void reapply(uint32_t flags);
  void on_reapplied(const Result<sd_bus_message*>& reply, uint32_t flags);
  void ask_version();
  void finish();

  NmDnsManager manager_{};
  size_t originals_left_out_ = 0;
  std::string device_{};  // its object path
  Message applied_{};
  NmApplied is_{}, wish_{};
  unsigned waited_ = 0;
  bool reapplied_ = false;  // it said that it took the wish
};

// Takes back what a note says, without a daemon. Blocks for at most limit. Fine when
// NetworkManager is not running or does not know the link: it has forgotten then.
Result<void> undo_network_manager(const std::string& note,
                                  std::chrono::milliseconds limit,
                                  const std::string& bus_address = system_bus_address());

}  // namespace wigeon::dns::os
