// SPDX-License-Identifier: GPL-2.0-or-later
#include "dns/inquiry.hh"

namespace wigeon::dns {
namespace {

Traced told(uint32_t id, Bytes message, Tracer& tracer, Service::Time now) {
  tracer.finished(now);
  Traced traced{.id = id, .trace = std::move(tracer.trace)};
  auto reply = reply_text(message);
  if (reply)
    traced.reply = *std::move(reply);
  else
    traced.failure = reply.error().what;
  return traced;
}

}  // namespace

void inquire(Service& service, const Query& query, Service::Time now,
             std::move_only_function<void(Traced)> done) {
  const auto name = Name::parse(query.name);
  if (!name) return done({.id = query.id, .failure = name.error().what});
  const auto tracer = std::make_shared<Tracer>(now);
  const auto a = service.handle(make_query(0, flag::kRd | flag::kAd, {*name, query.type}),
                                query.transport);
  service.describe(*name, query.type, a, tracer->trace);
  if (a.kind == Answer::Kind::drop)
    return done({.id = query.id, .failure = "the query was dropped"});
  if (a.kind == Answer::Kind::reply)
    return done(told(query.id, service.reply(a), *tracer, service.now()));
  service.ask(
      now, Client{}.address,
      [&service, id = query.id, tracer, done = std::move(done)](Bytes reply) mutable {
        done(told(id, reply, *tracer, service.now()));
      },
      tracer);
}

}  // namespace wigeon::dns
