// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/cli/dns_text.hh"

#include <fmt/format.h>

#include "agent/cli/print.hh"
#include "agent/control/time_text.hh"

namespace wigeon::cli {
namespace {

std::string microseconds(uint64_t n) {
  constexpr uint64_t kHour = 3'600'000'000;
  return go_duration(std::chrono::microseconds(std::min(n, kHour)));
}

std::string section(std::string_view title, const std::vector<DnsRecordItem>& records) {
  if (records.empty()) return "";
  std::string out = fmt::format(";; {} SECTION:\n", title);
  for (const auto& r : records)
    out += fmt::format("{}\t{}\tIN\t{}\t{}\n", plain(r.name), r.ttl, plain(r.type),
                       plain(r.data));
  return out;
}

std::string local_step(const DnsQueryResult& r) {
  const auto& t = r.trace;
  if (t.local == "zone") {
    if (t.wanted.empty()) return fmt::format("zone {} answers", plain(t.zone));
    return t.wanted == r.name
               ? fmt::format("zone {} lacks it and leaves it to others", plain(t.zone))
               : fmt::format("zone {} leads to {}, which is not ours", plain(t.zone),
                             plain(t.wanted));
  }
  if (t.local == "special")
    return fmt::format("names of {} are never asked upstream", plain(t.zone));
  if (t.local == "refused") return fmt::format("type {} is not answered", plain(r.type));
  return "no zone of ours has it";
}

std::string source_step(const DnsTraceItem& t) {
  std::string group = t.domain.empty()
                          ? "the nameserver group"
                          : fmt::format("the nameserver group of {}", plain(t.domain));
  if (t.fell) return group + " is dead: the host's original servers";
  if (t.source == "match") return group;
  if (t.source == "primary") return "the primary nameserver group";
  if (t.source == "original") return "the host's original servers";
  return "nobody";
}

// "[a, b]", "[.] (primary)", "the host's original servers"
std::string group_name(const DnsGroupStatus& g) {
  if (g.original) return "the host's original servers";
  return fmt::format("[{}]{}", plain(joined(g.domains, ".")),
                     g.primary ? " (primary)" : "");
}

std::string server_line(const DnsServerStatus& s, WallTime now) {
  return fmt::format(
      "    {}: {}, {} sent, {} replies, {} failures, last reply {}, last failure {}\n",
      plain(s.server), s.latency.count() ? go_duration(s.latency) : "-", s.sent,
      s.replies, s.failures, time_ago(s.last_reply, now), time_ago(s.last_failure, now));
}

std::string zone_line(const DnsZoneStatus& z) {
  return fmt::format("  {}: {} record{}{}\n", plain(z.domain), z.records,
                     z.records == 1 ? "" : "s",
                     z.generated        ? ", generated"
                     : !z.authoritative ? ", the rest is asked upstream"
                                        : "");
}

std::string counters_line(std::string_view title,
                          const std::map<std::string, uint64_t>& counters) {
  std::string out = fmt::format("{}:", title);
  for (const auto& [what, n] : counters) out += fmt::format(" {} {},", plain(what), n);
  if (out.back() == ',') out.pop_back();
  return out + "\n";
}

std::string because(std::string value, const std::string& reason) {
  return reason.empty() ? value : fmt::format("{} ({})", value, plain(reason));
}

std::string manager(const DnsStatus& d) {
  if (d.manager.empty()) return because("not known", d.manager_reason);
  std::string out = because(plain(d.manager), d.manager_reason);
  if (d.applied) return out + ", told of us";
  return out + because(", not told of us", d.apply_failure);
}

// Its place, its counters, and what was tried before.
std::string redirect(const DnsStatus& d) {
  std::string out;
  if (!d.redirect_attached.empty()) {
    out += "  attached: " + plain(d.redirect_attached);
    if (d.redirect_program != 0)
      out +=
          fmt::format(", program {}, tag {}", d.redirect_program, plain(d.redirect_tag));
    out += '\n';
  }
  std::string counted;
  for (const auto& [what, n] : d.redirect_counters)
    if (n > 0)
      counted += fmt::format("{}{} {}", counted.empty() ? "  " : ", ", plain(what), n);
  if (!counted.empty()) out += counted + '\n';
  for (const auto& r : d.redirect_refused)
    out += fmt::format("  not by {}: {}\n", plain(r.what), plain(r.reason));
  return out;
}

std::string probe(const DnsStatus& d, WallTime now) {
  if (d.probed_at == kNever) return "none yet";
  return time_ago(d.probed_at, now) +
         (d.probe_failure.empty() ? ", answered" : ", failed: " + plain(d.probe_failure));
}

}  // namespace

std::string dns_status_text(const DnsStatus& d, WallTime now) {
  std::string out = "Host's resolver: " + manager(d) + "\n";
  out += "Last probe: " + probe(d, now) + "\n";
  out +=
      "Reached by: " +
      because(d.redirect.empty() ? "no resolver" : plain(d.redirect), d.redirect_reason) +
      "\n";
  out += redirect(d);
  if (!d.sandbox.empty()) out += "Resolver: " + plain(d.sandbox) + "\n";
  out += "Listening on: " + plain(joined(d.listen, "-")) + "\n";
  for (const auto& l : d.listeners)
    out +=
        fmt::format("  {} {}: {} queries, {} replies, {} refused\n", plain(l.transport),
                    plain(l.endpoint), l.queries, l.replies, l.refused);
  out += "Nameservers:\n";
  for (const auto& g : d.groups) {
    out += fmt::format("  {}: {}{}\n", group_name(g), plain(g.health),
                       g.reason.empty() ? "" : ", reason: " + plain(g.reason));
    for (const auto& s : g.servers) out += server_line(s, now);
  }
  out += fmt::format("Zones: {}, names: {}\n", d.zones, d.records);
  for (const auto& z : d.zone_list) out += zone_line(z);
  if (d.zone_list.size() >= kMaxZonesListed) out += "  …\n";
  out += fmt::format(
      "Cache: {} entries, {}, {} hits, {} misses, {} evicted, {} stale answers\n",
      d.cache.entries, bytes_text(d.cache.bytes), d.cache.hits, d.cache.misses,
      d.cache.evicted, d.cache.stale);
  return out + counters_line("Queries", d.queries) +
         counters_line("Sent upstream", d.upstream);
}

std::string dns_answer_text(const DnsQueryResult& r) {
  std::string out =
      fmt::format(";; {} {}: {}, flags:", plain(r.name), plain(r.type), plain(r.status));
  for (const auto& f : r.flags) out += " " + plain(f);
  out += "\n";
  for (const auto& e : r.errors)
    out += fmt::format(";; extended error {}{}\n", e.code,
                       e.text.empty() ? "" : ": " + plain(e.text));
  out += section("ANSWER", r.answer) + section("AUTHORITY", r.authority) +
         section("ADDITIONAL", r.additional);
  if (r.left_out > 0) out += fmt::format(";; {} more records\n", r.left_out);
  return out + fmt::format(";; {} bytes after {}\n", r.size, microseconds(r.trace.took));
}

std::string dns_trace_text(const DnsQueryResult& r) {
  const auto& t = r.trace;
  std::string out = ";; TRACE:\n";
  const auto step = [&out](std::string_view text) {
    out += fmt::format(";;   {}\n", text);
  };
  step(local_step(r));
  if (!t.wanted.empty()) step("asked: " + source_step(t));
  if (!t.cache.empty()) step("cache: " + plain(t.cache));
  if (t.shared) step("the same question was in flight already");
  for (const auto& a : t.attempts)
    step(fmt::format("{}: sent after {}, {} after {}", plain(a.server),
                     microseconds(a.sent), plain(a.outcome), microseconds(a.took)));
  if (t.withheld) step("the answer held addresses that its source must not say");
  step("took " + microseconds(t.took));
  return out;
}

}  // namespace wigeon::cli
