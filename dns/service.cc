// SPDX-License-Identifier: GPL-2.0-or-later
#include "dns/service.hh"

#include <algorithm>

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

bool is_of_host(const Access& access, const Address& source) {
  return source.is_loopback() || std::ranges::count(access.own, source) > 0;
}

}  // namespace

Service::Service(Exchange& exchange, Forwarder::Clock clock)
    : clock_(clock),
      forwarder_(exchange, std::move(clock)),
      zones_(*Zones::build({}, {})) {}

Answer Service::handle(Bytes query, Transport transport) {
  ++statistics_.queries;
  transport_ = transport;
  const auto a = answer(query, transport, *zones_, turn_++, buffer_, asked_, wanted_);
  if (a.kind == Answer::Kind::drop) ++statistics_.dropped;
  if (a.kind == Answer::Kind::reply) finish(a.size);
  return a;
}

void Service::ask(Time now, const Address& source, Later later) {
  const bool is_ours = zones_->find(wanted_.name.lowered().wire(), wanted_.type).kind !=
                       Zones::Found::Kind::outside;
  const Route route = forwarder_.route(wanted_.name, is_ours, now);
  const Client client{source, !is_of_host(access_, source)};
  const bool may_be_late = !client.is_peer || transport_ == Transport::tcp;
  forwarder_.ask(route, {wanted_, asked_.flags, asked_.dnssec_ok, transport_}, client,
                 now,
                 [this, asked = asked_, now, may_be_late,
                  later = std::move(later)](const Landed& landed) mutable {
                   if (!may_be_late && clock_() - now > kDiscardAfter)
                     ++statistics_.dropped;
                   else
                     land(asked, landed, later);
                 });
}

void Service::land(const Asked& asked, const Landed& landed, Later& later) {
  const auto zones = zones_;  // may be replaced by what later() does
  size_t size;
  if (landed.failure == Failure::none) {
    size = complete(asked, landed.reply, *zones, turn_++, buffer_);
  } else {
    ++statistics_.unanswered;
    size = give_up(asked, reason(landed.failure), *zones, turn_++, buffer_);
  }
  later(finish(size));
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
  s.groups = forwarder_.groups(clock_());
  s.zones = zones_->zone_count();
  s.names = zones_->name_count();
  s.zone_bytes = zones_->memory();
  return s;
}

}  // namespace wigeon::dns
