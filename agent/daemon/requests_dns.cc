// SPDX-License-Identifier: GPL-2.0-or-later
// What is answered about names. The resolver reads their messages; texts come from it.
#include <cctype>

#include "agent/base/log.hh"
#include "agent/daemon/daemon.hh"
#include "agent/daemon/redirect_walk.hh"
#include "dns/record.hh"

namespace wigeon {
namespace {

std::string text(dns::Trace::Local local) {
  using Local = dns::Trace::Local;
  switch (local) {
    case Local::none:
      return "";
    case Local::zone:
      return "zone";
    case Local::special:
      return "special";
    case Local::refused_type:
      return "refused";
  }
  return "";
}

std::string text(dns::Trace::Source source) {
  using Source = dns::Trace::Source;
  switch (source) {
    case Source::nobody:
      return "";
    case Source::match:
      return "match";
    case Source::primary:
      return "primary";
    case Source::original:
      return "original";
  }
  return "";
}

std::string text(dns::Trace::Cache cache) {
  using Cache = dns::Trace::Cache;
  switch (cache) {
    case Cache::unused:
      return "";
    case Cache::miss:
      return "miss";
    case Cache::hit:
      return "hit";
    case Cache::stale:
      return "stale";
  }
  return "";
}

std::string text(dns::Attempt::End end) {
  using End = dns::Attempt::End;
  switch (end) {
    case End::pending:
      return "not waited for";
    case End::answered:
      return "answered";
    case End::refused:
      return "refused";
    case End::unusable:
      return "unusable";
    case End::no_reply:
      return "no reply";
    case End::unreachable:
      return "unreachable";
  }
  return "";
}

DnsTraceItem trace_item(const dns::Trace& t) {
  DnsTraceItem item{.local = text(t.local),
                    .zone = t.zone,
                    .wanted = t.wanted,
                    .source = text(t.source),
                    .domain = t.domain,
                    .fell = t.fell,
                    .shared = t.shared,
                    .withheld = t.withheld,
                    .cache = text(t.cache),
                    .took = t.took};
  for (const auto& a : t.attempts)
    item.attempts.push_back({a.server.text(), a.sent, a.took, text(a.end)});
  return item;
}

struct Asked {
  dns::Name name{};
  uint16_t type = dns::type::kA;
};

Result<Asked> parse(const DnsQueryParams& p) {
  Asked asked;
  if (const auto address = Address::parse(p.name)) {
    asked = {dns::Name::reverse(*address), dns::type::kPtr};
  } else {
    auto name = dns::Name::parse(p.name);
    if (!name) return within("'" + p.name + "' is not a name", std::move(name).error());
    asked.name = *name;
  }
  if (p.type.empty()) return asked;
  std::string upper = p.type;
  for (char& c : upper)
    c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  asked.type = TRY(dns::parse_type(upper));
  return asked;
}

DnsQueryResult query_result(const Asked& asked, const dns::Traced& t) {
  DnsQueryResult result{.name = asked.name.text(),
                        .type = dns::type_text(asked.type),
                        .status = dns::rcode_text(t.reply.rcode),
                        .flags = dns::flag_texts(t.reply.flags),
                        .size = t.reply.size,
                        .left_out = t.reply.left_out,
                        .trace = trace_item(t.trace)};
  using Section = dns::ReplyRecord::Section;
  for (const auto& r : t.reply.records) {
    auto& section = r.section == Section::answer      ? result.answer
                    : r.section == Section::authority ? result.authority
                                                      : result.additional;
    section.push_back({r.name, r.ttl, r.type, r.rdata});
  }
  for (const auto& e : t.reply.errors) result.errors.push_back({e.code, e.text});
  return result;
}

}  // namespace

void Daemon::handle_dns() {
  server_->on("dns_flush", Permission::change, [this](const Request& q, Server::Reply r) {
    auto params = decode_dns_flush(q.params);
    if (!params) return r.fail(Code::usage, params.error().what);
    if (const auto& name = params->name; !name.empty())
      if (const auto parsed = dns::Name::parse(name); !parsed)
        return r.fail(Code::usage,
                      "'" + name + "' is not a name: " + parsed.error().what);
    resolver_->flush(std::move(params->name),
                     [reply = std::move(r)](Outcome<uint64_t> entries) mutable {
                       if (!entries) return reply.fail(entries.error());
                       reply.result(encode(DnsFlushResult{*entries}));
                     });
  });
  server_->on(
      "debug_redirect", Permission::read, [this](const Request&, Server::Reply r) {
        if (!up_ || !maps_.current() || config_.dns.redirect == DnsRedirect::off)
          return r.fail(Code::degraded, "no names are served");
        if (walking_) return r.fail(Code::busy, "another query is being followed");
        const auto look = [this] {
          auto s = resolver_->status();
          redirect_->fill(s);
          return s;
        };
        walking_ = redirect_->walk([this, look, before = look(),
                                    reply = std::move(r)](const auto& results) mutable {
          const auto after = look();
          const WalkInput in{probe_record_.name, &before, &after};
          reply.result(encode(RedirectResult{redirect_walks(in, results)}));
          walking_.reset();
        });
        if (!walking_) log::error("a query could not be followed");
      });
  server_->on("dns_query", Permission::read, [this](const Request& q, Server::Reply r) {
    const auto params = decode_dns_query(q.params);
    if (!params) return r.fail(Code::usage, params.error().what);
    const auto asked = parse(*params);
    if (!asked) return r.fail(Code::usage, asked.error().what);
    resolver_->query(
        asked->name.text(), asked->type,
        params->tcp ? dns::Transport::tcp : dns::Transport::udp,
        [asked = *asked, reply = std::move(r)](Outcome<dns::Traced> t) mutable {
          if (!t) return reply.fail(t.error());
          reply.result(encode(query_result(asked, *t)));
        });
  });
}

}  // namespace wigeon
