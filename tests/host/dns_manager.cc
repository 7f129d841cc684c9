// SPDX-License-Identifier: GPL-2.0-or-later
// Runs a host manager on a loop, for tests with the real services and programs.
//
//   dns_manager undo [NOTE]              takes back without a manager what the note says,
//                                        or the journal
//   dns_manager KIND [PATH] once COMMAND    until it is settled
//   dns_manager KIND [PATH]                 commands from standard input:
//     want INTERFACE SERVER[,SERVER…] DOMAIN[,DOMAIN…] [all]    "+" before one: search
//     withdraw
//
// KIND: as dns.manager has it; PATH: resolv.conf, for the kind file. The journal (one
// note) and the base are in $DNS_STATE. Prints a line of JSON at each event; for a
// command that it has heard, the status and "told".
#include <net/if.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <ranges>
#include <sstream>

#include "agent/base/file.hh"
#include "dns/os/make.hh"
#include "dns/os/resolv_file.hh"

using namespace wigeon;
using namespace wigeon::dns::os;

namespace {

std::string state(const char* file) {
  const char* directory = ::getenv("DNS_STATE");
  return std::string(directory ? directory : "/var/lib/wigeon") + '/' + file;
}
std::string base() { return state("resolv.conf"); }

std::vector<std::string> journal() {
  const auto text = read_file(state("journal"), 4096);
  if (!text || text->empty()) return {};
  return {*text};
}
bool noted(const std::string& note) { return std::ranges::count(journal(), note) > 0; }
bool strike(const std::string& note) {
  return !noted(note) || ::unlink(state("journal").c_str()) == 0;
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

std::string list(const auto& items, auto text) {
  std::string out;
  for (const auto& item : items) out += (out.empty() ? "" : ",") + quoted(text(item));
  return '[' + out + ']';
}

void say(const std::string& line) { std::cout << line << std::endl; }

void say_status(const HostManager& m) {
  const auto s = m.status();
  const auto same = [](const std::string& t) { return t; };
  say("{\"applied\":" + std::string(s.applied ? "true" : "false") +
      ",\"settled\":" + (m.settled() ? "true" : "false") +
      ",\"repairs\":" + std::to_string(s.repairs) + ",\"failure\":" + quoted(s.failure) +
      ",\"notes\":" + list(s.notes, same) + ",\"originals\":" +
      list(m.originals(), [](const Endpoint& e) { return e.text(); }) + "}");
}

HostDns read_want(std::istream& words) {
  HostDns dns;
  std::string servers, domains, all;
  words >> dns.interface >> servers >> domains >> all;
  dns.index = IfIndex{static_cast<int>(::if_nametoindex(dns.interface.c_str()))};
  for (const auto word : std::views::split(servers, ','))
    dns.servers.push_back(*Address::parse(std::string_view(word.begin(), word.end())));
  for (const auto word : std::views::split(domains, ',')) {
    std::string name(word.begin(), word.end());
    const bool search = name.starts_with('+');
    if (search) name.erase(0, 1);
    dns.domains.push_back({.name = name, .is_search = search});
  }
  dns.all_names = all == "all";
  return dns;
}

void command(HostManager& manager, const std::string& line) {
  std::istringstream words(line);
  std::string first;
  words >> first;
  if (first == "want") manager.want(read_want(words));
  if (first == "withdraw") manager.withdraw();
}

int take_back(const std::vector<std::string>& notes) {
  for (const auto& note : notes) {
    const auto done = undo(note, base(), std::chrono::seconds(5));
    if (!done) std::cerr << done.error().what << '\n';
    if (!done || !strike(note)) return 1;
  }
  return 0;
}

// Without a bus where none is needed: a test kills this at each of its system calls.
struct Site {
  Loop loop = *Loop::open();
  std::unique_ptr<Bus> bus{};
  std::unique_ptr<HostManager> manager{};

  Site(ManagerKind kind, const std::string& path) {
    HostManager::Events events{.changing = [](const std::string& note) -> Result<void> {
                                 say("{\"changing\":" + quoted(note) + "}");
                                 if (noted(note)) return {};
                                 return replace_file(state("journal"), note, 0600);
                               },
                               .undone =
                                   [](const std::string& note) {
                                     say("{\"undone\":" + quoted(note) + "}");
                                     (void)strike(note);
                                   },
                               .changed = [this] { say_status(*manager); }};
    if (kind == ManagerKind::file) {
      manager = std::make_unique<FileManager>(
          loop, FileManager::Options{.resolv_conf = path, .base = base()}, journal(),
          std::move(events));
    } else {
      bus = *Bus::open(loop);
      manager = make_manager(kind, loop, *bus, base(), journal(), std::move(events));
    }
  }
};

int run_one(Site& site, const std::string& line) {
  command(*site.manager, line);
  while (!site.manager->settled())
    if (!site.loop.run_once(std::chrono::milliseconds(100))) return 1;
  return 0;
}

int run_typed(Site& site) {
  std::string typed;
  auto input = site.loop.watch(STDIN_FILENO, EPOLLIN, [&](uint32_t) {
    char buffer[4096];
    const auto size = ::read(STDIN_FILENO, buffer, sizeof buffer);
    if (size <= 0) return site.loop.exit(0);
    typed.append(buffer, static_cast<size_t>(size));
    for (size_t end = typed.find('\n'); end != typed.npos; end = typed.find('\n')) {
      const auto line = typed.substr(0, end);
      typed.erase(0, end + 1);
      command(*site.manager, line);
      say_status(*site.manager);
      say("{\"told\":" + quoted(line) + "}");
    }
  });
  return input && site.loop.run() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> words(argv + 1, argv + argc);
  if (words.empty()) return 2;
  const std::string first = words[0];
  words.erase(words.begin());
  if (first == "undo") return take_back(words.empty() ? journal() : words);
  const auto kind = kind_of_note(first);
  if (!kind) return 2;
  std::string path = "/etc/resolv.conf";
  if (!words.empty() && words[0] != "once") {
    path = words[0];
    words.erase(words.begin());
  }
  Site site(*kind, path);
  if (words.empty()) return run_typed(site);
  std::string line;
  for (const auto& word : words | std::views::drop(1)) line += word + ' ';
  return run_one(site, line);
}
