// SPDX-License-Identifier: GPL-2.0-or-later
// The composition root: owns every part and reacts to what they hear.
//
// Start: key -> lock -> journal -> kernel -> monitor -> socket -> map (or the last good
// one)
//        -> reconcile -> resolver -> READY=1.
// Every event ends in reconcile_soon(): a new map, a change in the kernel, a host name
// that resolves to something else, a timer. A failure is tried again with back_off().
// SIGTERM: the host's DNS is taken back, the resolver and we end; link, peers and routes
// stay. `wigeon down` undoes them.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/base/bus.hh"
#include "agent/base/loop.hh"
#include "agent/control/server.hh"
#include "agent/core/kernel_linux.hh"
#include "agent/core/reconcile.hh"
#include "agent/daemon/endpoint_keeper.hh"
#include "agent/daemon/firewalld.hh"
#include "agent/daemon/foreign_rules.hh"
#include "agent/daemon/host_dns.hh"
#include "agent/daemon/lookup.hh"
#include "agent/daemon/map_holder.hh"
#include "agent/daemon/map_source.hh"
#include "agent/daemon/peer_history.hh"
#include "agent/daemon/peer_watch.hh"
#include "agent/daemon/redirect_keeper.hh"
#include "agent/daemon/repair_budget.hh"
#include "agent/daemon/report.hh"
#include "agent/daemon/resolver_service.hh"
#include "agent/daemon/route_keeper.hh"
#include "agent/daemon/sysctl_watch.hh"
#include "agent/model/load_config.hh"
#include "agent/model/names_due.hh"
#include "agent/model/nft_table.hh"
#include "agent/model/zones.hh"
#include "dns/os/environment.hh"
#include "dns/os/probe.hh"
#include "netlink/monitor.hh"
#include "netlink/nft_monitor.hh"

namespace wigeon {

class Daemon {
 public:
  // Nothing on the host has changed on failure. EALREADY: another daemon runs.
  static Result<std::unique_ptr<Daemon>> open(Config config, ConfigSources sources);
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  // Until SIGTERM or SIGINT; the exit code.
  Result<int> run();

 private:
  Daemon(Config config, ConfigSources sources, Loop loop, Lock lock, const SecretKey& key,
         const SecretKey& preshared, Journal journal,
         std::unique_ptr<LinuxKernel> kernel);
  Result<void> start();

  // What is heard.
  void on_map(MapSource::Update update);
  Result<void> start_watching();
  void watch_peers();
  void on_kernel(const netlink::Heard& heard);
  void on_nft(const netlink::NftHeard& heard);
  void look();
  void take_look(const Engine::Look& seen);
  void look_failed(const Error& error);
  // cost: CPU time of the last look; none: there was none just now.
  void look_again(std::optional<std::chrono::nanoseconds> cost);
  void watch_sysctls();
  void look_at_sysctls();
  void on_signal(int signal);
  void on_tick();
  void on_names(const Resolved& found);

  // What is done about it.
  // What is done next is not only putting right what somebody else changed.
  void wish_changed() { repairing_ = false; }
  void reconcile_soon(std::chrono::milliseconds delay);
  void reconcile();
  void count_repairs(const Engine::Outcome& outcome);
  [[nodiscard]] std::vector<Prefix> own_networks() const;
  Result<void> look_at_host();
  Result<void> take_up();
  Desired wanted();
  Result<void> reconcile_up();
  Result<void> reconcile_down();
  Result<void> take_map(const std::string& bytes, const std::string& from,
                        MapHolder::Force force);
  void look_up_names();
  Result<void> open_redirect();
  Result<void> open_host_dns();
  void on_host_dns();
  void open_resolver();
  void update_resolver();
  void tell_host(const ResolverWish& wish, const std::vector<ZoneData>& zones);
  bool names_left();
  [[nodiscard]] bool names_settled() const {
    return redirect_->settled() && host_dns_->settled();
  }
  void leave();
  Result<void> open_firewalld();
  [[nodiscard]] bool is_router() const;  // forwards for peers
  [[nodiscard]] IntoOverlay into_overlay() const;
  [[nodiscard]] std::vector<Address> own_addresses() const;
  [[nodiscard]] std::vector<Endpoint> original_servers() const;
  Result<void> reload_settings();
  void set_administrative(bool up);

  // Requests.
  void handle_requests();
  void handle_up(const Request& request, Server::Reply reply);
  void handle_down(Server::Reply reply);
  void answer_waiters();
  void handle_networks();
  void handle_dns();
  using ChangeSelection = Result<void> (RouteKeeper::*)(const NetworkMap&,
                                                        const Accepted&,
                                                        const NetworksParams&);
  void change_networks(const Request& request, Server::Reply reply,
                       ChangeSelection change);
  [[nodiscard]] RoutingStatus routing_status() const;
  void handle_status(Server::Reply reply);
  [[nodiscard]] std::string status();
  [[nodiscard]] std::vector<Degraded> degraded() const;
  [[nodiscard]] std::vector<std::string> left_over() const;
  void event(std::string_view severity, std::string_view category, std::string message);

  Config config_;
  ConfigSources sources_;
  Loop loop_;
  Lock lock_;
  SecretKey key_, preshared_;
  Journal journal_;
  std::unique_ptr<LinuxKernel> kernel_;
  Engine engine_;
  MapHolder maps_;
  std::unique_ptr<ResolverService> resolver_{};

  bool up_ = true;         // the administrator's wish, kept over restarts
  bool applied_ = false;   // what is wanted was there after the last reconcile()
  std::string failure_{};  // why not
  unsigned failures_ = 0;
  uint64_t operations_ = 0;
  WallTime applied_at_ = kNever;
  Resolved resolved_{};
  PeerHistory history_{};
  std::string look_failure_{};  // why the peers could not be looked at last
  HostView host_{};
  std::vector<Endpoint> original_servers_{};  // when host_ was looked at
  bool host_stale_ = true;          // host_ is to be read again, and the map judged on it
  bool host_routes_stale_ = false;  // the same, but not before host_due_
  std::chrono::microseconds host_due_{}, host_due_lost_{};  // where news were lost
  std::vector<Prefix> host_served_{};  // the networks that host_ was read for
  bool judge_again_ = true;
  bool map_is_new_ = false;  // and judged, but nothing was made of it yet
  bool repairing_ = false;   // nothing new is wanted since the last time
  RepairBudget repair_budget_{};
  uint64_t repairs_ = 0;
  std::string last_repair_{};
  uint64_t fingerprint_ = 0;
  RouteKeeper routes_;
  EndpointKeeper endpoints_{};
  NamesAsked asked_{};
  std::optional<std::chrono::milliseconds>
      trial_{};  // of an endpoint: look again by then
  std::vector<Refusal> forwarding_refused_{};
  uint64_t nft_rules_ = 0;
  std::vector<Dnat> forwarded_{};  // forwarding rules in force
  bool taken_up_ = false;
  std::vector<std::string> notes_{};  // what of the wish could not be had
  ForeignRules foreign_;
  std::string foreign_left_{};  // why its rules could not be taken back
  std::vector<EventStatus> events_{};

  struct Waiter {
    Server::Reply reply;
    bool up = true;
  };
  std::vector<Waiter> waiters_{};

  std::unique_ptr<Lookup> lookup_{};
  bool names_again_ = false;  // a map came while lookup_ was at work
  std::optional<netlink::Monitor> monitor_{};
  std::optional<netlink::NftMonitor> nft_monitor_{};
  std::optional<PeerWatch> peer_watch_{};
  SysctlWatch sysctl_watch_{};
  IfIndex watched_link_ = IfIndex::none;
  std::unique_ptr<Bus> bus_{};
  std::optional<Firewalld> firewalld_{};
  const dns::os::ProbeRecord probe_record_ = dns::os::ProbeRecord::make();
  std::optional<RedirectKeeper> redirect_{};
  std::shared_ptr<void> walking_{};
  std::optional<HostDnsKeeper> host_dns_{};
  std::unique_ptr<dns::os::EnvironmentWatch> environment_{};
  std::optional<std::chrono::microseconds> leave_until_{};
  bool leaving_ = false;  // SIGTERM came
  std::optional<MapSource> source_{};
  std::optional<Server> server_{};
  std::optional<std::chrono::microseconds> due_{};  // of soon_, when it is armed
  Loop::Watch soon_{}, look_soon_{}, sysctl_look_{}, names_{}, tick_{}, signals_{},
      leave_limit_{};
};

}  // namespace wigeon
