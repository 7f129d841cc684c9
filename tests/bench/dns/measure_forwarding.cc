// SPDX-License-Identifier: GPL-2.0-or-later
// Names that others have: each asked once, and the same ones again and again.
#include "tests/bench/dns/measures.hh"

namespace wigeon::bench {

Result<void> measure_forwarding(const Effort& effort, Report& report) {
  const Task origin{.endpoint = {*Address::parse("127.0.0.2"), 5299}};
  const auto upstream = TRY(start_echo(origin, 1));
  auto field = TRY(Field::gather(forwarding_kinds(), 100, upstream.endpoint(), report));
  TRY(field.compete(effort, fresh_names(), {}, false, report));
  field.tell("forwarded, each name once", report);
  ratio_goal(report, field, "D6", "ours / relay, forwarded", "relay", 1.35);
  ratio_goal(report, field, "D6", "ours / dnsmasq, forwarded", "dnsmasq", 0.42);
  ratio_goal(report, field, "D6", "ours / unbound, forwarded", "unbound", 0.30);

  auto kinds = forwarding_kinds();
  kinds[0] = local_kinds()[0];  // echo is the limit of what needs no upstream server
  auto cached = TRY(Field::gather(kinds, 100, upstream.endpoint(), report));
  TRY(cached.compete({1, 0.1}, few_names(), {}, false, report));
  TRY(cached.compete(effort, few_names(), {}, false, report));
  cached.tell("forwarded, 1000 names", report);
  ratio_goal(report, cached, "D7", "ours / echo, cached", "echo", 1.12);
  ratio_goal(report, cached, "D7", "ours / unbound, cached", "unbound", 0.75);
  ratio_goal(report, cached, "D7", "ours / dnsmasq, cached", "dnsmasq", 0.50);
  return {};
}

}  // namespace wigeon::bench
