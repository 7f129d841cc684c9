// SPDX-License-Identifier: GPL-2.0-or-later
#include <fmt/format.h>

#include <algorithm>

#include "agent/cli/command.hh"
#include "agent/cli/daemon.hh"
#include "agent/cli/dns_text.hh"
#include "agent/cli/options.hh"
#include "agent/cli/print.hh"

namespace wigeon::cli {
namespace {

constexpr std::chrono::seconds kTimeout{10};

Output status(const Session& session, bool as_json) {
  const auto report = ask_status(session, deadline_in(kTimeout));
  if (!report) return failed(report.error());
  if (as_json) return {.out = to_json(report->dns) + "\n"};
  return {.out = dns_status_text(report->dns, session.now())};
}

struct Question {
  DnsQueryParams params{};
  bool trace = false, json = false;
};

Outcome<DnsQueryResult> ask_dns(const Session& session, const DnsQueryParams& params) {
  return ask(session, deadline_in(kTimeout), "dns_query", decode_dns_queried,
             encode(params));
}

// A name that does not exist is "not found"; one whose servers fail is an error.
int exit_of(const DnsQueryResult& result) {
  if (result.status == "NOERROR") return 0;
  return exit_code(result.status == "NXDOMAIN" ? Code::not_found : Code::error);
}

Output query(const Session& session, const Question& q) {
  auto result = ask_dns(session, q.params);
  std::string out;
  if (result && !q.params.tcp && std::ranges::count(result->flags, "tc") > 0) {
    // As a resolver of the C library does.
    auto params = q.params;
    params.tcp = true;
    result = ask_dns(session, params);
    if (!q.json) out = ";; the reply over UDP was truncated, asked again over TCP\n";
  }
  if (!result) return failed(result.error());
  if (q.json) return {.exit = exit_of(*result), .out = encode(*result) + "\n"};
  out += dns_answer_text(*result);
  if (q.trace) out += dns_trace_text(*result);
  return {.exit = exit_of(*result), .out = std::move(out)};
}

Output flush(const Session& session, const std::string& name) {
  const auto result = ask(session, deadline_in(kTimeout), "dns_flush", decode_dns_flushed,
                          encode(DnsFlushParams{.name = name}));
  if (!result) return failed(result.error());
  return {.out = fmt::format("Flushed {} {}{}.\n", result->entries,
                             result->entries == 1 ? "entry" : "entries",
                             name.empty() ? "" : " of " + plain(name))};
}

void add_dns_query(CLI::App& dns, Run& chosen) {
  const auto question = std::make_shared<Question>();
  auto* command = dns.add_subcommand("query", "Ask our resolver as a program here would");
  command->add_option("NAME", question->params.name, "A whole name, or an address")
      ->required();
  command->add_option("TYPE", question->params.type, "A, AAAA, TXT, TYPE65 … (A or PTR)");
  command->add_flag("--trace", question->trace, "Who had the name, who was asked");
  command->add_flag("--tcp", question->params.tcp, "Over TCP");
  command->add_flag("-j,--json", question->json, "As JSON, with the trace");
  command->footer(
      "Examples:\n  wigeon dns query db.corp.example --trace\n"
      "  wigeon dns query example.org AAAA\n  wigeon dns query 100.64.0.2\n\n"
      "Exit codes: 0 NOERROR, also without an answer; 10 NXDOMAIN; 1 anything else.");
  command->callback([&chosen, question] {
    chosen = [question](const Session& session) { return query(session, *question); };
  });
}

}  // namespace

void add_dns(CLI::App& root, Run& chosen) {
  auto* dns = root.add_subcommand("dns", "Names: our resolver and the host's");
  dns->require_subcommand(1);
  dns->footer("Example:\n  wigeon dns status");

  auto* showing = dns->add_subcommand(
      "status", "Who is asked for names, whether they reply, what is counted");
  showing->footer("Example:\n  wigeon dns status --json | jq .groups");
  add_json(*showing, chosen, status);

  add_dns_query(*dns, chosen);

  const auto name = std::make_shared<std::string>();
  auto* flushing =
      dns->add_subcommand("flush", "Forget what other servers said, of one name or all");
  flushing->add_option("NAME", *name, "Only of this name");
  flushing->footer("Examples:\n  wigeon dns flush\n  wigeon dns flush www.example.org");
  flushing->callback([&chosen, name] {
    chosen = [name](const Session& session) { return flush(session, *name); };
  });
}

}  // namespace wigeon::cli
