// SPDX-License-Identifier: GPL-2.0-or-later
// What the daemon answers on its socket.
#include <algorithm>
#include <iterator>

#include "agent/base/file.hh"
#include "agent/base/log.hh"
#include "agent/base/marks.hh"
#include "agent/daemon/administrative.hh"
#include "agent/daemon/daemon.hh"
#include "agent/model/host_routes.hh"
#include "agent/model/limits.hh"

namespace wigeon {

using namespace std::chrono_literals;

namespace {

// "net/ipv4/conf/eth0/forwarding" in sysctl(8)'s words, which has "/" for a dot in a
// name.
std::string dotted(std::string key) {
  for (char& c : key) c = c == '/' ? '.' : c == '.' ? '/' : c;
  return key;
}

// The kernel's side says by itself what it was doing.
std::string sentence(const Engine::Refused& r) {
  return r.why.starts_with(r.what) ? r.why : r.what + ": " + r.why;
}

ForwardingResult forwarding_list(const NetworkMap& map, const std::vector<Dnat>& rules) {
  ForwardingResult result;
  for (const auto& rule : rules) {
    ForwardingItem item{.protocol = std::string(port_protocol(rule.protocol)),
                        .destination_port = rule.destination.text(),
                        .translated_address = rule.translated_address.text(),
                        .translated_port = rule.translated_port.text()};
    for (const auto& p : map.remote_peers)
      if (std::ranges::find(p.allowed_ips, Prefix::host(rule.translated_address)) !=
          p.allowed_ips.end())
        item.translated_hostname = p.fqdn_text();
    result.rules.push_back(std::move(item));
  }
  return result;
}

}  // namespace

void Daemon::handle_requests() {
  handle_networks();
  handle_dns();
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
  engine_.forgive();  // what was refused of the other wish says nothing of this one
  wish_changed();
  if (auto kept = keep_administrative(config_.state_directory, up); !kept)
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
  if (up_ && applied_ && failure_.empty() && (!params->wait || names_settled()))
    return reply.result(encode(ChangeResult{.already = true}));
  set_administrative(true);
  look_up_names();
  reconcile_soon(0ms);
  if (!params->wait) return reply.result(encode(ChangeResult{}));
  reply.end_turn();  // a `down` need not wait until we are up
  waiters_.push_back({std::move(reply), true});
}

void Daemon::handle_down(Server::Reply reply) {
  if (!up_ && applied_ && left_over().empty() && firewalld_->settled())
    return reply.result(encode(ChangeResult{.already = true}));
  engine_.forgive();
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
    } else if (applied_ && (up_ ? names_settled() : firewalld_->settled())) {
      if (const auto left = left_over(); !left.empty())
        w.reply.fail(Code::degraded, left_over_text(left));
      else
        w.reply.result(encode(ChangeResult{}));
    } else if (!maps_.current()) {
      w.reply.fail(Code::invalid_config,
                   "there is no network map in force: " + maps_.error());
    } else {
      waiters_.push_back(std::move(w));
    }
  }
}

// What `down` could not take off the host. All of it is in the journal and tried again.
std::vector<std::string> Daemon::left_over() const {
  std::vector<std::string> left;
  if (up_) return left;
  if (!foreign_left_.empty()) left.push_back(foreign_left_);
  for (const auto& r : engine_.refused()) left.push_back(sentence(r));
  for (const auto& e : journal_.entries())
    if (e.kind == kZoneJournalKind) {
      const auto& why = firewalld_->status().sentence;
      left.push_back(why.empty() ? "firewalld: zone " + e.detail : why);
    } else if (e.kind == kDnsJournalKind) {
      left.push_back("the host's DNS: " + e.detail);
    } else if (e.kind == kRedirectJournalKind) {
      left.push_back("port 53: " + e.detail);
    }
  return left;
}

std::vector<Degraded> Daemon::degraded() const {
  std::vector<Degraded> list;
  const auto warn = [&](std::string component, std::string reason) {
    list.push_back({std::move(component), std::move(reason), Severity::warning});
  };
  if (!failure_.empty())
    list.push_back({"engine", failure_, Severity::error});
  else if (up_ && !look_failure_.empty())
    warn("wireguard", look_failure_);
  if (!maps_.error().empty())
    list.push_back(
        {"map", maps_.error(), maps_.current() ? Severity::warning : Severity::error});
  for (const auto& r : maps_.refusals()) warn("map", r.what + ": " + r.reason);
  for (const auto& r : forwarding_refused_) warn("map", r.what + ": " + r.reason);
  for (const auto& left : left_over()) warn("engine", "left on this host: " + left);
  if (up_) {
    for (const auto& r : engine_.refused()) warn("engine", sentence(r));
    for (const auto& n : notes_) warn("routing", n);
    if (host_.routes_cut)
      warn("routing",
           fmt::format("more than {} routes of this host matter to the map; it "
                       "was judged by so many",
                       kMaxHostRoutes));
    for (const auto& n : foreign_.notes()) warn("firewall", n);
    if (!firewalld_->status().forwards) warn("firewall", firewalld_->status().sentence);
  }
  for (auto& d : resolver_->degraded()) list.push_back(std::move(d));
  for (auto& d : redirect_->degraded()) list.push_back(std::move(d));
  for (auto& d : host_dns_->degraded()) list.push_back(std::move(d));
  return list;
}

void Daemon::handle_status(Server::Reply reply) {
  resolver_->refresh([this, r = std::move(reply)]() mutable { r.result(status()); });
}

RoutingStatus Daemon::routing_status() const {
  const Observed& o = engine_.observed();
  RoutingStatus r{.routes = o.routes.size(),
                  .rules = o.rules.size(),
                  .operations = operations_,
                  .repairs = repairs_,
                  .last_repair = last_repair_,
                  .foreign = foreign_.edits()};
  for (const auto& s : o.sysctls)
    if (s.original) r.sysctls.push_back({dotted(s.key), s.ours, *s.original});
  if (o.nft)
    r.nftables = {.table = std::string(kNftFamily) + " " + kNftTable,
                  .in_force = *o.nft != 0,
                  .rules = nft_rules_};
  for (const auto& refused : engine_.refused())
    if (refused.what.starts_with("nft ")) r.nftables.reason = refused.why;
  if (const auto& f = firewalld_->status(); f.forwards && !f.sentence.empty())
    r.foreign.push_back(f.sentence);
  return r;
}

std::string Daemon::status() {
  const auto now = std::chrono::system_clock::now();
  std::optional<ObservedDevice> device;
  if (up_ && maps_.current() && engine_.observed().link_is_ours) {
    if (auto seen = engine_.look()) {
      take_look(*seen);
      device = std::move(seen->device);
    } else {
      look_failed(seen.error());
    }
  }
  ReportInput in{.config = &config_,
                 .map = maps_.current(),
                 .device = device ? &*device : nullptr,
                 .history = &history_,
                 .client_routes = &routes_.current(),
                 .forwarded = up_ ? forwarded_.size() : 0,
                 .routing = routing_status(),
                 .ipv6 = host_.ipv6,
                 .public_key = key_.public_key(),
                 .up = up_,
                 .applied = applied_,
                 .kernel_tunnel = kernel_->kernel_tunnel(),
                 .map_status = maps_.status(),
                 .refused = maps_.refusals(),
                 .degraded = degraded(),
                 .events = events_};
  std::ranges::copy(forwarding_refused_, std::back_inserter(in.refused));
  in.map_status.source = "file://" + config_.source.file;
  in.map_status.applied_at = applied_at_;
  if (maps_.current())
    for (const auto& p :
         served_networks(*maps_.current(), maps_.accepted(), key_.public_key()))
      in.served.push_back(p.text());
  in.dns = resolver_->status();
  if (!in.dns.listen.empty()) redirect_->fill(in.dns);
  host_dns_->fill(in.dns);
  return to_json(make_report(in, now));
}

void Daemon::handle_networks() {
  server_->on("networks_list", Permission::read, [this](const Request&, Server::Reply r) {
    NetworksResult result;
    if (maps_.current())
      for (const auto& n : routes_.list(*maps_.current(), maps_.accepted())) {
        NetworkItem item{.id = n.id, .selected = n.selected, .reason = n.reason};
        for (const auto& p : n.networks) item.networks.push_back(p.text());
        for (const auto& d : n.domains) item.domains.push_back(d.text());
        result.networks.push_back(std::move(item));
      }
    r.result(encode(result));
  });
  server_->on("networks_select", Permission::change,
              [this](const Request& q, Server::Reply r) {
                change_networks(q, std::move(r), &RouteKeeper::select);
              });
  server_->on("networks_deselect", Permission::change,
              [this](const Request& q, Server::Reply r) {
                change_networks(q, std::move(r), &RouteKeeper::deselect);
              });
  server_->on(
      "forwarding_list", Permission::read, [this](const Request&, Server::Reply r) {
        r.result(encode(maps_.current() ? forwarding_list(*maps_.current(), forwarded_)
                                        : ForwardingResult{}));
      });
}

void Daemon::change_networks(const Request& request, Server::Reply reply,
                             ChangeSelection change) {
  const auto params = decode_networks(request.params);
  if (!params) return reply.fail(Code::usage, params.error().what);
  if (!maps_.current())
    return reply.fail(Code::invalid_config, "there is no network map in force");
  const auto done = (routes_.*change)(*maps_.current(), maps_.accepted(), *params);
  if (!done) {
    const int code = done.error().code;
    return reply.fail(code == ENOENT   ? Code::not_found
                      : code == EINVAL ? Code::usage
                                       : Code::error,
                      done.error().what);
  }
  wish_changed();
  reconcile_soon(0ms);
  reply.result("{}");
}

}  // namespace wigeon
