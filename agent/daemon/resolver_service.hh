// SPDX-License-Identifier: GPL-2.0-or-later
// Keeps the resolver process as it is wanted: listening where the rung says, with the
// zones of the map, started again with back_off() when it ends.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/base/loop.hh"
#include "agent/control/protocol.hh"
#include "agent/control/status.hh"
#include "agent/daemon/awaited.hh"
#include "agent/daemon/rung.hh"
#include "agent/model/config.hh"
#include "agent/model/zones.hh"
#include "dns/launcher.hh"

namespace wigeon {

struct ResolverWish {
  dns::ResolverConfig config{};      // without zones
  std::vector<Address> addresses{};  // of our link, which exist
  std::optional<Rung> rung{};        // nothing: nobody is led to it
  std::optional<Endpoint> listen_address{};

  friend bool operator==(const ResolverWish&, const ResolverWish&) = default;
};

class ResolverService {
 public:
  struct Events {
    // Call want() again with what is wanted, after the process ended. The names of all
    // peers are not kept here only for that.
    std::function<void()> renew = [] {};
    // These sockets are about to be the resolver's, or are already (without descriptors).
    std::function<void(Rung, const dns::ListenerSockets&)> opened =
        [](Rung, const dns::ListenerSockets&) {};
    // They cannot be what the rung needs.
    std::function<void(const std::string& why)> refused = [](const std::string&) {};
    std::function<void()> listening = [] {};  // it has them
    std::function<void()> applied = [] {};    // what was wanted is in force
  };
  ResolverService(Loop& loop, std::string program, Events events)
      : loop_(loop), program_(std::move(program)), events_(std::move(events)) {}

  // Idempotent: nothing happens when it is so already. The zones are not kept.
  void want(ResolverWish wish, const std::vector<dns::ZoneView>& zones);
  // Ends the process, which runs and does not answer; another one follows.
  void hangs(const std::string& why);
  // Ends the process, and with it its listeners.
  void stop();

  // Calls done, with fresh counters in status() when the resolver answers in time.
  void refresh(std::move_only_function<void()> done);
  // Forgets what is cached of a name, or of all when it is empty. done gets how many
  // entries that were, within a second; maybe before this returns.
  void flush(std::string name, Awaited<uint64_t>::Done done);
  // Asks as a client of this host would. done gets what came of it, within some seconds.
  void query(std::string name, uint16_t type, dns::Transport transport,
             Awaited<dns::Traced>::Done done);
  // Without what HostDnsKeeper fills in.
  [[nodiscard]] DnsStatus status() const;
  [[nodiscard]] std::vector<Degraded> degraded() const;

 private:
  void start(dns::Bytes config);
  Result<dns::ListenerChange> open();
  Result<void> move(bool same_sockets);
  void failed(std::string why);
  void refused(const std::string& why);
  void refreshed();
  void nobody_answers();
  [[nodiscard]] Failure no_resolver() const;
  dns::Resolver::Events events();

  Loop& loop_;
  std::string program_;
  Events events_;
  std::optional<ResolverWish> wish_{};
  uint64_t digest_ = 0;                 // of its configuration with the zones
  std::vector<std::string> domains_{};  // of the zones; of what others may see,
  std::vector<DnsZoneStatus> zones_{};  // and the first of these with more
  uint64_t hidden_zones_ = 0;           // what they may not
  std::unique_ptr<dns::Resolver> process_{};
  std::vector<Endpoint> listening_{};
  std::string failure_{};  // why no resolver runs, or the wished zones are not in force
  std::string sandbox_{};
  unsigned failures_ = 0;
  std::chrono::microseconds started_{};
  dns::Statistics statistics_{};
  WallTime statistics_at_ = kNever;
  Awaited<uint64_t> flushing_{};
  Awaited<dns::Traced> querying_{};
  std::vector<std::move_only_function<void()>> refreshing_{};
  Loop::Watch again_{}, deadline_{};
};

// The wigeon-resolver that belongs to this wigeond: beside it, or in ../lib/wigeon.
std::string resolver_program();

std::vector<dns::ZoneView> zone_views(const std::vector<ZoneData>& zones);

// The zones as `status` shows them, at most kMaxZonesListed: the wished ones, then the
// reverse zones that the resolver makes of them. The zone that we ask ourselves for
// (dns/os/probe.hh) is not for others to see.
std::vector<DnsZoneStatus> zone_list(const std::vector<dns::ZoneView>& zones,
                                     const std::vector<Prefix>& overlay);
bool is_probe_zone(std::string_view domain);

// As `status` shows them: the wish, and what the resolver counted of it at that time.
std::vector<DnsGroupStatus> group_list(const dns::ResolverConfig& config,
                                       const dns::Statistics& statistics, WallTime at);
void add_counters(const dns::Statistics& statistics, DnsStatus& status);

}  // namespace wigeon
