// SPDX-License-Identifier: GPL-2.0-or-later
// `wigeon dns` against a server that plays the daemon.
#include "tests/unit/cli/served_cli.hh"
#include "tests/unit/control/status_fixture.hh"

using namespace wigeon;

namespace {

DnsQueryResult from_upstream() {
  return {.name = "w.corp.example.",
          .type = "A",
          .status = "NOERROR",
          .flags = {"rd", "ra"},
          .size = 88,
          .answer = {{"w.corp.example.", 60, "CNAME", "x.example."},
                     {"x.example.", 30, "A", "203.0.113.1"}},
          .trace = {.local = "zone",
                    .zone = "corp.example.",
                    .wanted = "x.example.",
                    .source = "match",
                    .domain = "example.",
                    .cache = "miss",
                    .attempts = {{"192.0.2.1:53", 12, 2'000'000, "no reply"},
                                 {"192.0.2.2:53", 2'000'050, 900, "answered"}},
                    .took = 2'001'000}};
}

struct Resolver {
  Served served{};
  DnsQueryResult result = from_upstream();
  std::vector<std::string> asked{};

  Resolver() {
    served->on("dns_query", Permission::read, [this](Request q, Server::Reply reply) {
      asked.push_back(q.params);
      reply.result(encode(result));
    });
  }
  cli::Output run(const std::vector<std::string>& args) {
    return wigeon_with(served, args);
  }
};

}  // namespace

TEST_CASE("a query prints the answer as dig does, and its trace when asked for") {
  Resolver r;
  const std::string answer =
      ";; w.corp.example. A: NOERROR, flags: rd ra\n"
      ";; ANSWER SECTION:\n"
      "w.corp.example.\t60\tIN\tCNAME\tx.example.\n"
      "x.example.\t30\tIN\tA\t203.0.113.1\n"
      ";; 88 bytes after 2.001s\n";
  auto output = r.run({"dns", "query", "w.corp.example"});
  CHECK(output.out == answer);
  CHECK(output.exit == 0);
  CHECK(r.run({"dns", "query", "w.corp.example", "aaaa", "--tcp", "--trace"}).out ==
        answer +
            ";; TRACE:\n"
            ";;   zone corp.example. leads to x.example., which is not ours\n"
            ";;   asked: the nameserver group of example.\n"
            ";;   cache: miss\n"
            ";;   192.0.2.1:53: sent after 12\u00b5s, no reply after 2s\n"
            ";;   192.0.2.2:53: sent after 2.00005s, answered after 900\u00b5s\n"
            ";;   took 2.001s\n");
  CHECK(r.asked == std::vector<std::string>{
                       R"({"name":"w.corp.example","type":"","tcp":false})",
                       R"({"name":"w.corp.example","type":"aaaa","tcp":true})"});
  CHECK(r.run({"dns", "query", "x", "--json"}).out == encode(r.result) + "\n");
}

TEST_CASE("NXDOMAIN ends in 10, a failure in 1, and extended errors are told") {
  Resolver r;
  r.result.answer.clear();
  r.result.status = "NXDOMAIN";
  r.result.authority = {{"corp.example.", 30, "SOA", "a. b. 1 2 3 4 5"}};
  auto output = r.run({"dns", "query", "x.corp.example"});
  CHECK(output.exit == 10);
  CHECK(output.out.find(";; AUTHORITY SECTION:\ncorp.example.\t30\tIN\tSOA\t") !=
        std::string::npos);
  r.result.status = "SERVFAIL";
  r.result.errors = {{22, "no \x1b reply"}};
  output = r.run({"dns", "query", "x.corp.example"});
  CHECK(output.exit == 1);
  CHECK(output.out.find("\n;; extended error 22: no ? reply\n") != std::string::npos);
}

TEST_CASE("each way to an answer has its words") {
  Resolver r;
  const auto trace = [&](const DnsTraceItem& t) {
    r.result.trace = t;
    const auto out = r.run({"dns", "query", "w.corp.example", "--trace"}).out;
    const auto from = out.find(";; TRACE:\n") + 10;
    return out.substr(from, out.find(";;   took") - from);
  };
  CHECK(trace({.local = "zone", .zone = "corp.example."}) ==
        ";;   zone corp.example. answers\n");
  CHECK(trace({.local = "special", .zone = "onion."}) ==
        ";;   names of onion. are never asked upstream\n");
  CHECK(trace({.local = "refused"}) == ";;   type A is not answered\n");
  CHECK(trace({.local = "zone",
               .zone = "corp.example.",
               .wanted = "w.corp.example.",
               .source = "original"}) ==
        ";;   zone corp.example. lacks it and leaves it to others\n"
        ";;   asked: the host's original servers\n");
  CHECK(trace({.wanted = "w.corp.example.", .source = "primary", .shared = true}) ==
        ";;   no zone of ours has it\n"
        ";;   asked: the primary nameserver group\n"
        ";;   the same question was in flight already\n");
  CHECK(trace({.wanted = "w.corp.example.",
               .source = "original",
               .domain = "corp.example.",
               .fell = true,
               .withheld = true}) ==
        ";;   no zone of ours has it\n"
        ";;   asked: the nameserver group of corp.example. is dead: the host's original "
        "servers\n"
        ";;   the answer held addresses that its source must not say\n");
}

TEST_CASE("a truncated reply is asked for again over TCP") {
  Served served;
  served->on("dns_query", Permission::read, [](Request q, Server::Reply reply) {
    auto result = from_upstream();
    if (q.params.find("\"tcp\":false") != std::string::npos) {
      result.flags.emplace_back("tc");
      result.answer.clear();
    }
    reply.result(encode(result));
  });
  const auto output = wigeon_with(served, {"dns", "query", "w.corp.example"});
  CHECK(output.out.starts_with(
      ";; the reply over UDP was truncated, asked again over TCP\n;; w.corp.example."));
  CHECK(output.out.find("203.0.113.1") != std::string::npos);
}

TEST_CASE("a flush says what it forgot, and refusals keep their exit codes") {
  Served served;
  std::vector<std::string> asked;
  served->on("dns_flush", Permission::change, [&](Request q, Server::Reply reply) {
    asked.push_back(q.params);
    if (asked.size() == 3) return reply.fail(Code::degraded, "no resolver runs");
    reply.result(encode(DnsFlushResult{asked.size()}));
  });
  CHECK(wigeon_with(served, {"dns", "flush"}).out == "Flushed 1 entry.\n");
  CHECK(wigeon_with(served, {"dns", "flush", "a.example"}).out ==
        "Flushed 2 entries of a.example.\n");
  const auto output = wigeon_with(served, {"dns", "flush"});
  CHECK(output.exit == 6);
  CHECK(output.err == "Error: no resolver runs\n");
  CHECK(asked == std::vector<std::string>{"{}", R"({"name":"a.example"})", "{}"});
  CHECK(wigeon_with(served, {"dns"}).exit == 2);
  CHECK(wigeon_with(served, {"dns", "query"}).exit == 2);
}

TEST_CASE(
    "debug redirect shows each step, and says by its exit code whether it answered") {
  Served served;
  bool answers = true;
  served->on("debug_redirect", Permission::read, [&](Request, Server::Reply reply) {
    reply.result(encode(RedirectResult{
        {{"udp",
          "100.64.0.1:53",
          {{"Redirect", "tc: tcx ingress of lo", false},
           {"Reply", answers ? "from 100.64.0.1:53" : "no reply", !answers}}}}}));
  });
  const auto output = wigeon_with(served, {"debug", "redirect"});
  CHECK(output.exit == 0);
  CHECK(output.out ==
        "udp 100.64.0.1:53\n"
        "  Redirect  tc: tcx ingress of lo\n"
        "  Reply     from 100.64.0.1:53\n");
  answers = false;
  const auto failing = wigeon_with(served, {"debug", "redirect"});
  CHECK(failing.exit == 6);
  CHECK(failing.out.find("  Reply     FAILED: no reply\n") != std::string::npos);
  CHECK(wigeon_with(served, {"debug", "redirect", "--json"}).out ==
        R"({"walks":[{"transport":"udp","server":"100.64.0.1:53","steps":[)"
        R"({"step":"Redirect","detail":"tc: tcx ingress of lo","failed":false},)"
        R"({"step":"Reply","detail":"no reply","failed":true}]}]})"
        "\n");
}

TEST_CASE("dns status shows what there is, for people and as JSON") {
  Served served;
  served->on("status", Permission::read,
             [](Request, Server::Reply reply) { reply.result(to_json(everything())); });
  cli::Environment environment;
  environment.now = [] { return *parse_rfc3339("2002-02-02T02:05:52Z"); };
  CHECK(
      wigeon_with(served, {"dns", "status"}, environment).out ==
      "Host's resolver: systemd (resolved=up stub=yes), told of us\n"
      "Last probe: 397 days, 2 hours ago, failed: no reply\n"
      "Reached by: bind (asked for)\n"
      "  attached: tcx on lo, program 17, tag 0123456789abcdef\n"
      "  redirected UDP 7\n"
      "  not by sk_lookup: EPERM\n"
      "Resolver: uid 990, 45 system calls\n"
      "Listening on: 192.168.178.100:53, [fd00::100]:53\n"
      "  udp 192.168.178.100:53: 5 queries, 4 replies, 1 refused\n"
      "Nameservers:\n"
      "  [corp.example] (primary): unhealthy, reason: no reply from 1.1.1.1:53\n"
      "    1.1.1.1:53: 1.5ms, 3 sent, 1 replies, 2 failures, last reply 20 seconds ago, "
      "last failure 10 seconds ago\n"
      "  the host's original servers: unknown\n"
      "Zones: 2, names: 6\n"
      "  awesome-domain.com: 6 records, the rest is asked upstream\n"
      "  168.192.in-addr.arpa: 1 record, generated\n"
      "Cache: 1 entries, 2.0 KiB, 3 hits, 4 misses, 5 evicted, 6 stale answers\n"
      "Queries: answered 12, refused 1\n"
      "Sent upstream: forgedReplies 11, total 14\n");
  CHECK(wigeon_with(served, {"dns", "status", "--json"}).out ==
        to_json(everything().dns) + "\n");
}
