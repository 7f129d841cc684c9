// SPDX-License-Identifier: GPL-2.0-or-later
#include "dns/forward.hh"

#include <algorithm>
#include <set>

namespace wigeon::dns {
namespace {

constexpr uint16_t kForwardedFlags = flag::kRd | flag::kAd | flag::kCd;

// The query we send: nothing of the client's but its question and three flags. OPT comes
// last and has no options, as c-ares expects where it repeats a query without EDNS.
std::shared_ptr<const std::vector<uint8_t>> query_of(const Forwarded& what, uint16_t id) {
  return std::make_shared<const std::vector<uint8_t>>(
      make_query(id, what.flags & kForwardedFlags, what.question,
                 Edns{.dnssec_ok = what.dnssec_ok}));
}

// Everything that could change the reply; the id stays out.
std::string key_of(const Forwarded& what, uint32_t source) {
  const Question& q = what.question;
  const Name name = q.name.lowered();
  std::string key(name.wire().begin(), name.wire().end());
  const uint32_t flags = what.flags & kForwardedFlags;
  for (const uint32_t v : {uint32_t{q.type}, uint32_t{q.klass}, flags,
                           uint32_t{what.dnssec_ok}, source, source >> 16}) {
    key += static_cast<char>(v >> 8);
    key += static_cast<char>(v);
  }
  return key;
}

Attempt::End failed_end(Outcome::End end) {
  switch (end) {
    case Outcome::End::replied:
      break;  // but not to our query
    case Outcome::End::no_reply:
      return Attempt::End::no_reply;
    case Outcome::End::unreachable:
      return Attempt::End::unreachable;
  }
  return Attempt::End::unusable;
}

bool is_reply_to(Bytes query, Bytes reply) {
  Reader q(query), r(reply);
  const auto asked = q.header();
  const auto said = r.header();
  if (!asked || !said || asked->id != said->id || !(said->flags & flag::kQr) ||
      (said->flags & flag::kOpcode) || said->questions != 1)
    return false;
  const auto want = q.question();
  const auto have = r.question();
  return want && have && *want == *have;
}

}  // namespace

Forwarder::Forwarder(Exchange& exchange, Clock clock)
    : exchange_(exchange), clock_(std::move(clock)) {}

Result<void> Forwarder::set_upstreams(Upstreams upstreams) {
  // Mostly it is names that change, and sorting out many domains holds up the loop.
  const bool first = handlers_.originals().groups.empty();
  if (!first && upstreams.groups == upstreams_.groups &&
      upstreams.originals == upstreams_.originals) {
    upstreams_.guard = std::move(upstreams.guard);
    for (auto& [server, health] : health_) health.retry_now();
    return {};
  }
  auto handlers = TRY(Handlers::build(upstreams.groups, upstreams.originals, handlers_));
  std::set<Endpoint> servers(upstreams.originals.begin(), upstreams.originals.end());
  for (const auto& g : upstreams.groups)
    servers.insert(g.servers.begin(), g.servers.end());
  const std::vector<Endpoint> all(servers.begin(), servers.end());
  TRY(exchange_.set_servers(all));
  upstreams_ = std::move(upstreams);
  handlers_ = std::move(handlers);
  std::erase_if(health_, [&](auto& entry) { return !servers.contains(entry.first); });
  for (auto& [server, health] : health_) health.retry_now();
  for (const auto& server : all) health_.try_emplace(server);
  return {};
}

const std::vector<Endpoint>& Forwarder::servers_of(uint32_t group) const {
  return group < upstreams_.groups.size() ? upstreams_.groups[group].servers
                                          : upstreams_.originals;
}

std::vector<Endpoint> Forwarder::servers_of(const Handler& handler) const {
  std::vector<Endpoint> all;
  for (const uint32_t group : handler.groups) {
    const auto& servers = servers_of(group);
    all.insert(all.end(), servers.begin(), servers.end());
  }
  return all;
}

Route Forwarder::route(const Name& name, bool is_ours, Time now) const {
  const Handler& handler = handlers_.of(name.lowered().wire());
  const bool matched = handler.kind == Handler::Kind::match;
  const bool may_fall = matched && !is_ours && !upstreams_.originals.empty() &&
                        std::ranges::none_of(handler.groups, [&](uint32_t g) {
                          return upstreams_.groups[g].primary;
                        });
  const auto is_dead = [&](uint32_t g) {
    return servers_of(g).empty() || all_dead(servers_of(g), health_, now);
  };
  const auto has_servers = [&](uint32_t g) { return !servers_of(g).empty(); };
  if (may_fall && std::ranges::any_of(handler.groups, has_servers) &&
      std::ranges::all_of(handler.groups, is_dead))
    return {.handler = &handlers_.originals(), .dead = &handler};
  return {.handler = &handler, .may_fall = may_fall, .is_trusted = matched || is_ours};
}

std::vector<Forwarder::Line> Forwarder::lines_of(const Handler& handler, Time now) const {
  std::vector<Line> lines;
  for (const uint32_t group : handler.groups)
    if (const auto& servers = servers_of(group); !servers.empty())
      lines.push_back({turn_of(servers, health_, now)});
  return lines;
}

void Forwarder::ask(const Route& route, const Forwarded& what, const Client& client,
                    Time now, Landing landing, const std::shared_ptr<Tracer>& tracer) {
  if (tracer) describe(route, what.question.name, tracer->trace);
  const auto refuse = [&](Landing& asker, Failure why) {
    asker({.failure = why, .source = route.source()});
  };
  const std::string key = key_of(what, route.source());
  const auto known = by_key_.find(key);
  const bool shared = known != by_key_.end();
  std::vector<Line> lines;
  if (!shared) {
    lines = lines_of(*route.handler, now);
    if (lines.empty()) return refuse(landing, Failure::no_servers);
    if (std::ranges::all_of(lines, [](auto& l) { return l.turn.order.empty(); }))
      return refuse(landing, Failure::dead);
  }
  auto added = askers_.add(client, landing);
  if (!added) return refuse(landing, Failure::too_many);
  ++(shared ? counters_.shared : counters_.sent);
  const uint64_t number =
      shared ? known->second : add_flight(route, what, key, std::move(lines), now);
  Flight& flight = flights_.at(number);
  flight.askers.push_back(added->id);
  if (tracer) {
    tracer->trace.shared = shared;
    flight.tracers.push_back(tracer);
  }
  if (!shared) launch(number, route, what, now);
  if (added->ousted) refuse(*added->ousted, Failure::too_many);
}

uint64_t Forwarder::add_flight(const Route& route, const Forwarded& what,
                               const std::string& key, std::vector<Line> lines,
                               Time now) {
  const uint64_t number = next_++;
  Flight& flight = flights_[number];
  flight.what = what;
  flight.query = query_of(what, random_.u16());
  flight.key = key;
  flight.deadline = now + kForwardTimeout;
  flight.lines = std::move(lines);
  flight.source = route.source();
  flight.is_trusted = route.is_trusted;
  if (route.may_fall) flight.servers = servers_of(*route.handler);
  by_key_.emplace(key, number);
  return number;
}

// Whom to probe is found out before anything is sent; they are sent to after those whose
// reply somebody waits for.
void Forwarder::launch(uint64_t number, const Route& route, const Forwarded& what,
                       Time now) {
  std::vector<Turn> probes;
  for (const auto& line : flights_.at(number).lines)
    if (!line.turn.probes.empty()) probes.push_back(line.turn);
  if (route.dead)
    for (auto& line : lines_of(*route.dead, now)) {
      line.turn.probes = std::move(line.turn.order);
      probes.push_back(std::move(line.turn));
    }
  start(number);
  for (const auto& turn : probes) probe(turn.probes, turn.limit, what);
}

// Nobody waits for these: only whether a reply comes is of interest.
void Forwarder::probe(std::span<const Endpoint> servers, std::chrono::milliseconds limit,
                      const Forwarded& what) {
  for (const auto& server : servers)
    send(server, query_of(what, random_.u16()), Transport::udp, limit,
         [](const Outcome&) {});
}

void Forwarder::start(uint64_t number) {
  Flight& flight = flights_.at(number);
  const size_t lines = flight.lines.size();
  flight.running = lines;
  for (size_t line = 0; line < lines; ++line) advance(number, line);
}

void Forwarder::advance(uint64_t number, size_t line) {
  const auto at = flights_.find(number);
  if (at == flights_.end()) return;  // another line won, or its time is over
  Flight& flight = at->second;
  Line& l = flight.lines[line];
  const auto left =
      std::chrono::duration_cast<std::chrono::milliseconds>(flight.deadline - clock_());
  if (l.tried == l.turn.order.size() || left.count() <= 0) return end_line(number);
  const Endpoint server = l.turn.order[l.tried++];
  for (const auto& tracer : flight.tracers) tracer->sent(server, clock_());
  send(server, flight.query, flight.what.first, std::min(l.turn.limit, left),
       [this, number, line](const Outcome& o) { on_reply(number, line, o); });
}

void Forwarder::end_line(uint64_t number) {
  Flight& flight = flights_.at(number);
  if (--flight.running > 0) return;
  if (fall(flight)) return start(number);
  land(number, Bytes(flight.refusal));
}

// Whether its servers have died under it, and the original ones take over.
bool Forwarder::fall(Flight& flight) {
  const Time now = clock_();
  const auto servers = std::exchange(flight.servers, {});
  if (!flight.refusal.empty() || now >= flight.deadline ||
      !all_dead(servers, health_, now))
    return false;
  flight.lines = lines_of(handlers_.originals(), now);
  flight.source = Route{.handler = &handlers_.originals()}.source();
  flight.is_trusted = false;
  for (const auto& tracer : flight.tracers) {
    tracer->trace.fell = true;
    tracer->trace.source = Trace::Source::original;
  }
  return !flight.lines.empty();
}

void Forwarder::send(const Endpoint& server, const Query& query, Transport first,
                     std::chrono::milliseconds limit, OnReply done) {
  const Time sent = clock_();
  if (const auto at = health_.find(server); at != health_.end())
    at->second.sent(sent, limit);
  exchange_.send(
      server, *query, first, limit,
      [this, server, query, sent, done = std::move(done)](const Outcome& o) mutable {
        const bool replied =
            o.end == Outcome::End::replied && is_reply_to(*query, o.reply);
        if (const auto at = health_.find(server); at != health_.end())
          replied ? at->second.replied(sent, clock_())
                  : at->second.failed(sent, clock_());
        done({o.end, replied ? o.reply : Bytes{}});
      });
}

void Forwarder::on_reply(uint64_t number, size_t line, const Outcome& outcome) {
  const auto at = flights_.find(number);
  if (at == flights_.end()) return;
  Flight& flight = at->second;
  const auto traced = [&](Attempt::End end) {
    const Line& l = flight.lines[line];
    for (const auto& tracer : flight.tracers)
      tracer->ended(l.turn.order[l.tried - 1], end, clock_());
  };
  if (outcome.reply.empty()) {
    traced(failed_end(outcome.end));
    return advance(number, line);
  }
  const auto& what = flight.what;
  const auto scrubbed = scrub(what.question, what.dnssec_ok, outcome.reply, scratch_);
  if (!scrubbed) {
    traced(Attempt::End::unusable);
    return advance(number, line);
  }
  // Not in scratch_: whoever hears of it may ask again.
  const std::vector<uint8_t> clean(
      scratch_.begin(), scratch_.begin() + static_cast<ptrdiff_t>(scrubbed->size));
  const Verdict verdict = judge(*scrubbed);
  traced(verdict == Verdict::answer ? Attempt::End::answered : Attempt::End::refused);
  if (verdict == Verdict::answer) return land(number, clean);
  if (flight.refusal.empty() || verdict == Verdict::final) flight.refusal = clean;
  if (verdict == Verdict::final) {
    Line& l = flight.lines[line];
    l.tried = l.turn.order.size();
  }
  advance(number, line);
}

void Forwarder::land(uint64_t number, Bytes reply) {
  auto node = flights_.extract(number);
  if (node.empty()) return;
  Flight& flight = node.mapped();
  by_key_.erase(flight.key);
  std::array<uint8_t, kHeaderSize + kMaxName + 4 + 128> withheld;
  if (!reply.empty() && !flight.is_trusted && rebinds(upstreams_.guard, reply)) {
    ++counters_.withheld;
    for (const auto& tracer : flight.tracers) tracer->trace.withheld = true;
    reply = Bytes(withheld).first(withhold(reply, withheld));
  }
  const Landed landed{.reply = reply,
                      .failure = reply.empty() ? Failure::no_reply : Failure::none,
                      .source = flight.source};
  for (const uint64_t id : flight.askers) {
    if (auto asker = askers_.take(id)) (*asker)(landed);
  }
}

void Forwarder::describe(const Route& route, const Name& name, Trace& trace) const {
  const Handler& first = route.dead ? *route.dead : *route.handler;
  trace.fell = route.dead != nullptr;
  switch (route.handler->kind) {
    case Handler::Kind::match:
      trace.source = Trace::Source::match;
      break;
    case Handler::Kind::primary:
      trace.source = Trace::Source::primary;
      break;
    case Handler::Kind::original:
      trace.source = Trace::Source::original;
      break;
  }
  if (first.kind == Handler::Kind::match)
    trace.domain = name_text(handlers_.domain_of(name.lowered().wire()));
}

void Forwarder::expire(Time now) {
  while (!flights_.empty() && flights_.begin()->second.deadline <= now)
    land(flights_.begin()->first, Bytes(flights_.begin()->second.refusal));
}

std::optional<Forwarder::Time> Forwarder::deadline() const {
  if (flights_.empty()) return std::nullopt;
  return flights_.begin()->second.deadline;
}

std::vector<GroupStatistics> Forwarder::groups(Time now) const {
  std::vector<GroupStatistics> all;
  const auto add = [&](GroupStatistics g, const std::vector<Endpoint>& servers) {
    auto health = group_health(servers, health_, now);
    g.health = health.health;
    g.reason = std::move(health.reason);
    for (const auto& server : servers)
      g.servers.push_back(health_.at(server).statistics(server, now));
    all.push_back(std::move(g));
  };
  for (const auto& g : upstreams_.groups) {
    const auto shown = std::min(g.domains.size(), kMaxStatisticsDomains);
    add({.domains = {g.domains.begin(),
                     g.domains.begin() + static_cast<ptrdiff_t>(shown)},
         .primary = g.primary},
        g.servers);
  }
  add({.original = true}, upstreams_.originals);
  return all;
}

}  // namespace wigeon::dns
