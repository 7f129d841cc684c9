// SPDX-License-Identifier: GPL-2.0-or-later
// firewalld drops what a routing peer forwards, unless our link is in a zone that accepts
// it. While the host is one, the link is put in zone `trusted`, in firewalld's running
// configuration only: its files are the administrator's. Both forget it together when
// firewalld is reloaded or started again, which is heard, and it is put there anew.
//
// What `trusted` does (firewalld 1.3): packets from the link are forwarded to interfaces
// of every zone, their answers come back, and packets to the host itself are accepted
// too. Connections that begin on another interface and go out by the link stay subject to
// that interface's zone. A runtime policy for forwarding alone does not exist: policies
// are made in the permanent configuration only.
//
// A zone that the administrator chose for the link stays, and status() says what it
// means.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "agent/base/bus.hh"

namespace wigeon {

// "This interface is in this zone because of us": for the journal, under this kind.
inline constexpr const char* kZoneJournalKind = "zone";
struct ZoneNote {
  std::string zone{}, interface {};

  [[nodiscard]] std::string text() const { return zone + ' ' + interface; }
  static std::optional<ZoneNote> parse(std::string_view text);
  friend bool operator==(const ZoneNote&, const ZoneNote&) = default;
};

struct FirewalldStatus {
  bool running = false;
  bool forwards = true;    // nothing of firewalld's stands in the way, as far as we know
  std::string sentence{};  // for `status`; empty: nothing to say
};

class Firewalld {
 public:
  struct Events {
    // Durable before it is done; an error keeps it from being done.
    std::move_only_function<Result<void>(const ZoneNote&)> adding{};
    // It is no longer there because of us.
    std::move_only_function<void(const ZoneNote&)> gone{};
    // settled() or status() changed.
    std::move_only_function<void()> changed{};
  };

  // left: what the journal says that an earlier run added.
  Firewalld(Loop& loop, Bus& bus, std::optional<ZoneNote> left, Events events);

  // Idempotent. The events may come from inside this call or later.
  void want(bool on, const std::string& interface);
  // Nothing is under way: what is wanted is done, or status() says why not.
  [[nodiscard]] bool settled() const { return !call_ && !again_; }
  [[nodiscard]] const FirewalldStatus& status() const { return status_; }

 private:
  void on_owner(const std::string& owner);
  void on_signal(sd_bus_message* signal);
  void look();
  void on_zone(const std::string& zone);
  void add(const std::string& zone);
  void remove();
  void zone_call(const char* member, Bus::Done done);
  void finish(bool running, bool forwards, std::string sentence);
  void failed(const std::string& doing, const Error& error);
  void forget();
  [[nodiscard]] const std::string& subject() const;

  Loop& loop_;
  Bus& bus_;
  Events events_;
  bool want_ = false;
  std::string interface_{};
  std::optional<ZoneNote> ours_{};
  bool running_ = false;
  bool again_ = false;  // something happened while call_ was under way
  unsigned failures_ = 0;
  std::optional<std::chrono::microseconds> added_at_{};
  FirewalldStatus status_{};
  Bus::Handle call_{}, name_{}, signals_{};
  Loop::Watch later_{};
};

// Takes back what a note says, without a daemon (`wigeon state clean`). Done as well when
// there is no bus, no firewalld, or the link is in another zone by now.
Result<void> undo_zone(const ZoneNote& note, std::chrono::milliseconds limit,
                       const std::string& bus_address = system_bus_address());

}  // namespace wigeon
