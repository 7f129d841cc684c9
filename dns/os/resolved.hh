// SPDX-License-Identifier: GPL-2.0-or-later
// systemd-resolved: our servers, domains and modes on our link, over D-Bus
// (org.freedesktop.resolve1(5)). Only what differs is written, and read back.
//
// The domains route only ("corp.example", true), except those that complete short names;
// "." routes only, and the link is a default route, when every name is ours. Without
// that, DefaultRoute is set to false: it is true by default for a link with servers and
// no domain that routes. Servers are written last, so that the link is asked nothing
// before all else holds.
//
// DNSSEC and DNS over TLS are off: our resolver is one hop away on this host and names of
// the overlay are not signed. LLMNR and mDNS are off: peers are no neighbours, and
// multicast does not pass a tunnel. resolved itself uses neither on a point-to-point
// link, so this matters only should it change its mind. What it refuses of these four is
// a note, no failure.
//
// What resolved forgets and when: a link's settings when the link goes; not when it
// restarts, unless its runtime directory was wiped. It signals changes of servers, of
// domains and modes not: those of others are found within half a minute.
//
// A link that systemd-networkd manages is refused (LinkBusy), which is said.
#pragma once

#include "dns/os/bus_manager.hh"
#include "dns/os/bus_resolved.hh"

namespace wigeon::dns::os {

class Resolved final : public BusManager {
 public:
  // left: a note "systemd INDEX NAME" of an earlier run.
  Resolved(Loop& loop, Bus& bus, std::optional<std::string> left, Events events);

 private:
  void round() override;
  void start_over() override;
  [[nodiscard]] bool covers(const std::string& note, const HostDns& dns) const override;
  [[nodiscard]] bool forgotten(const std::string& note) const override;
  void take_back();
  void look_at_own();
  void compare(const ResolvedLink& is);
  void write();
  void look_at_others();
  void look_at_next();
  void flush(Bus::Done done);
  void finish();
  [[nodiscard]] std::vector<std::string> notes() const;

  ResolvedManager manager_{};
  ResolvedWish wish_{};
  std::vector<ResolvedPart> to_write_{};
  std::vector<std::string> refused_{};
  std::vector<IfIndex> others_{};  // still to be looked at
  std::vector<Endpoint> found_{};
};

// Takes back what a note says, without a daemon. Blocks for at most limit. Fine when the
// link is not there any more; an error when resolved does not answer and the link is.
Result<void> undo_resolved(const std::string& note, std::chrono::milliseconds limit,
                           const std::string& bus_address = system_bus_address());

}  // namespace wigeon::dns::os
