// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/firewalld.hh"

#include <cstring>
#include <utility>

#include "agent/base/doubled.hh"

namespace wigeon {
namespace {

using namespace std::chrono_literals;

constexpr const char* kService = "org.fedoraproject.FirewallD1";
constexpr const char* kPath = "/org/fedoraproject/FirewallD1";
constexpr const char* kZoneInterface = "org.fedoraproject.FirewallD1.zone";
constexpr const char* kZone = "trusted";
constexpr const char* kException = "org.fedoraproject.FirewallD1.Exception: ";

constexpr auto kBetweenAdds = 1s;  // somebody who keeps removing it is not outrun
constexpr std::chrono::milliseconds kFirstWait = 500ms, kLongestWait = 30s;

BusMethod zone_method(const char* member) {
  return {kService, kPath, kZoneInterface, member};
}

Bus::Fill strings(std::string a, std::string b = {}) {
  return [a = std::move(a), b = std::move(b)](sd_bus_message* m) {
    return b.empty() ? sd_bus_message_append(m, "s", a.c_str())
                     : sd_bus_message_append(m, "ss", a.c_str(), b.c_str());
  };
}

// firewalld's own refusals are "CODE: sentence" under one D-Bus name.
bool refused_as(const Error& e, std::string_view code) {
  return e.what.starts_with(std::string(kException) + std::string(code));
}

std::optional<std::string> text_in(sd_bus_message* m) {
  const char* s = nullptr;
  if (sd_bus_message_read(m, "s", &s) < 0) return std::nullopt;
  return s;
}

}  // namespace

std::optional<ZoneNote> ZoneNote::parse(std::string_view text) {
  const size_t blank = text.find(' ');
  if (blank == 0 || blank == std::string_view::npos || blank + 1 == text.size() ||
      text.find(' ', blank + 1) != std::string_view::npos)
    return std::nullopt;
  return ZoneNote{std::string(text.substr(0, blank)),
                  std::string(text.substr(blank + 1))};
}

Firewalld::Firewalld(Loop& loop, Bus& bus, std::optional<ZoneNote> left, Events events)
    : loop_(loop), bus_(bus), events_(std::move(events)), ours_(std::move(left)) {
  name_ = bus_.watch_name(kService, [this](const std::string& o) { on_owner(o); });
  signals_ = bus_.match(
      std::string("type='signal',sender='") + kService + "',path='" + kPath + "'",
      [this](sd_bus_message* m) { on_signal(m); });
}

void Firewalld::want(bool on, const std::string& interface) {
  if (want_ == on && interface_ == interface) return;
  want_ = on;
  interface_ = interface;
  failures_ = 0;
  look();
}

// The link that is looked at: first the one that is still to be taken back.
const std::string& Firewalld::subject() const {
  return ours_ ? ours_->interface : interface_;
}

void Firewalld::on_owner(const std::string& owner) {
  running_ = !owner.empty();
  failures_ = 0;
  call_.reset();
  again_ = false;
  added_at_.reset();
  if (running_) return look();
  // With the service went its running configuration. Without a bus it may live on.
  if (bus_.state() == Bus::State::connected) forget();
  later_.reset();
  finish(false, true, "");
}

void Firewalld::on_signal(sd_bus_message* signal) {
  if (sd_bus_message_is_signal(signal, kService, "Reloaded")) {
    added_at_.reset();
    return look();
  }
  const char *zone = nullptr, *interface = nullptr;
  if (!sd_bus_message_has_signature(signal, "ss") ||
      sd_bus_message_read(signal, "ss", &zone, &interface) < 0)
    return;
  for (const char* member :
       {"InterfaceAdded", "InterfaceRemoved", "ZoneOfInterfaceChanged"})
    if (sd_bus_message_is_signal(signal, kZoneInterface, member) &&
        subject() == interface)
      return look();
}

void Firewalld::look() {
  later_.reset();
  if (!running_) return;
  if (!want_ && !ours_) return finish(true, true, "");
  if (call_) {
    again_ = true;
    return;
  }
  call_ = bus_.call(zone_method("getZoneOfInterface"), strings(subject()),
                    [this](const Result<sd_bus_message*>& reply) {
                      call_.reset();
                      if (std::exchange(again_, false)) return look();
                      if (!reply) return failed("asking for the zone", reply.error());
                      const auto zone = text_in(*reply);
                      if (!zone) return failed("zone", {EBADMSG, "not a string"});
                      on_zone(*zone);
                    });
}

void Firewalld::on_zone(const std::string& zone) {
  const bool wanted = want_ && subject() == interface_;
  if (ours_ && (zone != ours_->zone)) {
    // Reloaded, or the administrator put it elsewhere.
    forget();
    return look();
  }
  if (!wanted) return ours_ ? remove() : finish(true, true, "");
  if (zone.empty()) return add(kZone);
  if (zone != kZone)
    return finish(true, false,
                  "firewalld: " + interface_ + " is in zone " + zone +
                      ", which the administrator chose and stays; what it does not "
                      "accept is not forwarded");
  finish(true, true,
         ours_ ? "firewalld: put " + interface_ +
                     " in zone trusted (running configuration): what peers send through "
                     "or to this host is accepted"
               : "firewalld: " + interface_ + " is in zone trusted already");
}

void Firewalld::add(const std::string& zone) {
  if (added_at_ && Loop::now() - *added_at_ < kBetweenAdds) {
    auto later = loop_.after(kBetweenAdds, [this] { look(); });
    if (later) later_ = std::move(*later);
    return finish(true, false,
                  "firewalld: somebody takes " + interface_ + " out of zone trusted");
  }
  ZoneNote note{zone, interface_};
  if (events_.adding)
    if (auto noted = events_.adding(note); !noted)
      return failed("noting it", noted.error());
  ours_ = std::move(note);
  added_at_ = Loop::now();
  zone_call("addInterface", [this](const Result<sd_bus_message*>& reply) {
    if (!reply && !Bus::undecided(reply.error())) {
      forget();
      added_at_.reset();
    }
    if (reply || refused_as(reply.error(), "ZONE_")) return look();
    failed("zone trusted", reply.error());
  });
}

void Firewalld::remove() {
  zone_call("removeInterface", [this](const Result<sd_bus_message*>& reply) {
    if (!reply && !refused_as(reply.error(), "UNKNOWN_INTERFACE"))
      return failed("leaving the zone", reply.error());
    forget();
    look();
  });
}

void Firewalld::zone_call(const char* member, Bus::Done done) {
  call_ = bus_.call(
      zone_method(member), strings(ours_->zone, ours_->interface),
      [this, done = std::move(done)](const Result<sd_bus_message*>& reply) mutable {
        call_.reset();
        again_ = false;  // each of them looks again
        done(reply);
      });
}

void Firewalld::finish(bool running, bool forwards, std::string sentence) {
  status_ = {running, forwards, std::move(sentence)};
  if (events_.changed) events_.changed();
}

void Firewalld::failed(const std::string& doing, const Error& error) {
  const auto wait = doubled(kFirstWait, failures_++, kLongestWait);
  auto later = loop_.after(wait, [this] { look(); });
  if (later) later_ = std::move(*later);
  finish(true, false, "firewalld: " + doing + ": " + error.what);
}

void Firewalld::forget() {
  if (!ours_) return;
  const ZoneNote note = *std::exchange(ours_, std::nullopt);
  if (events_.gone) events_.gone(note);
}

Result<void> undo_zone(const ZoneNote& note, std::chrono::milliseconds limit,
                       const std::string& bus_address) {
  auto loop = TRY(Loop::open());
  auto bus = TRY(Bus::open(loop, {.address = bus_address}));
  if (bus->state() == Bus::State::absent) return {};
  bool done = false;
  Firewalld firewalld(loop, *bus, note, {.gone = [&](const ZoneNote&) { done = true; }});
  const auto end = Loop::now() + limit;
  while (!done && bus->state() != Bus::State::absent) {
    const auto left = end - Loop::now();
    if (left <= 0us) {
      const auto& said = firewalld.status().sentence;
      return fail(ETIMEDOUT, said.empty() ? "firewalld does not answer" : said);
    }
    TRY(loop.run_once(left));
  }
  return {};
}

}  // namespace wigeon
