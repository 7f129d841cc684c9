// SPDX-License-Identifier: GPL-2.0-or-later
// Runs the host managers that work without a bus, for tests with the real programs.
//
//   dns_files KIND PATH undo       takes back what the journal says, without a manager
//   dns_files KIND PATH once want … | once withdraw
//   dns_files KIND PATH            commands from standard input:
//     want INTERFACE SERVER[,SERVER…] DOMAIN[,DOMAIN…]            "+" before one: search
//     withdraw
//
// KIND: file, resolvconf, openresolv; PATH: resolv.conf. Journal and base are in
// $DNS_STATE. Prints a line of JSON at each event.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <ranges>
#include <sstream>

#include "agent/base/file.hh"
#include "dns/os/resolv_file.hh"
#include "dns/os/resolvconf.hh"

using namespace wigeon;
using namespace wigeon::dns::os;

namespace {

std::string state() {
  const char* directory = ::getenv("DNS_STATE");
  return directory ? directory : "/var/lib/wigeon";
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

// A note at most.
std::vector<std::string> journal() {
  const auto text = read_file(state() + "/journal", 4096);
  if (!text || text->empty()) return {};
  return {*text};
}

HostDns read_want(std::istream& words) {
  HostDns dns;
  std::string servers, domains;
  words >> dns.interface >> servers >> domains;
  for (const auto word : std::views::split(servers, ','))
    dns.servers.push_back(*Address::parse(std::string_view(word.begin(), word.end())));
  for (const auto word : std::views::split(domains, ',')) {
    std::string name(word.begin(), word.end());
    const bool search = name.starts_with('+');
    if (search) name.erase(0, 1);
    dns.domains.push_back({.name = name, .is_search = search});
  }
  dns.all_names = true;
  return dns;
}

void command(HostManager& manager, const std::string& line) {
  std::istringstream words(line);
  std::string first;
  words >> first;
  if (first == "want") manager.want(read_want(words));
  if (first == "withdraw") manager.withdraw();
}

int undo(ManagerKind kind) {
  for (const auto& note : journal()) {
    const auto done = kind == ManagerKind::file
                          ? undo_file(note, state() + "/resolv.conf")
                          : undo_resolvconf(note);
    if (!done) std::cerr << done.error().what << '\n';
    if (!done || ::unlink((state() + "/journal").c_str()) != 0) return 1;
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const auto kind = argc > 2 ? kind_of_note(argv[1]) : std::nullopt;
  if (!kind) return 2;
  const std::string conf = argv[2];
  const std::string what = argc > 3 ? argv[3] : "";
  if (what == "undo") return undo(*kind);

  auto loop = Loop::open();
  std::unique_ptr<HostManager> manager;
  HostManager::Events events{.changing = [](const std::string& note) -> Result<void> {
                               say("{\"changing\":" + quoted(note) + "}");
                               if (std::ranges::count(journal(), note) > 0) return {};
                               return replace_file(state() + "/journal", note, 0600);
                             },
                             .undone =
                                 [](const std::string& note) {
                                   say("{\"undone\":" + quoted(note) + "}");
                                   ::unlink((state() + "/journal").c_str());
                                 },
                             .changed = [&] { say_status(*manager); }};
  if (*kind == ManagerKind::file)
    manager = std::make_unique<FileManager>(
        *loop,
        FileManager::Options{.resolv_conf = conf, .base = state() + "/resolv.conf"},
        journal(), std::move(events));
  else
    manager = std::make_unique<ResolvconfManager>(
        *loop, *kind, ResolvconfPaths{.resolv_conf = conf}, journal(), std::move(events));
  if (what == "once") {
    std::string line;
    for (int i = 4; i < argc; ++i) line += std::string(argv[i]) + " ";
    command(*manager, line);
    while (!manager->settled())
      if (!loop->run_once(std::chrono::milliseconds(100))) return 1;
    return 0;
  }

  std::string typed;
  auto input = loop->watch(STDIN_FILENO, EPOLLIN, [&](uint32_t) {
    char buffer[4096];
    const auto size = ::read(STDIN_FILENO, buffer, sizeof buffer);
    if (size <= 0) return loop->exit(0);
    typed.append(buffer, static_cast<size_t>(size));
    for (size_t end = typed.find('\n'); end != typed.npos; end = typed.find('\n')) {
      command(*manager, typed.substr(0, end));
      typed.erase(0, end + 1);
    }
  });
  return input && loop->run() ? 0 : 1;
}
