// SPDX-License-Identifier: GPL-2.0-or-later
#include "dns/os/resolved.hh"

#include <net/if.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace wigeon::dns::os {
namespace {

constexpr const char* kService = "org.freedesktop.resolve1";
constexpr const char* kPath = "/org/freedesktop/resolve1";
constexpr const char* kManager = "org.freedesktop.resolve1.Manager";
constexpr const char* kLink = "org.freedesktop.resolve1.Link";
constexpr std::string_view kKind = "systemd ";
constexpr size_t kMaxLinks = 64;  // whose servers are asked about

struct Note {
  int index = 0;
  std::string name{};
};

std::string note_text(const HostDns& dns) {
  return std::string(kKind) + std::to_string(static_cast<int>(dns.index)) + ' ' +
         dns.interface;
}

std::optional<Note> parse(std::string_view note) {
  if (!note.starts_with(kKind)) return std::nullopt;
  note.remove_prefix(kKind.size());
  const size_t blank = note.find(' ');
  if (blank == note.npos || blank + 1 == note.size()) return std::nullopt;
  const auto index = parse_number(note.substr(0, blank), INT32_MAX);
  if (!index || *index == 0) return std::nullopt;
  return Note{static_cast<int>(*index), std::string(note.substr(blank + 1))};
}

// The number is used again for another link some day, the two together hardly.
bool is_there(const Note& note) {
  return ::if_nametoindex(note.name.c_str()) == static_cast<unsigned>(note.index);
}

// As resolved names its objects: each byte of the number but letters is written in hex.
std::string link_path(IfIndex index) {
  char* path = nullptr;
  const auto number = std::to_string(static_cast<int>(index));
  if (sd_bus_path_encode("/org/freedesktop/resolve1/link", number.c_str(), &path) < 0)
    return "/";
  std::string copy = path;
  ::free(path);
  return copy;
}

bool contains(const auto& range, const auto& value) {
  return std::ranges::find(range, value) != std::ranges::end(range);
}

bool is_named(const Error& e, std::string_view name) {
  return e.what.starts_with(std::string(name) + ": ");
}

bool no_such_link(const Error& e) {
  return is_named(e, "org.freedesktop.resolve1.NoSuchLink") ||
         is_named(e, "org.freedesktop.DBus.Error.UnknownObject");
}

BusMethod method_of(const char* member) { return {kService, kPath, kManager, member}; }

}  // namespace

Resolved::Resolved(Loop& loop, Bus& bus, std::optional<std::string> left, Events events)
    : BusManager(loop, bus, kService, "systemd-resolved",
                 left && parse(*left) ? std::move(left) : std::nullopt,
                 std::move(events)) {
  hear("interface='org.freedesktop.DBus.Properties',member='PropertiesChanged'",
       [this](sd_bus_message*) { look_soon(); });
}

bool Resolved::covers(const std::string& note, const HostDns& dns) const {
  return note == note_text(dns);
}

bool Resolved::forgotten(const std::string& note) const {
  const auto n = parse(note);
  return !n || !is_there(*n);
}

void Resolved::start_over() { refused_.clear(); }

void Resolved::round() {
  if (must_take_back()) return take_back();
  get_all(kPath, kManager, [this](const Result<sd_bus_message*>& reply) {
    auto manager = reply ? read_resolved_manager(*reply)
                         : Result<ResolvedManager>(std::unexpected(reply.error()));
    if (!manager) return failed("reading its settings", manager.error());
    manager_ = std::move(*manager);
    if (!wanted()) return look_at_others();
    wish_ = resolved_wish(*wanted());
    look_at_own();
  });
}

void Resolved::take_back() {
  const int index = parse(*note())->index;
  call(
      method_of("RevertLink"),
      [index](sd_bus_message* m) { return sd_bus_message_append(m, "i", index); },
      [this](const Result<sd_bus_message*>& reply) {
        if (!reply && !no_such_link(reply.error()))
          return failed("reverting the link", reply.error());
        // An error says that there is nothing to flush.
        flush([this](const Result<sd_bus_message*>&) { taken_back(); });
      });
}

void Resolved::flush(Bus::Done done) {
  call(
      method_of("FlushCaches"), [](sd_bus_message*) { return 0; }, std::move(done));
}

void Resolved::look_at_own() {
  const auto path = link_path(wanted()->index);
  get_all(path.c_str(), kLink, [this](const Result<sd_bus_message*>& reply) {
    auto link = reply ? read_resolved_link(*reply)
                      : Result<ResolvedLink>(std::unexpected(reply.error()));
    if (!link) return failed("reading " + wanted()->interface, link.error());
    compare(*link);
  });
}

void Resolved::compare(const ResolvedLink& is) {
  auto parts = differing(wish_.link, is);
  std::erase_if(parts,
                [&](ResolvedPart p) { return contains(refused_, std::string(text(p))); });
  if (parts.empty()) return look_at_others();
  std::string what;
  for (const auto p : parts) what += (what.empty() ? "" : ", ") + std::string(text(p));
  if (!may_write(what + " of " + wanted()->interface, note_text(*wanted()))) return;
  to_write_ = std::move(parts);
  write();
}

void Resolved::write() {
  if (to_write_.empty())
    return flush([this](const Result<sd_bus_message*>&) { look_at_own(); });
  const auto part = to_write_.front();
  to_write_.erase(to_write_.begin());
  call(
      method_of(method(part)),
      [this, part](sd_bus_message* m) {
        return put(m, part, wanted()->index, wish_.link);
      },
      [this, part](const Result<sd_bus_message*>& reply) {
        if (!reply && !dispensable(part))
          return failed(
              "setting " + std::string(text(part)) + " of " + wanted()->interface,
              reply.error());
        if (!reply) refused_.emplace_back(text(part));
        write();
      });
}

void Resolved::look_at_others() {
  others_.clear();
  found_.clear();
  const auto left = note() ? parse(*note()) : std::nullopt;
  const auto own = wanted() ? wanted()->index : IfIndex{left ? left->index : 0};
  for (const auto& s : manager_.servers) {
    if (s.link == IfIndex::none) found_.push_back(s.endpoint);
    if (s.link == IfIndex::none || s.link == own || contains(others_, s.link) ||
        others_.size() == kMaxLinks)
      continue;
    others_.push_back(s.link);
  }
  look_at_next();
}

void Resolved::look_at_next() {
  if (others_.empty()) return finish();
  const auto index = others_.front();
  others_.erase(others_.begin());
  const auto path = link_path(index);
  get_all(path.c_str(), kLink, [this](const Result<sd_bus_message*>& reply) {
    const auto link = reply ? read_resolved_link(*reply)
                            : Result<ResolvedLink>(std::unexpected(reply.error()));
    // One that is gone by now has no servers. Before version 240 all links were asked.
    if (link && link->default_route.value_or(true))
      for (const auto& s : *link->servers) found_.push_back(s);
    look_at_next();
  });
}

void Resolved::finish() {
  if (found_.empty())
    for (const auto& s : manager_.fallback) found_.push_back(s.endpoint);
  std::vector<Endpoint> originals;
  for (const auto& s : found_) {
    const bool own = wanted() && contains(wanted()->servers, s.address);
    if (!own && can_be_asked(s.address) && !contains(originals, s))
      originals.push_back(s);
  }
  set_originals(std::move(originals));
  done(notes());
}

std::vector<std::string> Resolved::notes() const {
  std::vector<std::string> notes;
  if (wanted()) {
    for (const auto& part : refused_)
      notes.push_back("systemd-resolved does not let " + part + " be turned off for " +
                      wanted()->interface);
    if (wish_.left_out > 0)
      notes.push_back("systemd-resolved takes " + std::to_string(kMaxLinkDomains) +
                      " domains for a link; " + std::to_string(wish_.left_out) +
                      " are left out");
  }
  if (manager_.without_link > 0)
    notes.push_back("of the servers that systemd-resolved knows, " +
                    std::to_string(manager_.without_link) +
                    " are not asked by us: link-local, and of no link");
  return notes;
}

Result<void> undo_resolved(const std::string& note, std::chrono::milliseconds limit,
                           const std::string& bus_address) {
  const auto left = parse(note);
  if (!left) return fail(EINVAL, "no note of systemd-resolved: " + note);
  if (!is_there(*left)) return {};
  auto loop = TRY(Loop::open());
  auto bus = TRY(Bus::open(loop, {.address = bus_address}));
  bool undone = false;
  Resolved resolved(loop, *bus, note, {.undone = [&](const auto&) { undone = true; }});
  resolved.withdraw();
  return run_until(loop, resolved, undone, limit);
}

}  // namespace wigeon::dns::os
