// SPDX-License-Identifier: GPL-2.0-or-later
// Keeps the resolver process as it is wanted: listening where dns.redirect says, with the
// zones of the map, started again with back_off() when it ends.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/base/loop.hh"
#include "agent/control/status.hh"
#include "agent/model/config.hh"
#include "agent/model/zones.hh"
#include "dns/launcher.hh"

namespace wigeon {

struct ResolverWish {
  dns::ResolverConfig config{};
  std::vector<Address> addresses{};  // of our link, which exist
  DnsRedirect redirect = DnsRedirect::automatic;
  std::optional<Endpoint> listen_address{};

  friend bool operator==(const ResolverWish&, const ResolverWish&) = default;
};

class ResolverService {
 public:
  // renew: calls want() again with what is wanted, after the process ended. The names of
  // all peers are not kept here only for that.
  ResolverService(Loop& loop, std::string program, std::function<void()> renew)
      : loop_(loop), program_(std::move(program)), renew_(std::move(renew)) {}

  // Idempotent: nothing happens when it is so already.
  void want(ResolverWish wish);
  // Ends the process, and with it its listeners.
  void stop();

  // Calls done, with fresh counters in status() when the resolver answers in time.
  void refresh(std::move_only_function<void()> done);
  [[nodiscard]] DnsStatus status() const;
  [[nodiscard]] std::vector<Degraded> degraded() const;

 private:
  void start(const dns::ResolverConfig& config);
  void failed(std::string why);
  void refreshed();
  dns::Resolver::Events events();

  Loop& loop_;
  std::string program_;
  std::function<void()> renew_;
  std::optional<ResolverWish> wish_{};  // its zones without their records
  uint64_t records_ = 0;                // digest of those
  std::unique_ptr<dns::Resolver> process_{};
  std::vector<Endpoint> listening_{};
  std::string failure_{};  // why no resolver runs, or the wished zones are not in force
  std::string sandbox_{};
  unsigned failures_ = 0;
  std::chrono::microseconds started_{};
  dns::Statistics statistics_{};
  std::vector<std::move_only_function<void()>> refreshing_{};
  Loop::Watch again_{}, deadline_{};
};

// The wigeon-resolver that belongs to this wigeond: beside it, or in ../lib/wigeon.
std::string resolver_program();

std::vector<dns::ZoneConfig> zone_configs(const std::vector<ZoneData>& zones);

}  // namespace wigeon
