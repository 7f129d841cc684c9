// SPDX-License-Identifier: GPL-2.0-or-later
#include "dns/service.hh"

#include <algorithm>

#include "dns/quick.hh"
#include "dns/random.hh"
#include "dns/special.hh"

namespace wigeon::dns {
namespace {

ExtendedError reason(Failure failure) {
  using Code = ExtendedError::Code;
  switch (failure) {
    case Failure::none:
      return {Code::other, "the upstream server's reply is malformed"};
    case Failure::no_servers:
      return {Code::network, "no upstream server is configured"};
    case Failure::too_many:
      return {Code::other, "too many queries are waiting"};
    case Failure::no_reply:
      return {Code::unreachable, "no upstream server replied"};
    case Failure::dead:
      return {Code::unreachable, "no upstream server has replied of late"};
  }
  return {};
}

uint64_t seed() {
  Random random;
  uint64_t s = 0;
  for (int i = 0; i < 4; ++i) s = s << 16 | random.u16();
  return s;
}

bool is_of_host(const Access& access, const Address& source) {
  return source.is_loopback() || std::ranges::count(access.own, source) > 0;
}

// Whose name it is, dead or not.
uint32_t owner_of(const Route& route) {
  return route.dead ? Route{.handler = route.dead, .is_trusted = true}.source()
                    : route.source();
}

CacheKey key_of(uint32_t source, const Asked& asked, const Question& wanted) {
  return {source, wanted, asked.flags, asked.dnssec_ok};
}

}  // namespace

Service::Service(Exchange& exchange, Forwarder::Clock clock)
    : clock_(clock),
      forwarder_(exchange, std::move(clock)),
      zones_(*Zones::build({}, {})),
      rate_(seed()) {}

Answer Service::handle(Bytes query, Transport transport, Asker asker) {
  ++statistics_.queries;
  transport_ = transport;
  if (const size_t size =
          quick_answer(query, transport, asker, *zones_, turn_, buffer_)) {
    ++turn_;
    finish(size);
    return {Answer::Kind::reply, size};
  }
  const auto a =
      answer(query, transport, asker, *zones_, turn_++, buffer_, asked_, wanted_);
  if (a.kind == Answer::Kind::drop) ++statistics_.dropped;
  if (a.kind == Answer::Kind::reply) finish(a.size);
  if (a.kind != Answer::Kind::ask) return a;
  is_ours_ = a.in_zone;
  const size_t size = recall(clock_());
  if (size == 0) return a;
  finish(size);
  return {Answer::Kind::reply, size};
}

Result<void> Service::set_upstreams(Upstreams upstreams) {
  auto guard = upstreams.guard;
  TRY(forwarder_.set_upstreams(std::move(upstreams)));
  if (guard.own != guard_.own || guard.overlay != guard_.overlay) flush({});
  guard_ = std::move(guard);
  return {};
}

// The size of a reply that needs nobody to be asked; 0: there is none.
size_t Service::recall(Time now) {
  if (!is_keepable(wanted_)) return 0;
  const Route route = forwarder_.route(wanted_.name, is_ours_, now);
  // What the dead have said holds until its time; that they failed lets others be asked.
  if (route.dead)
    if (const auto hit = cache_.find(key_of(owner_of(route), asked_, wanted_), now,
                                     Cache::Want::answers))
      return write(asked_, wanted_, *hit);
  if (const auto hit = cache_.find(key_of(route.source(), asked_, wanted_), now))
    return write(asked_, wanted_, *hit);
  cache_.count_miss();
  return 0;
}

size_t Service::write(const Asked& asked, const Question& wanted, const Cache::Hit& hit) {
  if (hit.is_silence) ++statistics_.unanswered;
  if (hit.is_silence)
    return give_up(asked, reason(Failure::no_reply), *zones_, hit.turn, buffer_);
  if (wanted.name == asked.question.name)
    return complete(asked, hit.kept, hit.aging, hit.turn, buffer_);
  // Behind our part of the chain: as if it had just come.
  std::array<uint8_t, kHeaderSize + kMaxName + 4 + kMaxKeptSize + 2 * kOptSize> reply;
  const Asked whole{.flags = asked.flags,
                    .question = wanted,
                    .edns = true,
                    .dnssec_ok = asked.dnssec_ok,
                    .limit = reply.size()};
  const size_t size = complete(whole, hit.kept, hit.aging, hit.turn, reply);
  return complete(asked, Bytes(reply).first(size), *zones_, hit.turn, buffer_);
}

std::optional<Cache::Hit> Service::keep(const Asked& asked, const Question& wanted,
                                        uint32_t owner, const Landed& landed, Time now) {
  if (!is_keepable(wanted) || landed.failure == Failure::too_many) return std::nullopt;
  const bool replied = landed.failure == Failure::none;
  const Keeping what = replied ? dns::keep(wanted, landed.reply) : Keeping{};
  // The owner's own words, however old, go before those of the servers asked instead.
  if (!replied || what.as == Keeping::As::failure || landed.source != owner)
    if (const auto hit = cache_.stand_in(key_of(owner, asked, wanted), now)) return hit;
  const auto key = key_of(landed.source, asked, wanted);
  if (replied)
    cache_.store(key, what, now);
  else if (landed.failure == Failure::no_reply)
    cache_.store_silence(key, now);
  return std::nullopt;
}

void Service::ask(Time now, const Address& source, Later later,
                  const std::shared_ptr<Tracer>& tracer) {
  const Route route = forwarder_.route(wanted_.name, is_ours_, now);
  const Client client{source, !is_of_host(access_, source)};
  const bool may_be_late = !client.is_peer || transport_ == Transport::tcp;
  forwarder_.ask(
      route, {wanted_, asked_.flags, asked_.dnssec_ok, transport_}, client, now,
      [this, asked = asked_, wanted = wanted_, owner = owner_of(route), now, may_be_late,
       later = std::move(later)](const Landed& landed) mutable {
        const Time then = clock_();
        const auto instead = keep(asked, wanted, owner, landed, then);
        if (!may_be_late && then - now > kDiscardAfter) {
          ++statistics_.dropped;
          return;
        }
        later(finish(instead ? write(asked, wanted, *instead) : write(asked, landed)));
      },
      tracer);
}

void Service::describe(const Name& name, uint16_t type, const Answer& a,
                       Trace& trace) const {
  const Name lowered = name.lowered();
  const auto found = zones_->find(lowered.wire(), type);
  const auto code = static_cast<uint16_t>(buffer_[3] & flag::kRcode);
  if (a.kind == Answer::Kind::reply &&
      (code == rcode::kFormErr || code == rcode::kNotImp || code == rcode::kRefused)) {
    trace.local = Trace::Local::refused_type;
  } else if (found.kind != Zones::Found::Kind::outside) {
    trace.local = Trace::Local::zone;
    trace.zone = name_text(found.apex);
  } else if (const auto known = special(lowered.wire(), type)) {
    trace.local = Trace::Local::special;
    trace.zone = name_text(known->apex);
  }
  if (a.kind == Answer::Kind::ask) {
    trace.wanted = wanted_.name.text();
    trace.cache = Trace::Cache::miss;
  } else if (trace.local == Trace::Local::none) {
    trace.cache = Trace::Cache::hit;
  }
}

size_t Service::write(const Asked& asked, const Landed& landed) {
  if (landed.failure == Failure::none)
    return complete(asked, landed.reply, *zones_, turn_++, buffer_);
  ++statistics_.unanswered;
  return give_up(asked, reason(landed.failure), *zones_, turn_++, buffer_);
}

Bytes Service::finish(size_t size) {
  const uint8_t* header = buffer_.data();
  ++statistics_.rcodes[header[3] & flag::kRcode];
  if (header[2] & flag::kTc >> 8)
    ++statistics_.truncated;
  else if ((header[3] & flag::kRcode) == 0 && header[6] == 0 && header[7] == 0)
    ++statistics_.no_data;
  return {buffer_.data(), size};
}

Statistics Service::statistics() const {
  Statistics s = statistics_;
  s.forwarded = forwarder_.counters().sent;
  s.shared = forwarder_.counters().shared;
  s.withheld = forwarder_.counters().withheld;
  s.groups = forwarder_.groups(clock_());
  s.cache = cache_.statistics();
  s.zones = zones_->zone_count();
  s.names = zones_->name_count();
  s.zone_bytes = zones_->memory();
  return s;
}

}  // namespace wigeon::dns
