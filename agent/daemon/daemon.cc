// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/daemon.hh"

#include <algorithm>
#include <csignal>
#include <cstring>

#include "agent/base/file.hh"
#include "agent/base/log.hh"
#include "agent/base/marks.hh"
#include "agent/control/listener.hh"
#include "agent/daemon/notify.hh"
#include "agent/model/desired.hh"
#include "agent/model/zones.hh"
#include "dns/resolv_conf.hh"

namespace wigeon {
namespace {

using namespace std::chrono_literals;

constexpr auto kSettle = 20ms;  // bursts of events become one reconcile
constexpr auto kTick = 30s;     // peers have no events: look at them
constexpr size_t kMaxEvents = 20;

Result<SecretKey> preshared_key(const Config& config) {
  if (!config.preshared_key.is_zero() || config.preshared_key_file.empty())
    return config.preshared_key;
  return load_secret_key(config.preshared_key_file);
}

std::string administrative_file(const Config& c) {
  return c.state_directory + "/state.json";
}

constexpr std::string_view kDownState = "{\"up\":false}\n";

// Settings that are built into what already runs.
std::vector<std::string_view> needs_restart(const Config& a, const Config& b) {
  std::vector<std::string_view> names;
  const auto differ = [&](std::string_view name, bool different) {
    if (different) names.push_back(name);
  };
  differ("interfaceName", a.interface_name != b.interface_name);
  differ("privateKeyFile", a.private_key_file != b.private_key_file);
  differ("source", a.source.file != b.source.file);
  differ("stateDirectory", a.state_directory != b.state_directory);
  differ("runtimeDirectory", a.runtime_directory != b.runtime_directory);
  differ("socketGroup", a.socket_group != b.socket_group);
  differ("tunnel", a.tunnel != b.tunnel);
  differ("routing.table", a.routing.table != b.routing.table);
  return names;
}

}  // namespace

Result<std::unique_ptr<Daemon>> Daemon::open(Config config, ConfigSources sources) {
  auto loop = TRY(Loop::open());
  auto lock = TRY(Lock::take(config.runtime_directory));
  TRY(make_directories(config.state_directory, 0700));
  auto key = TRY(load_or_make_private_key(config.private_key_file));
  auto preshared = TRY(preshared_key(config));
  auto journal = TRY(Journal::open(config.state_directory + "/journal"));
  auto kernel = TRY(LinuxKernel::open(config.tunnel, config.routing.table));
  std::unique_ptr<Daemon> d(new Daemon(std::move(config), std::move(sources),
                                       std::move(loop), std::move(lock), key, preshared,
                                       std::move(journal), std::move(kernel)));
  TRY(d->start());
  return d;
}

Daemon::Daemon(Config config, ConfigSources sources, Loop loop, Lock lock,
               const SecretKey& key, const SecretKey& preshared, Journal journal,
               std::unique_ptr<LinuxKernel> kernel)
    : config_(std::move(config)),
      sources_(std::move(sources)),
      loop_(std::move(loop)),
      lock_(std::move(lock)),
      key_(key),
      preshared_(preshared),
      journal_(std::move(journal)),
      kernel_(std::move(kernel)),
      engine_(*kernel_, journal_),
      maps_(config_.state_directory, key_.public_key()) {}

Daemon::~Daemon() = default;

Result<void> Daemon::start() {
  if (!journal_.moved_aside().empty())
    log::warning("the journal was unreadable; it is kept as {} and a new one begun",
                 journal_.moved_aside());
  up_ = read_file(administrative_file(config_), 4096).value_or("") != kDownState;
  signals_ =
      TRY(loop_.signals({SIGTERM, SIGINT, SIGHUP}, [this](int s) { on_signal(s); }));
  TRY(loop_.enable_watchdog());
  // Before anything is observed, so that no change in between goes unheard.
  monitor_ = TRY(netlink::Monitor::open(
      loop_, [this](const netlink::Heard& heard) { on_kernel(heard); }));
  soon_ = TRY(loop_.timer([this] { reconcile(); }));
  tick_ = TRY(loop_.after(kTick, [this] { on_tick(); }));
  resolver_ = std::make_unique<ResolverService>(loop_, resolver_program());
  server_ = TRY(Server::open(loop_,
                             {.path = config_.runtime_directory + "/wigeon.sock",
                              .group = find_group(config_.socket_group)},
                             lock_));
  handle_requests();
  // The last good one first: what the source says may replace it, or not.
  if (maps_.load_last_good(config_))
    log::info("going on with the last good map, serial {}", maps_.current()->serial);
  source_ = TRY(MapSource::open(loop_, config_.source.file,
                                [this](MapSource::Update u) { on_map(std::move(u)); }));
  return {};
}

Result<int> Daemon::run() {
  reconcile();
  notify::ready();
  log::info("wigeond {} runs; {} WireGuard, map {}", WIGEON_VERSION,
            kernel_->kernel_tunnel() ? "kernel" : "userspace", config_.source.file);
  return loop_.run();
}

void Daemon::on_signal(int signal) {
  if (signal == SIGHUP) {
    notify::reloading();
    (void)reload_settings();  // logged
    source_->reload();
    notify::reloaded();
    return;
  }
  log::info("{}: ending; link, peers and routes stay", ::strsignal(signal));
  notify::stopping();
  resolver_.reset();
  loop_.exit(0);
}

Result<void> Daemon::reload_settings() {
  const auto refuse = [](const std::string& why) {
    auto error = fail(EINVAL, "settings not reloaded, the old ones stay: " + why);
    log::error("{}", error.error().what);
    return error;
  };
  auto loaded = load_config(sources_);
  if (!loaded) return refuse('\n' + loaded.error().text());
  if (const auto names = needs_restart(config_, *loaded); !names.empty())
    return refuse(std::string(names[0]) + " needs a restart");
  auto preshared = preshared_key(*loaded);
  if (!preshared) return refuse(preshared.error().what);
  preshared_ = *preshared;
  config_ = std::move(*loaded);
  log::set_level(config_.log_level);
  log::set_format(config_.log_format);
  reconcile_soon(0ms);
  return {};
}

void Daemon::on_map(MapSource::Update update) {
  if (update.bytes) {
    // Refusals are logged and in status.
    (void)take_map(*update.bytes, config_.source.file, MapHolder::Force::no);
    return;
  }
  maps_.failed(update.error);
  log::error("network map: {}{}", update.error,
             maps_.current() ? "; the one in force stays" : "");
  event("ERROR", "SYSTEM", "network map: " + update.error);
  answer_waiters();
}

Result<void> Daemon::take_map(const std::string& bytes, const std::string& from,
                              MapHolder::Force force) {
  // A host that cannot be looked at is judged by reconcile(), which fails with the
  // reason.
  const auto host = kernel_->view(config_.interface_name).value_or(HostView{});
  if (auto taken = maps_.offer(bytes, from, config_, host, force); !taken) {
    log::error("network map refused: {}{}", taken.error().what,
               maps_.current() ? "; the one in force stays" : "");
    event("ERROR", "SYSTEM", "network map refused: " + taken.error().what);
    answer_waiters();
    return taken;
  }
  const NetworkMap& map = *maps_.current();
  log::info("network map accepted, serial {}, {} peers", map.serial,
            map.remote_peers.size());
  event("INFO", "SYSTEM", "network map accepted, serial " + std::to_string(map.serial));
  applied_ = false;
  look_again_ = lookup_ != nullptr;  // what is asked now are the old map's names
  look_up_names();
  reconcile_soon(0ms);
  return {};
}

void Daemon::on_kernel(const netlink::Heard& heard) {
  const auto& link = engine_.observed().link;
  const auto touches_us = [&](const netlink::Event& e) {
    using Kind = netlink::Event::Kind;
    if (e.by != 0 && e.by == kernel_->port()) return false;
    if (e.kind == Kind::address)
      return true;  // ours, or one that a prefix may now overlap
    if (e.kind == Kind::link && e.name == config_.interface_name) return true;
    if (link && e.link == link->index) return true;
    return (e.kind == Kind::route || e.kind == Kind::rule) &&
           e.protocol == kRouteProtocol;
  };
  // While it fails, the events are mostly of our own attempts, and the next one has its
  // time. Only a foreign link in our place is worth watching: that it went is not our
  // doing.
  const bool foreign = link && !engine_.observed().link_is_ours;
  const auto foreign_link_went = [&](const netlink::Event& e) {
    return foreign && e.kind == netlink::Event::Kind::link && e.removed &&
           e.name == config_.interface_name;
  };
  if (failures_ > 0) {
    if (std::ranges::any_of(heard.events, foreign_link_went)) reconcile_soon(kSettle);
    return;
  }
  if (heard.overrun || std::ranges::any_of(heard.events, touches_us))
    reconcile_soon(kSettle);
}

void Daemon::on_tick() {
  reconcile_soon(0ms);
  look_up_names();
  (void)tick_.restart(kTick);  // cannot fail for a timer that exists
}

void Daemon::look_up_names() {
  if (!up_ || !maps_.current() || lookup_) return;
  std::vector<HostPort> names;
  std::map<HostPort, Endpoint> known;
  for (const auto& p : maps_.current()->remote_peers) {
    if (!p.endpoint || Address::parse(p.endpoint->host)) continue;
    const auto seen = seen_.find(p.key);
    const bool fresh = seen != seen_.end() && seen->second.state == PeerState::connected;
    const auto at = resolved_.find(*p.endpoint);
    if (at != resolved_.end()) known.insert(*at);
    if (!fresh || at == resolved_.end()) names.push_back(*p.endpoint);
  }
  resolved_ = std::move(known);  // names that no map has any more are forgotten
  if (names.empty()) return;
  auto lookup = Lookup::start(
      loop_, names,
      [this](const std::map<HostPort, Endpoint>& found) { on_names(found); });
  if (!lookup) return log::warning("resolving endpoints: {}", lookup.error().what);
  lookup_ = std::move(*lookup);
}

void Daemon::on_names(const std::map<HostPort, Endpoint>& found) {
  lookup_.reset();
  bool changed = false;
  for (const auto& [name, endpoint] : found) {
    auto& known = resolved_[name];
    changed |= known != endpoint;
    known = endpoint;
  }
  if (changed) reconcile_soon(0ms);
  if (std::exchange(look_again_, false)) look_up_names();
}

void Daemon::reconcile_soon(std::chrono::milliseconds delay) {
  // Never later than it was promised already, or a stream of events would put it off for
  // ever.
  const auto due = Loop::now() + delay;
  if (due_ && *due_ <= due) return;
  // A timer that cannot be armed promises nothing: the next event tries again.
  if (soon_.restart(delay)) due_ = due;
}

void Daemon::reconcile() {
  due_.reset();
  (void)soon_.disarm();
  auto done = up_ ? reconcile_up() : reconcile_down();
  const bool was_applied = applied_;
  applied_ = done.has_value() && (!up_ || maps_.current());
  if (!done) {
    ++failures_;
    const auto wait = back_off(failures_);
    if (failures_ == 1 || done.error().what != failure_) {
      log::error("{}, trying again in {} ms", done.error().what, wait.count());
      event("ERROR", "NETWORK", done.error().what);
    }
    failure_ = done.error().what;
    reconcile_soon(wait);
  } else {
    failures_ = 0;
    failure_.clear();
  }
  if (applied_ && !was_applied && up_) applied_at_ = std::chrono::system_clock::now();
  notify::status(!failure_.empty() ? failure_
                 : !up_            ? "down"
                 : applied_
                     ? "serial " + std::to_string(maps_.current()->serial) + " in force"
                     : "waiting for a network map");
  answer_waiters();
}

Result<void> Daemon::reconcile_up() {
  if (!maps_.current()) return {};
  TRY(engine_.remove_others(config_.interface_name));
  auto host = TRY(kernel_->view(config_.interface_name));
  host.dns_servers = original_servers();
  TRY(maps_.judge(host, resolved_, config_));
  Desired d =
      desired(config_, *maps_.current(), key_, preshared_, resolved_, maps_.accepted());
  d.link_kind = kernel_->link_kind();
  const auto outcome = TRY(engine_.reconcile(d));
  operations_ += outcome.operations;
  if (outcome.operations > 0) log::debug("done:\n{}", outcome.transcript);
  note_peers(engine_.observed(), std::chrono::system_clock::now(), seen_);
  update_resolver();
  return {};
}

std::vector<Address> Daemon::own_addresses() const {
  std::vector<Address> own;
  const auto& c = maps_.current()->peer_config;
  if (c.address) own.push_back(c.address->address);
  if (c.address_v6 && !config_.disable_ipv6) own.push_back(c.address_v6->address);
  return own;
}

// The host's original servers matter twice: no network of the map may cover them, and the
// resolver asks them. We may be in that file ourselves.
std::vector<Address> Daemon::original_servers() const {
  const auto own = own_addresses();
  std::vector<Address> servers;
  const auto text = read_file("/etc/resolv.conf", dns::kMaxResolvConf).value_or("");
  for (const auto& n : dns::parse_resolv_conf(text).nameservers)
    if (n.zone.empty() && std::ranges::find(own, n.address) == own.end())
      servers.push_back(n.address);
  return servers;
}

void Daemon::update_resolver() {
  ResolverWish wish;
  wish.addresses = own_addresses();
  wish.redirect = config_.dns.redirect;
  wish.listen_address = config_.dns.listen_address;
  wish.config.zones = zone_configs(dns_zones(config_, *maps_.current()));
  for (const auto& a : original_servers()) wish.config.upstreams.push_back({a, 53});
  wish.config.own_addresses = wish.addresses;
  wish.config.allow_from = config_.dns.allow_from;
  wish.config.overlay = maps_.current()->peer_config.networks();
  resolver_->want(std::move(wish));
}

Result<void> Daemon::reconcile_down() {
  // Names first: the host must not be left asking somebody who is gone.
  resolver_->stop();
  TRY(engine_.remove_others(config_.interface_name));
  Desired nothing;
  nothing.up = false;
  nothing.link = config_.interface_name;
  const auto outcome = TRY(engine_.reconcile(nothing));
  operations_ += outcome.operations;
  seen_.clear();
  return {};
}

void Daemon::event(std::string_view severity, std::string_view category,
                   std::string message) {
  if (events_.size() == kMaxEvents) events_.erase(events_.begin());
  EventStatus e;
  e.id = std::to_string(Loop::now().count());
  e.severity = severity;
  e.category = category;
  e.user_message = message;
  e.message = std::move(message);
  e.timestamp = std::chrono::system_clock::now();
  events_.push_back(std::move(e));
}

}  // namespace wigeon
