// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/daemon.hh"

#include <csignal>
#include <cstring>

#include "agent/base/file.hh"
#include "agent/base/log.hh"
#include "agent/control/listener.hh"
#include "agent/daemon/administrative.hh"
#include "agent/daemon/notify.hh"
#include "agent/daemon/state_files.hh"

namespace wigeon {
namespace {

using namespace std::chrono_literals;

constexpr size_t kMaxEvents = 20;

Result<SecretKey> preshared_key(const Config& config) {
  if (!config.preshared_key.is_zero() || config.preshared_key_file.empty())
    return config.preshared_key;
  return load_secret_key(config.preshared_key_file);
}

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
  auto journal = TRY(Journal::open(journal_file(config.state_directory)));
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
      maps_(config_.state_directory, key_.public_key()),
      routes_(config_.state_directory, key_.public_key()),
      foreign_(journal_) {}

Daemon::~Daemon() = default;

Result<void> Daemon::start() {
  if (!journal_.moved_aside().empty())
    log::warning("the journal was unreadable; it is kept as {} and a new one begun",
                 journal_.moved_aside());
  up_ = read_administrative(config_.state_directory);
  signals_ =
      TRY(loop_.signals({SIGTERM, SIGINT, SIGHUP}, [this](int s) { on_signal(s); }));
  TRY(loop_.enable_watchdog());
  // Before anything is observed, so that no change in between goes unheard.
  TRY(start_watching());
  if (auto loaded = routes_.load(); !loaded)
    log::warning("{}; every network is selected", loaded.error().what);
  TRY(open_firewalld());
  TRY(open_redirect());
  TRY(open_host_dns());
  open_resolver();
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
  auto code = loop_.run();
  redirect_->withdraw();  // nobody is left to answer
  return code;
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
  leave();
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
  wish_changed();
  host_stale_ = true;
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
  (void)look_at_host();
  const auto own = own_addresses();
  if (auto taken = maps_.offer(bytes, from, config_, host_, resolved_, force); !taken) {
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
  wish_changed();
  map_is_new_ = true;
  judge_again_ = false;  // it was judged on this host, and with what names stand for
  // Which DNS servers are the host's own depends on our addresses.
  host_stale_ |= own != own_addresses() || host_served_ != own_networks();
  names_again_ = lookup_ != nullptr;  // what is asked now are the old map's names
  look_up_names();
  reconcile_soon(0ms);
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
