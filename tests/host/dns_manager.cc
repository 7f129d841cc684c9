// SPDX-License-Identifier: GPL-2.0-or-later
// Runs a host manager on a loop, for tests with the real services.
//
//   dns_manager KIND undo NOTE
//   dns_manager KIND [NOTE]    notes of an earlier run; commands from standard input:
//     want INTERFACE SERVER[,SERVER…] DOMAIN[,DOMAIN…] [all]    "+" before one: search
//     withdraw
//
// KIND: resolved, nm. Prints a line of JSON at each event.
#include <net/if.h>
#include <unistd.h>

#include <cstdio>
#include <iostream>
#include <ranges>
#include <sstream>

#include "dns/os/network_manager.hh"
#include "dns/os/resolved.hh"

using namespace wigeon;
using namespace wigeon::dns::os;

namespace {

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
    if (name != "-") dns.domains.push_back({.name = name, .is_search = search});
  }
  dns.all_names = all == "all";
  return dns;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string kind = argc > 1 ? argv[1] : "";
  const bool resolved = kind == "resolved";
  if (argc < 2 || (!resolved && kind != "nm")) return 2;
  if (argc == 4 && std::string(argv[2]) == "undo") {
    const auto done = resolved ? undo_resolved(argv[3], std::chrono::seconds(5))
                               : undo_network_manager(argv[3], std::chrono::seconds(5));
    if (!done) std::cerr << done.error().what << '\n';
    return done ? 0 : 1;
  }
  auto loop = Loop::open();
  auto bus = Bus::open(*loop);
  if (!bus) return 1;
  std::unique_ptr<HostManager> manager;
  HostManager::Events events{
      .changing = [](const std::string& note) -> Result<void> {
        say("{\"changing\":" + quoted(note) + "}");
        return {};
      },
      .undone = [](const std::string& note) { say("{\"undone\":" + quoted(note) + "}"); },
      .changed = [&] { say_status(*manager); }};
  const auto left = argc > 2 ? std::optional<std::string>(argv[2]) : std::nullopt;
  if (resolved)
    manager = std::make_unique<Resolved>(*loop, **bus, left, std::move(events));
  else
    manager = std::make_unique<NetworkManager>(*loop, **bus, left, std::move(events));

  std::string typed;
  auto input = loop->watch(STDIN_FILENO, EPOLLIN, [&](uint32_t) {
    char buffer[4096];
    const auto size = ::read(STDIN_FILENO, buffer, sizeof buffer);
    if (size <= 0) return loop->exit(0);
    typed.append(buffer, static_cast<size_t>(size));
    for (size_t end = typed.find('\n'); end != typed.npos; end = typed.find('\n')) {
      std::istringstream words(typed.substr(0, end));
      typed.erase(0, end + 1);
      std::string command;
      words >> command;
      if (command == "want") manager->want(read_want(words));
      if (command == "withdraw") manager->withdraw();
    }
  });
  return input && loop->run() ? 0 : 1;
}
