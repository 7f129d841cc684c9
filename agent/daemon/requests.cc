// SPDX-License-Identifier: GPL-2.0-or-later
// What the daemon answers on its socket.
#include "agent/base/file.hh"
#include "agent/base/log.hh"
#include "agent/daemon/daemon.hh"
#include "agent/model/limits.hh"

namespace wigeon {

using namespace std::chrono_literals;

void Daemon::handle_requests() {
  server_->on("version", Permission::read, [](const Request&, Server::Reply r) {
    r.result(encode(VersionResult{WIGEON_VERSION}));
  });
  server_->on("status", Permission::read,
              [this](const Request&, Server::Reply r) { handle_status(std::move(r)); });
  server_->on("up", Permission::change,
              [this](const Request& q, Server::Reply r) { handle_up(q, std::move(r)); });
  server_->on("down", Permission::change,
              [this](const Request&, Server::Reply r) { handle_down(std::move(r)); });
  server_->on("reload", Permission::root_change, [this](const Request&, Server::Reply r) {
    const auto settings = reload_settings();
    source_->reload();  // on_map() has been called when it returns
    if (!settings) return r.fail(Code::invalid_config, settings.error().what);
    if (!maps_.error().empty()) return r.fail(Code::invalid_config, maps_.error());
    r.result("{}");
  });
  server_->on("log_level", Permission::root_read, [](const Request& q, Server::Reply r) {
    const auto params = decode_log_level(q.params);
    if (!params) return r.fail(Code::usage, params.error().what);
    const auto level = log::parse_level(params->level);
    if (!level) return r.fail(Code::usage, level.error().what);
    log::set_level(*level);
    r.result("{}");
  });
}

void Daemon::set_administrative(bool up) {
  if (up_ == up) return;
  up_ = up;
  applied_ = false;
  const std::string_view text = up ? "{\"up\":true}\n" : "{\"up\":false}\n";
  if (auto kept = replace_file(config_.state_directory + "/state.json", text, 0600);
      !kept)
    log::warning("{}; a restart will not remember it", kept.error().what);
}

void Daemon::handle_up(const Request& request, Server::Reply reply) {
  auto params = decode_up(request.params);
  if (!params) return reply.fail(Code::usage, params.error().what);
  if ((params->map || params->force) && reply.caller().uid != 0)
    return reply.fail(Code::not_permitted, "only root may give a map or force one");
  const auto force = params->force ? MapHolder::Force::yes : MapHolder::Force::no;
  const auto take = [&](const std::string& bytes, const std::string& from) -> bool {
    auto taken = take_map(bytes, from, force);
    if (!taken) reply.fail(Code::invalid_config, taken.error().what);
    return taken.has_value();
  };
  if (params->map) {
    if (!take(*params->map, "the client's map")) return;
  } else if (params->force) {
    const auto bytes = read_file(config_.source.file, kMaxMapBytes);
    if (!bytes)
      return reply.fail(Code::invalid_config,
                        config_.source.file + ": " + bytes.error().what);
    if (!take(*bytes, config_.source.file)) return;
  }
  if (up_ && applied_ && failure_.empty())
    return reply.result(encode(ChangeResult{.already = true}));
  set_administrative(true);
  look_up_names();
  reconcile_soon(0ms);
  if (!params->wait) return reply.result(encode(ChangeResult{}));
  reply.end_turn();  // a `down` need not wait until we are up
  waiters_.push_back({std::move(reply), true});
}

void Daemon::handle_down(Server::Reply reply) {
  if (!up_ && applied_) return reply.result(encode(ChangeResult{.already = true}));
  set_administrative(false);
  waiters_.push_back({std::move(reply), false});
  reconcile_soon(0ms);
}

// After each reconcile(), and when a map was refused.
void Daemon::answer_waiters() {
  auto waiters = std::exchange(waiters_, {});
  for (auto& w : waiters) {
    if (w.up != up_) {
      w.reply.fail(Code::error, "overtaken by another request");
    } else if (!failure_.empty()) {
      w.reply.fail(Code::error, failure_);
    } else if (applied_) {
      w.reply.result(encode(ChangeResult{}));
    } else if (!maps_.current()) {
      w.reply.fail(Code::invalid_config,
                   "there is no network map in force: " + maps_.error());
    } else {
      waiters_.push_back(std::move(w));
    }
  }
}

std::vector<Degraded> Daemon::degraded() const {
  std::vector<Degraded> list;
  if (!failure_.empty()) list.push_back({"engine", failure_, Severity::error});
  if (!maps_.error().empty())
    list.push_back(
        {"map", maps_.error(), maps_.current() ? Severity::warning : Severity::error});
  for (const auto& r : maps_.refusals())
    list.push_back({"map", r.what + ": " + r.reason, Severity::warning});
  for (auto& d : resolver_->degraded()) list.push_back(std::move(d));
  return list;
}

void Daemon::handle_status(Server::Reply reply) {
  resolver_->refresh([this, r = std::move(reply)]() mutable { r.result(status()); });
}

std::string Daemon::status() {
  if (up_ && maps_.current()) {
    if (auto fresh = engine_.refresh(config_.interface_name); !fresh)
      log::debug("status: {}", fresh.error().what);
    else
      note_peers(engine_.observed(), std::chrono::system_clock::now(), seen_);
  }
  ReportInput in{.config = &config_,
                 .map = maps_.current(),
                 .observed = &engine_.observed(),
                 .seen = &seen_,
                 .public_key = key_.public_key(),
                 .up = up_,
                 .applied = applied_,
                 .kernel_tunnel = kernel_->kernel_tunnel(),
                 .operations = operations_,
                 .map_status = maps_.status(),
                 .degraded = degraded(),
                 .events = events_};
  in.map_status.source = "file://" + config_.source.file;
  in.map_status.applied_at = applied_at_;
  for (const auto& r : maps_.refusals()) in.refused.push_back({r.what, r.reason});
  if (resolver_) in.dns = resolver_->status();
  return to_json(make_report(in, std::chrono::system_clock::now()));
}

}  // namespace wigeon
