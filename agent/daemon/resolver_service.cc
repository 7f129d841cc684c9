// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/resolver_service.hh"

#include <algorithm>

#include "agent/base/digest.hh"
#include "agent/base/file.hh"
#include "agent/base/log.hh"
#include "agent/core/reconcile.hh"
#include "dns/group.hh"

namespace wigeon {
namespace {

using namespace std::chrono_literals;

constexpr uint16_t kDnsPort = 53;
constexpr uint16_t kOwnPort = 5053;
constexpr auto kStatisticsDeadline = 300ms;
constexpr auto kFlushLimit = 1s;
constexpr auto kQueryLimit = dns::kForwardTimeout + 1s;
constexpr auto kProved = 60s;  // one that ran this long and ends is not failing in a row

// Where the rung leads to. A socket lookup takes a listener of the query's own family,
// wherever it is bound.
std::vector<Address> places(const ResolverWish& w) {
  if (w.listen_address) return {w.listen_address->address};
  return w.rung == Rung::sk_lookup ? dns::loopback_for(w.addresses) : w.addresses;
}

Result<dns::ListenerSockets> open_sockets(const ResolverWish& w) {
  const auto at = places(w);
  if (w.listen_address) return dns::open_listeners(at, w.listen_address->port);
  if (w.rung == Rung::bind) return dns::open_listeners(at, kDnsPort);
  return dns::open_listeners_near(at, kOwnPort);
}

bool shares_place(const ResolverWish& a, const ResolverWish& b) {
  const auto there = places(a);
  return std::ranges::any_of(places(b), [&](const Address& p) {
    return std::ranges::find(there, p) != there.end();
  });
}

// True: what listens already does for these as well.
bool same_sockets(const ResolverWish& a, const ResolverWish& b) {
  return places(a) == places(b) && a.listen_address == b.listen_address &&
         (a.rung == Rung::bind) == (b.rung == Rung::bind);
}

}  // namespace

std::string resolver_program() {
  return program_near("../lib/wigeon", "wigeon-resolver");
}

std::vector<dns::ZoneView> zone_views(const std::vector<ZoneData>& zones) {
  std::vector<dns::ZoneView> views;
  views.reserve(zones.size() + 1);
  for (const auto& z : zones) {
    auto& view = views.emplace_back(
        dns::ZoneView{.domain = z.domain, .non_authoritative = z.non_authoritative});
    view.records.reserve(z.records.size());
    for (const auto& r : z.records)
      view.records.push_back(
          {.name = r.name, .rdata = r.rdata, .ttl = r.ttl, .type = r.type});
  }
  return views;
}

void ResolverService::want(ResolverWish wish, const std::vector<dns::ZoneView>& zones) {
  const auto config = dns::encode_config(wish.config, zones);
  const uint64_t digest_now = config ? digest(*config) : 0;
  const bool same = wish_ == wish && digest_ == digest_now;
  if (same && (process_ || again_)) return;
  const bool same_place = wish_ && same_sockets(*wish_, wish);
  const bool same_way = same_place && wish_->rung == wish.rung;
  const bool apart = wish_ && !same_place && !shares_place(*wish_, wish);
  wish_ = std::move(wish);
  digest_ = digest_now;
  zones_ = zone_list(zones, wish_->config.overlay);
  domains_.clear();
  for (const auto& z : zones)
    if (!is_probe_zone(z.domain)) domains_.emplace_back(z.domain);
  hidden_zones_ = zones.size() - domains_.size();
  if (!same) failures_ = 0;
  if (!config && process_ && same_way) return refused(config.error().what);
  if (!config) return failed("its configuration: " + config.error().what);
  // Sockets of some of the same addresses could not be opened while the old ones are
  // there.
  if (!process_ || (!same_place && !apart)) return start(*config);
  if (!same_way)
    if (auto moved = move(same_place); !moved) return failed(moved.error().what);
  if (auto sent = process_->configure(*config); !sent) failed(sent.error().what);
}

void ResolverService::stop() {
  process_.reset();
  again_.reset();
  wish_.reset();
  listening_.clear();
  failure_.clear();
  domains_.clear();
  zones_.clear();
  statistics_ = {};
  nobody_answers();
}

void ResolverService::start(dns::Bytes config) {
  again_.reset();
  process_.reset();
  listening_.clear();
  statistics_ = {};
  nobody_answers();
  started_ = Loop::now();
  auto change = open();
  if (!change) return failed(change.error().what);
  auto process = dns::Resolver::start(loop_, program_, dns::resolver_identity(),
                                      std::move(*change), config, events());
  if (!process) return failed(process.error().what);
  process_ = std::move(*process);
  failure_.clear();
}

// What it shall listen on; whoever leads queries there has heard of it.
Result<dns::ListenerChange> ResolverService::open() {
  dns::ListenerChange change{.open = TRY(open_sockets(*wish_))};
  if (wish_->rung == Rung::sk_lookup) {
    // Without it the replies over UDP cannot leave as they must.
    auto replies = dns::open_reply_sockets(wish_->addresses);
    if (!replies) events_.refused(replies.error().what);
    if (replies) change.replies = std::move(*replies);
  }
  listening_.clear();
  for (const auto& s : change.open)
    if (s.transport == dns::Transport::udp) listening_.push_back(s.endpoint);
  if (wish_->rung) events_.opened(*wish_->rung, change.open);
  return change;
}

// The same process, and no query lost: the new sockets are open before the old ones go,
// which answer first what they have.
Result<void> ResolverService::move(bool same_sockets) {
  if (same_sockets) {
    dns::ListenerSockets known;
    for (const auto& e : listening_) known.push_back({dns::Transport::udp, e, {}});
    if (wish_->rung) events_.opened(*wish_->rung, known);
    events_.listening();
    return {};
  }
  return process_->listen(TRY(open()));
}

void ResolverService::hangs(const std::string& why) {
  if (process_ && !again_) failed("it does not answer: " + why);
}

void ResolverService::failed(std::string why) {
  if (Loop::now() - started_ > kProved) failures_ = 0;
  ++failures_;
  const auto wait = back_off(failures_);
  if (why != failure_)
    log::error("resolver: {}, trying again in {} ms", why, wait.count());
  failure_ = std::move(why);
  process_.reset();
  listening_.clear();
  auto again = loop_.after(wait, [this] {
    again_.reset();
    events_.renew();
  });
  if (again) again_ = std::move(*again);
  nobody_answers();
}

void ResolverService::refused(const std::string& why) {
  failure_ = "the zones were refused, the old ones stay: " + why;
  log::error("resolver: {}", failure_);
}

dns::Resolver::Events ResolverService::events() {
  dns::Resolver::Events e;
  e.hello = [this](const dns::Hello& h) { sandbox_ = h.sandbox; };
  e.listening = [this](const dns::Listening& l) {
    if (!l.failure.empty()) return failed("listening: " + l.failure);
    events_.listening();
  };
  e.applied = [this](const dns::Applied&) {
    failure_.clear();
    events_.applied();
  };
  e.refused = [this](const dns::Refused& r) { refused(r.reason); };
  e.statistics = [this](const dns::Statistics& s) {
    statistics_ = s;
    statistics_at_ = std::chrono::system_clock::now();
    refreshed();
  };
  e.flushed = [this](const dns::Flushed& f) {
    if (f.failure.empty())
      flushing_.answer(f.id, f.entries);
    else
      flushing_.fail(f.id, {Code::usage, f.failure});
  };
  e.traced = [this](const dns::Traced& t) {
    if (t.failure.empty())
      querying_.answer(t.id, t);
    else
      querying_.fail(t.id, {Code::error, t.failure});
  };
  e.exited = [this](const std::string& why) { failed("it ended: " + why); };
  return e;
}

void ResolverService::refresh(std::move_only_function<void()> done) {
  if (!process_ || !process_->ask_statistics()) return done();
  refreshing_.push_back(std::move(done));
  // The first asker's deadline is everybody's: more askers must not put it off.
  if (deadline_) return;
  auto deadline = loop_.after(kStatisticsDeadline, [this] { refreshed(); });
  if (!deadline) return refreshed();
  deadline_ = std::move(*deadline);
}

void ResolverService::refreshed() {
  deadline_.reset();
  for (auto& done : std::exchange(refreshing_, {})) done();
}

void ResolverService::nobody_answers() {
  refreshed();
  const Failure gone{Code::degraded, "the resolver ended or was started anew"};
  flushing_.fail_all(gone);
  querying_.fail_all(gone);
}

void ResolverService::flush(std::string name, Awaited<uint64_t>::Done done) {
  if (!process_) return done(std::unexpected(no_resolver()));
  const auto id = process_->flush(std::move(name));
  if (!id) return done(std::unexpected(Failure{Code::error, id.error().what}));
  flushing_.add(loop_, *id, kFlushLimit, "the resolver", std::move(done));
}

void ResolverService::query(std::string name, uint16_t type, dns::Transport transport,
                            Awaited<dns::Traced>::Done done) {
  if (!process_) return done(std::unexpected(no_resolver()));
  const auto id = process_->query(std::move(name), type, transport);
  if (!id) return done(std::unexpected(Failure{Code::error, id.error().what}));
  querying_.add(loop_, *id, kQueryLimit, "the resolver", std::move(done));
}

Failure ResolverService::no_resolver() const {
  return {Code::degraded,
          "no resolver runs" + (failure_.empty() ? std::string() : ": " + failure_)};
}

DnsStatus ResolverService::status() const {
  DnsStatus s;
  if (!wish_) return s;
  if (process_) s.sandbox = sandbox_;
  for (const auto& e : listening_) s.listen.push_back(e.text());
  s.domains = domains_;
  s.zone_list = zones_;
  s.groups = group_list(wish_->config, statistics_, statistics_at_);
  if (!process_)
    for (auto& g : s.groups) {
      g.health = "unhealthy";
      g.reason = no_resolver().message;
    }
  add_counters(statistics_, s);
  // The zone that we ask ourselves for, and the one name in it.
  s.zones -= std::min(s.zones, hidden_zones_);
  s.records -= std::min(s.records, hidden_zones_);
  return s;
}

std::vector<Degraded> ResolverService::degraded() const {
  std::vector<Degraded> list;
  if (!failure_.empty()) list.push_back({"dns", failure_, Severity::error});
  return list;
}

}  // namespace wigeon
