// SPDX-License-Identifier: GPL-2.0-or-later
// Runs DNS conversations written as text (README.md) against the resolver's service, over
// a fake upstream and a fake clock.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
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

Endpoint server_at(const std::string& address) {
  const auto a = Address::parse(address);
  if (a) return {*a, 53};
  std::printf("not an address: %s\n", address.c_str());
  std::abort();
}

struct FakeExchange : Exchange {
  struct Sent {
    Endpoint server{};
    std::vector<uint8_t> query{};
    Service::Time deadline{};
    Done done{};
  };
  struct Seen {
    std::string question{};  // "NAME TYPE"
    std::string whom{};      // "@ADDRESS", and " tcp"
  };
  explicit FakeExchange(const Service::Time& now) : now_(now) {}

  Result<void> set_servers(std::span<const Endpoint>) override { return {}; }
  void send(const Endpoint& server, Bytes query, Transport first,
            std::chrono::milliseconds limit, Done done) override {
    Reader in(query);
    (void)in.header();
    const auto q = in.question();
    seen.push_back(
        {name_text(q->name.lowered().wire()) + " " + type_text(q->type),
         "@" + server.address.text() + (first == Transport::tcp ? " tcp" : "")});
    sent.push_back({server, {query.begin(), query.end()}, now_ + limit, std::move(done)});
  }
  // The oldest to this server ("": to any) that is not answered yet.
  std::optional<Sent> take(const std::string& server) {
    const auto at = std::ranges::find_if(sent, [&](const Sent& s) {
      return server.empty() || s.server.address.text() == server;
    });
    if (at == sent.end()) return std::nullopt;
    auto taken = std::move(*at);
    sent.erase(at);
    return taken;
  }

  std::deque<Sent> sent{};  // not answered yet
  std::deque<Seen> seen{};  // not yet asserted

 private:
  const Service::Time& now_;
};

class Run {
 public:
  explicit Run(std::string path) : path_(std::move(path)) { configure(); }

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
    for (const auto& seen : exchange_.seen)
      failed("upstream was asked " + seen.question + " " + seen.whom);
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
    if (command == "GROUP") return group(words, lines);
    if (command == "OWN") return own(words);
    if (command == "HEALTH") return health(words);
    if (command == "QUERY") return query(words);
    if (command == "EXPECT") return expect(words, lines);
    if (command == "ASKED") return asked(words);
    if (command == "REPLY") return reply(words, lines);
    if (command == "SPOOF") return spoof(words, lines);
    if (command == "TIME") return time(words);
    if (command == "CACHE") return cache(words);
    if (command == "STALE") return stale(words);
    if (command == "FLUSH") return flush(words);
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
    configure();
  }

  void own(std::istringstream& words) {
    std::string address;
    while (words >> address) own_.push_back(*Address::parse(address));
    service_.set_access({own_, {}});
    configure();
  }

  void configure() {
    Upstreams u{.originals = originals_, .guard = {own_, overlay_}};
    for (const auto& [name, config] : groups_) u.groups.push_back(config);
    if (auto set = service_.set_upstreams(std::move(u)); !set) failed(set.error().what);
  }

  // UPSTREAM up|down|ADDRESS…: the host's original servers.
  void upstream(std::istringstream& words) {
    std::string word;
    originals_.clear();
    while (words >> word) {
      if (word == "down") continue;
      originals_.push_back(server_at(word == "up" ? kUpstream : word));
    }
    configure();
  }

  // GROUP name [primary] ADDRESS… | gone, match domains indented.
  void group(std::istringstream& words, const std::vector<std::string>& lines) {
    std::string name, word;
    words >> name;
    std::erase_if(groups_, [&](auto& g) { return g.first == name; });
    GroupConfig g{.domains = lines};
    bool gone = false;
    while (words >> word) {
      if (word == "gone")
        gone = true;
      else if (word == "primary")
        g.primary = true;
      else
        g.servers.push_back(server_at(word));
    }
    if (!gone) groups_.emplace_back(name, std::move(g));
    configure();
  }

  // HEALTH group|upstream healthy|unhealthy|unknown [reason]
  void health(std::istringstream& words) {
    std::string name, want;
    words >> name;
    std::getline(words >> std::ws, want);
    size_t place = 0;
    while (place < groups_.size() && groups_[place].first != name) ++place;
    const auto g = service_.statistics().groups.at(place);
    std::string have = g.health == Health::healthy     ? "healthy"
                       : g.health == Health::unhealthy ? "unhealthy"
                                                       : "unknown";
    if (!g.reason.empty()) have += " " + g.reason;
    if (want != have) failed(name + " is " + have + ", not " + want);
  }

  // QUERY client NAME TYPE [tcp] [edns=N] [do] [cd] [ad] [nord] [class=N] [from=ADDRESS]
  void query(std::istringstream& words) {
    std::string client, type_name, option;
    QueryText q;
    words >> client >> q.name >> type_name;
    q.type = parse_type(type_name).value_or(0);
    q.id = ++ids_;
    Transport transport = Transport::udp;
    Address source = Client{}.address;
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
      else if (option.starts_with("from="))
        source = server_at(option.substr(5)).address;
      else if (option.starts_with("class="))
        q.klass = static_cast<uint16_t>(std::stoi(option.substr(6)));
      else
        failed("unknown option " + option);
    }
    if (!uses_cache_) service_.flush({});
    const auto bytes = make_query(q);
    const auto keep = [this, client, id = q.id](Bytes r) {
      if (r.size() < 2 || (r[0] << 8 | r[1]) != id) failed("the reply has another id");
      replies_[client] += text(r);
    };
    const auto a = service_.handle(bytes, transport);
    if (a.kind == Answer::Kind::reply) keep(service_.reply(a));
    if (a.kind == Answer::Kind::ask) service_.ask(now_, source, keep);
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

  // ASKED NAME TYPE [@ADDRESS [tcp]]: upstream was sent this, in order; ASKED nothing.
  void asked(std::istringstream& words) {
    std::string want;
    std::getline(words >> std::ws, want);
    std::string have = "nothing";
    if (!exchange_.seen.empty()) {
      const auto seen = std::move(exchange_.seen.front());
      exchange_.seen.pop_front();
      have = seen.question;
      if (want.contains('@')) have += " " + seen.whom;
    }
    if (want != have) failed("upstream was asked " + have + ", not " + want);
  }

  // REPLY [@ADDRESS] rcode [tc] [ad] [aa] [ede=N], records indented: the oldest open
  // question (to that server) gets it. REPLY [@ADDRESS] none|unreachable: the server
  // failed.
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
    std::string rcode, option, server;
    words >> rcode;
    if (rcode.starts_with('@')) {
      server = rcode.substr(1);
      words >> rcode;
    }
    auto sent = exchange_.take(server);
    if (!sent) return failed("no question is open");
    if (rcode == "none") return sent->done({Outcome::End::no_reply, {}});
    if (rcode == "unreachable") return sent->done({Outcome::End::unreachable, {}});
    uint16_t flags = flag::kRa;
    ExtendedError why;
    while (words >> option) {
      if (option.starts_with("ede="))
        why = {static_cast<ExtendedError::Code>(std::stoi(option.substr(4))), "so"};
      else
        flags |= option == "tc" ? flag::kTc : option == "ad" ? flag::kAd : flag::kAa;
    }
    auto bytes = make_reply(sent->query, rcode, lines, flags, why);
    spoil(bytes);
    sent->done({Outcome::End::replied, bytes});
  }

  // Queries whose limit passes on the way fail when it does.
  void time(std::istringstream& words) {
    int64_t ms = 0;
    words >> ms;
    const auto end = now_ + std::chrono::milliseconds(ms);
    for (;;) {
      const auto next =
          std::ranges::min_element(exchange_.sent, {}, &FakeExchange::Sent::deadline);
      if (next == exchange_.sent.end() || next->deadline > end) break;
      now_ = next->deadline;
      auto late = std::move(*next);
      exchange_.sent.erase(next);
      service_.expire(now_);
      late.done({Outcome::End::no_reply, {}});
    }
    now_ = end;
    service_.expire(now_);
  }

  // CACHE off|on: what is kept is forgotten before each query, or not.
  void cache(std::istringstream& words) {
    std::string word;
    words >> word;
    uses_cache_ = word == "on";
  }

  // STALE seconds: so long past their time answers may stand in.
  void stale(std::istringstream& words) {
    int64_t s = 0;
    words >> s;
    service_.set_serve_stale(std::chrono::seconds(s));
  }

  // FLUSH NAME count: so many answers for it and below are forgotten.
  void flush(std::istringstream& words) {
    std::string name;
    size_t want = 0;
    words >> name >> want;
    const size_t have = service_.flush(*Name::parse(name));
    if (want != have) failed("flushed " + std::to_string(have) + " answers");
  }

  static constexpr const char* kUpstream = "192.0.2.53";

  std::string path_;
  int line_ = 0;
  int commands_ = 0;
  bool good_ = true;
  std::vector<ZoneConfig> zones_{};
  std::vector<Prefix> overlay_{};
  std::vector<Address> own_{};
  std::vector<Endpoint> originals_{server_at(kUpstream)};
  std::vector<std::pair<std::string, GroupConfig>> groups_{};
  Service::Time now_{};
  FakeExchange exchange_{now_};
  Service service_{exchange_, [this] { return now_; }};
  bool uses_cache_ = true;
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
