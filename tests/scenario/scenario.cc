// SPDX-License-Identifier: GPL-2.0-or-later
// Runs DNS conversations written as text (README.md) against the resolver's service, over
// a fake upstream and a fake clock.
#include <cstdio>
#include <deque>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "agent/base/ip.hh"
#include "dns/record.hh"
#include "dns/service.hh"
#include "tests/scenario/message_text.hh"

namespace {

using namespace wigeon;
using namespace wigeon::dns;

struct FakeExchange : Exchange {
  struct Sent {
    std::vector<uint8_t> query{};
    Done done{};
  };
  std::deque<Sent> sent{};          // not answered yet
  std::vector<std::string> seen{};  // "NAME TYPE", not yet asserted

  Result<void> set_servers(std::span<const Endpoint>) override { return {}; }
  void send(const Endpoint&, Bytes query, Transport, std::chrono::milliseconds,
            Done done) override {
    Reader in(query);
    (void)in.header();
    const auto q = in.question();
    seen.push_back(name_text(q->name.lowered().wire()) + " " + type_text(q->type));
    sent.push_back({{query.begin(), query.end()}, std::move(done)});
  }
};

class Run {
 public:
  explicit Run(std::string path) : path_(std::move(path)) { set_servers(true); }

  bool run() {
    std::ifstream in(path_);
    std::string line;
    std::vector<std::string> block;  // a command and its indented lines
    for (int n = 1; std::getline(in, line); ++n) {
      if (line.empty() || line[0] == '#') continue;
      if (line[0] != ' ') {
        execute(block);
        block.clear();
        line_ = n;
      }
      block.push_back(line.substr(line.find_first_not_of(' ')));
    }
    execute(block);
    if (commands_ == 0) failed("nothing is in it");
    for (const auto& [client, reply] : replies_)
      if (!reply.empty()) failed("reply to " + client + " was not expected:\n" + reply);
    for (const auto& seen : exchange_.seen) failed("upstream was asked " + seen);
    return good_;
  }

 private:
  void failed(const std::string& what) {
    std::printf("%s:%d: %s\n", path_.c_str(), line_, what.c_str());
    good_ = false;
  }

  void execute(const std::vector<std::string>& block) {
    if (block.empty()) return;
    ++commands_;
    std::istringstream words(block[0]);
    std::string command;
    words >> command;
    const std::vector<std::string> lines(block.begin() + 1, block.end());
    if (command == "ZONE") return zone(words, lines);
    if (command == "OVERLAY") return overlay(words);
    if (command == "UPSTREAM") return upstream(words);
    if (command == "QUERY") return query(words);
    if (command == "EXPECT") return expect(words, lines);
    if (command == "ASKED") return asked(words);
    if (command == "REPLY") return reply(words, lines);
    if (command == "SPOOF") return spoof(words, lines);
    if (command == "TIME") return time(words);
    failed("unknown command " + command);
  }

  void rebuild() {
    auto zones = Zones::build(zones_, overlay_);
    if (!zones) return failed(zones.error().what);
    service_.replace_zones(*zones);
  }

  // ZONE domain [forward-missing], records as "NAME TTL TYPE RDATA"; an empty one goes.
  void zone(std::istringstream& words, const std::vector<std::string>& lines) {
    ZoneConfig z;
    std::string option;
    words >> z.domain >> option;
    z.non_authoritative = option == "forward-missing";
    for (const auto& line : lines) {
      std::istringstream in(line);
      RecordConfig r;
      std::string type_name;
      in >> r.name >> r.ttl >> type_name >> std::ws;
      std::getline(in, r.rdata);
      r.type = parse_type(type_name).value_or(0);
      z.records.push_back(std::move(r));
    }
    std::erase_if(zones_, [&](const ZoneConfig& old) { return old.domain == z.domain; });
    if (option != "gone") zones_.push_back(std::move(z));
    rebuild();
  }

  void overlay(std::istringstream& words) {
    std::string prefix;
    while (words >> prefix) overlay_.push_back(*Prefix::parse(prefix));
    rebuild();
  }

  void set_servers(bool up) {
    std::vector<Endpoint> servers;
    if (up) servers.push_back(*Endpoint::parse("192.0.2.53:53"));
    if (!service_.set_servers(servers)) failed("the servers were refused");
  }

  void upstream(std::istringstream& words) {
    std::string state;
    words >> state;
    set_servers(state == "up");
  }

  // QUERY client NAME TYPE [tcp] [edns=N] [do] [cd] [ad] [nord] [class=N]
  void query(std::istringstream& words) {
    std::string client, type_name, option;
    QueryText q;
    words >> client >> q.name >> type_name;
    q.type = parse_type(type_name).value_or(0);
    q.id = ++ids_;
    Transport transport = Transport::udp;
    while (words >> option) {
      if (option == "tcp")
        transport = Transport::tcp;
      else if (option == "do")
        q.dnssec_ok = true;
      else if (option == "cd")
        q.flags |= flag::kCd;
      else if (option == "ad")
        q.flags |= flag::kAd;
      else if (option == "nord")
        q.flags &= static_cast<uint16_t>(~flag::kRd);
      else if (option.starts_with("edns="))
        q.edns = std::stoi(option.substr(5));
      else if (option.starts_with("class="))
        q.klass = static_cast<uint16_t>(std::stoi(option.substr(6)));
      else
        failed("unknown option " + option);
    }
    const auto bytes = make_query(q);
    const auto keep = [this, client, id = q.id](Bytes r) {
      if (r.size() < 2 || (r[0] << 8 | r[1]) != id) failed("the reply has another id");
      replies_[client] += text(r);
    };
    const auto a = service_.handle(bytes, transport);
    if (a.kind == Answer::Kind::reply) keep(service_.reply(a));
    if (a.kind == Answer::Kind::ask) service_.ask(now_, keep);
  }

  void expect(std::istringstream& words, const std::vector<std::string>& lines) {
    std::string client;
    words >> client;
    std::string want;
    for (const auto& line : lines)
      if (line != "nothing") want += line + "\n";
    const std::string have = std::exchange(replies_[client], {});
    if (want != have)
      failed("expected for " + client + ":\n" + want + "but it got:\n" +
             (have.empty() ? "nothing\n" : have));
  }

  // ASKED NAME TYPE: upstream was sent this, in order; ASKED nothing.
  void asked(std::istringstream& words) {
    std::string want;
    std::getline(words >> std::ws, want);
    if (want == "nothing" && exchange_.seen.empty()) return;
    const std::string have = exchange_.seen.empty() ? "nothing" : exchange_.seen.front();
    if (!exchange_.seen.empty()) exchange_.seen.erase(exchange_.seen.begin());
    if (want != have) failed("upstream was asked " + have + ", not " + want);
  }

  // REPLY rcode [tc] [ad] [aa], records indented: the oldest open question gets it.
  // REPLY none: its servers failed.
  void reply(std::istringstream& words, const std::vector<std::string>& lines) {
    answer_oldest(words, lines, [](std::vector<uint8_t>&) {});
  }

  // SPOOF id|question|garbage rcode: a reply that is not to what was asked.
  void spoof(std::istringstream& words, const std::vector<std::string>& lines) {
    std::string how;
    words >> how;
    answer_oldest(words, lines, [&](std::vector<uint8_t>& bytes) {
      if (how == "id") bytes[0] ^= 1;
      if (how == "question") bytes[kHeaderSize + 1] ^= 1;
      if (how == "garbage") bytes.resize(bytes.size() - 1);
    });
  }

  void answer_oldest(std::istringstream& words, const std::vector<std::string>& lines,
                     auto spoil) {
    if (exchange_.sent.empty()) return failed("no question is open");
    auto sent = std::move(exchange_.sent.front());
    exchange_.sent.pop_front();
    std::string rcode, option;
    words >> rcode;
    if (rcode == "none") return sent.done({Outcome::End::no_reply, {}});
    uint16_t flags = flag::kRa;
    while (words >> option)
      flags |= option == "tc" ? flag::kTc : option == "ad" ? flag::kAd : flag::kAa;
    auto bytes = make_reply(sent.query, rcode, lines, flags);
    spoil(bytes);
    sent.done({Outcome::End::replied, bytes});
  }

  void time(std::istringstream& words) {
    int64_t ms = 0;
    words >> ms;
    now_ += std::chrono::milliseconds(ms);
    service_.expire(now_);
  }

  std::string path_;
  int line_ = 0;
  int commands_ = 0;
  bool good_ = true;
  std::vector<ZoneConfig> zones_{};
  std::vector<Prefix> overlay_{};
  FakeExchange exchange_{};
  Service service_{exchange_};
  Service::Time now_{};
  uint16_t ids_ = 0;
  std::map<std::string, std::string> replies_{};
};

}  // namespace

int main(int argc, char** argv) {
  int failures = 0, runs = 0;
  for (int i = 1; i < argc; ++i) {
    for (const auto& entry : std::filesystem::directory_iterator(argv[i])) {
      if (entry.path().extension() != ".txt" ||
          entry.path().filename() == "CMakeLists.txt")
        continue;
      ++runs;
      if (!Run(entry.path()).run()) ++failures;
    }
  }
  std::printf("%d conversations, %d failed\n", runs, failures);
  return runs > 0 && failures == 0 ? 0 : 1;
}
