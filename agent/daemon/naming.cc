// SPDX-License-Identifier: GPL-2.0-or-later
// The daemon's side of names: what the resolver shall know and the host be told.
#include <algorithm>

#include "agent/base/file.hh"
#include "agent/base/log.hh"
#include "agent/daemon/daemon.hh"
#include "agent/daemon/state_files.hh"
#include "agent/model/host_domains.hh"
#include "dns/os/make.hh"
#include "dns/resolv_conf.hh"

namespace wigeon {

using namespace std::chrono_literals;

namespace {

constexpr std::chrono::seconds kLeaveLimit{3};  // the host's DNS may take to be left

std::vector<dns::GroupConfig> group_configs(const DnsConfig& from) {
  std::vector<dns::GroupConfig> groups;
  if (!from.service_enable) return groups;
  for (const auto& g : from.groups) {
    dns::GroupConfig to{.primary = g.primary};
    for (const auto& s : g.servers) to.servers.push_back({s.ip, s.port});
    for (const auto& d : g.domains) to.domains.push_back(d.text());
    if (to.servers.size() > dns::kMaxGroupServers)
      to.servers.resize(dns::kMaxGroupServers);
    if (!to.servers.empty()) groups.push_back(std::move(to));
  }
  return groups;
}

}  // namespace

// Before anything may call want(): what an earlier run attached is in the journal.
Result<void> Daemon::open_redirect() {
  RedirectKeeper::Notes left;
  for (const auto& e : journal_.entries())
    if (e.kind == kRedirectJournalKind) left.push_back(e.detail);
  if (!journal_.moved_aside().empty())
    for (const auto& note : redirect_notes(config_.bpf_directory)) {
      TRY(journal_.write({{true, {kRedirectJournalKind, note}}}));
      left.push_back(note);
    }
  RedirectKeeper::Parts parts;
  const auto pins = config_.bpf_directory;
  parts.make = [pins](Rung r) { return make_redirect(r, pins); };
  parts.note = [pins](Rung r) { return redirect_note(r, pins); };
  parts.undo = undo_redirect;
  parts.probe = [this](const std::vector<Endpoint>& servers,
                       RedirectKeeper::Parts::ProbeDone done) -> std::shared_ptr<void> {
    auto probe = dns::os::Probe::start(loop_, probe_record_, servers, kProbeLimit,
                                       std::move(done));
    if (!probe) log::error("asking our resolver: {}", probe.error().what);
    return probe ? std::shared_ptr<void>(std::move(*probe)) : nullptr;
  };
  RedirectKeeper::Events events;
  events.changing = [this](const std::string& note) {
    return journal_.write({{true, {kRedirectJournalKind, note}}});
  };
  events.undone = [this](const std::string& note) {
    if (auto w = journal_.write({{false, {kRedirectJournalKind, note}}}); !w)
      log::warning("{}", w.error().what);
  };
  events.another_rung = [this] {
    if (up_ && maps_.current()) update_resolver();
  };
  events.hangs = [this](const std::string& why) { resolver_->hangs(why); };
  events.changed = [this] { answer_waiters(); };
  redirect_.emplace(loop_, std::move(parts), left, std::move(events));
  return {};
}

void Daemon::open_resolver() {
  ResolverService::Events events;
  events.renew = [this] {
    if (up_ && maps_.current()) update_resolver();
  };
  events.opened = [this](Rung rung, const dns::ListenerSockets& sockets) {
    redirect_->opened(rung, sockets);
  };
  events.refused = [this](const std::string& why) { redirect_->refuse(why); };
  events.listening = [this] { redirect_->ready(); };
  events.applied = [this] {
    host_dns_->probe_again();
    redirect_->ready();
  };
  resolver_ =
      std::make_unique<ResolverService>(loop_, resolver_program(), std::move(events));
}

// Before anything may call want(): what an earlier run told the host is in the journal.
Result<void> Daemon::open_host_dns() {
  HostDnsKeeper::Notes left;
  for (const auto& e : journal_.entries())
    if (e.kind == kDnsJournalKind) left.push_back(e.detail);
  if (!journal_.moved_aside().empty())
    for (auto& note : dns::os::recognise()) {
      TRY(journal_.write({{true, {kDnsJournalKind, note}}}));
      left.push_back(std::move(note));
    }
  const std::string base = resolv_conf_base(config_.state_directory);
  HostDnsKeeper::Parts parts;
  parts.make = [this, base](dns::os::ManagerKind kind, const HostDnsKeeper::Notes& notes,
                            dns::os::HostManager::Events events) {
    return dns::os::make_manager(kind, loop_, *bus_, base, notes, std::move(events));
  };
  parts.probe = [this](const std::vector<Endpoint>& servers,
                       HostDnsKeeper::Parts::ProbeDone done) -> std::shared_ptr<void> {
    return redirect_->ask(servers, std::move(done));
  };
  HostDnsKeeper::Events events;
  events.changing = [this](const std::string& note) {
    return journal_.write({{true, {kDnsJournalKind, note}}});
  };
  events.undone = [this](const std::string& note) {
    if (auto w = journal_.write({{false, {kDnsJournalKind, note}}}); !w)
      log::warning("{}", w.error().what);
  };
  events.changed = [this] { on_host_dns(); };
  host_dns_.emplace(loop_, std::move(parts), left, std::move(events));
  environment_ = TRY(dns::os::EnvironmentWatch::open(
      loop_, *bus_, {.base = base}, [this](const dns::os::Environment& e) {
        host_dns_->choose(dns::os::choose_manager(e, asked_manager(config_.dns.manager)));
      }));
  return {};
}

void Daemon::on_host_dns() {
  if (up_ && maps_.current() && original_servers() != original_servers_) {
    host_stale_ = true;
    reconcile_soon(0ms);
  }
  if (!up_ && !applied_ && host_dns_->settled()) reconcile_soon(0ms);
  if (leaving_ && host_dns_->settled()) loop_.exit(0);
  answer_waiters();
}

// The host's original servers matter twice: no network of the map may cover them, and the
// resolver asks them. Its file may name ourselves.
std::vector<Endpoint> Daemon::original_servers() const {
  std::vector<Endpoint> servers;
  if (auto known = host_dns_->originals()) {
    servers = std::move(*known);
  } else {
    const auto text = read_file("/etc/resolv.conf", dns::kMaxResolvConf).value_or("");
    for (const auto& n : dns::parse_resolv_conf(text).nameservers)
      if (const auto e = dns::endpoint_of(n)) servers.push_back(*e);
  }
  const auto own = own_addresses();
  std::erase_if(servers, [&](const Endpoint& e) {
    return std::ranges::find(own, e.address) != own.end();
  });
  return servers;
}

void Daemon::tell_host(const ResolverWish& wish, const std::vector<ZoneData>& zones) {
  if (config_.dns.redirect == DnsRedirect::off) {
    host_dns_->withdraw();
  } else {
    dns::os::HostDns host{
        .interface = config_.interface_name,
        .servers = config_.dns.listen_address
                       ? std::vector{config_.dns.listen_address->address}
                       : wish.addresses};
    if (const auto& link = engine_.observed().link) host.index = link->index;
    const auto names = host_domains(config_, *maps_.current(), zones);
    host.all_names = names.all_names;
    for (const auto& d : names.domains) host.domains.push_back({d.name, d.is_search});
    if (!host.domains.empty())
      for (const auto& p : wish.config.overlay)
        for (auto& zone : dns::reverse_zones(p)) host.domains.push_back({zone, false});
    std::ranges::sort(host.domains, {}, &dns::os::HostDomain::name);
    host_dns_->want(std::move(host));
  }
}

void Daemon::update_resolver() {
  const auto& map = *maps_.current();
  const auto zones = dns_zones(config_, map);
  ResolverWish wish;
  wish.addresses = own_addresses();
  wish.listen_address = config_.dns.listen_address;
  wish.config.groups = group_configs(map.dns);
  wish.config.upstreams = original_servers_;
  if (wish.config.upstreams.size() > dns::kMaxUpstreams)
    wish.config.upstreams.resize(dns::kMaxUpstreams);
  wish.config.own_addresses = wish.addresses;
  wish.config.allow_from = config_.dns.allow_from;
  wish.config.serve_stale = config_.dns.serve_stale;
  wish.config.overlay = map.peer_config.networks();
  // Whoever is allowed besides may come by any interface.
  if (const auto& link = engine_.observed().link;
      link && !config_.dns.listen_address && config_.dns.allow_from.empty())
    wish.config.interfaces.push_back(static_cast<uint32_t>(link->index));

  tell_host(wish, zones);
  if (config_.dns.redirect == DnsRedirect::off) {
    redirect_->withdraw();
    return resolver_->stop();
  }
  // An address that was asked for is told to the host as it is.
  if (config_.dns.listen_address)
    redirect_->want(DnsRedirect::bind, {config_.dns.listen_address->address});
  else
    redirect_->want(config_.dns.redirect, wish.addresses);
  wish.rung = redirect_->rung();
  auto views = zone_views(zones);
  const auto probe_zone = probe_record_.zone();
  views.push_back(dns::view_of(probe_zone));
  resolver_->want(std::move(wish), views);
}

// Going down begins with the host's names: it must not be left asking somebody who is
// gone. False: they are on their way, and on_host_dns() goes on.
bool Daemon::names_left() {
  if (host_dns_->settled() && host_dns_->withdrawn()) return true;
  host_dns_->withdraw();
  if (host_dns_->settled()) return true;
  const auto now = Loop::now();
  if (!leave_until_) leave_until_ = now + kLeaveLimit;
  if (now >= *leave_until_) return true;
  reconcile_soon(std::chrono::ceil<std::chrono::milliseconds>(*leave_until_ - now));
  return false;
}

void Daemon::leave() {
  leaving_ = true;
  host_dns_->withdraw();
  auto limit = loop_.after(kLeaveLimit, [this] {
    log::error("the host's DNS could not be left in time");
    loop_.exit(0);
  });
  if (!limit || host_dns_->settled()) return loop_.exit(0);  // or nothing waits for it
  leave_limit_ = std::move(*limit);
}

}  // namespace wigeon
