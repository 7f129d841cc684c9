// SPDX-License-Identifier: GPL-2.0-or-later
#include "dns/service.hh"

namespace wigeon::dns {
namespace {

ExtendedError reason(Forwarder::Failure failure) {
  using Code = ExtendedError::Code;
  switch (failure) {
    case Forwarder::Failure::none:
      return {Code::other, "the upstream server's reply is malformed"};
    case Forwarder::Failure::no_servers:
      return {Code::network, "no upstream server is configured"};
    case Forwarder::Failure::too_many:
      return {Code::other, "too many queries are waiting"};
    case Forwarder::Failure::no_reply:
      return {Code::unreachable, "no upstream server replied"};
  }
  return {};
}

}  // namespace

Service::Service(Exchange& exchange)
    : forwarder_(exchange), zones_(*Zones::build({}, {})) {}

Answer Service::handle(Bytes query, Transport transport) {
  ++statistics_.queries;
  const auto a = answer(query, transport, *zones_, turn_++, buffer_, asked_, wanted_);
  if (a.kind == Answer::Kind::drop) ++statistics_.dropped;
  if (a.kind == Answer::Kind::reply) finish(a.size);
  return a;
}

void Service::ask(Time now, Later later) {
  forwarder_.ask(wanted_, asked_.flags, asked_.dnssec_ok, now,
                 [this, asked = asked_, later = std::move(later)](
                     Bytes reply, Forwarder::Failure failure) mutable {
                   const auto zones = zones_;  // may be replaced by what later() does
                   size_t size;
                   if (failure == Forwarder::Failure::none) {
                     size = complete(asked, reply, *zones, turn_++, buffer_);
                   } else {
                     ++statistics_.unanswered;
                     size = give_up(asked, reason(failure), *zones, turn_++, buffer_);
                   }
                   later(finish(size));
                 });
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
  s.zones = zones_->zone_count();
  s.names = zones_->name_count();
  s.zone_bytes = zones_->memory();
  return s;
}

}  // namespace wigeon::dns
