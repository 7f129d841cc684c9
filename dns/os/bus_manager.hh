// SPDX-License-Identifier: GPL-2.0-or-later
// What all managers on the message bus have in common: rounds. A round reads what is,
// writes what differs, and ends in done() or failed(); one call is under way at a time.
// It begins when something is wanted, when the service appears, when a signal says that
// something may have changed, after a failure (0.5 s, doubling to 30 s), and every half
// minute, since not every change is signalled.
//
// The manager must not be destroyed from inside its own events.
//
// Somebody who keeps undoing our work is put right five times in a minute; then it is
// said, and tried again a minute later (fights.hh).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agent/base/bus.hh"
#include "dns/os/fights.hh"
#include "dns/os/manager.hh"

namespace wigeon::dns::os {

class BusManager : public HostManager {
 public:
  void want(const HostDns& dns) final;
  void withdraw() final;
  [[nodiscard]] bool settled() const final;
  [[nodiscard]] ManagerStatus status() const final;
  [[nodiscard]] std::vector<Endpoint> originals() const final { return originals_; }

 protected:
  // left: what the journal says an earlier run did. Neither outlives loop or bus.
  BusManager(Loop& loop, Bus& bus, const char* service, const char* title,
             std::optional<std::string> left, Events events);

  // Reads everything, goes on by change() or take_back().
  virtual void round() = 0;
  // Something else is wanted, or the service is another one: forget what it refused.
  virtual void start_over() {}
  // The note is about this link, so that it need not be taken back before.
  [[nodiscard]] virtual bool covers(const std::string& note,
                                    const HostDns& dns) const = 0;
  // The service is not running: what the note says is undone by that alone.
  [[nodiscard]] virtual bool forgotten(const std::string& note) const = 0;

  void call(const BusMethod& method, Bus::Fill fill, Bus::Done done);
  void get_all(const char* path, const char* interface, Bus::Done done);
  void hear(const std::string& rule, Bus::Heard heard);
  // A round, or another one when one is under way. soon: in 100 ms, with others.
  void look();
  void look_soon();
  // False when it must not be written: too often, it was not taken before, or the note
  // cannot be written. The round has ended then. note: when there is none yet.
  bool may_write(const std::string& what, std::string note);
  void taken_back();
  // Ends the round: as wanted, or nothing wanted and nothing left.
  void done(std::vector<std::string> notes);
  void failed(const std::string& doing, const Error& error);
  void failed(std::string sentence);
  // Ends the round, nothing is known yet: another one after this long.
  void wait(std::chrono::microseconds time);
  void set_originals(std::vector<Endpoint> originals);

  [[nodiscard]] const std::optional<HostDns>& wanted() const { return want_; }
  [[nodiscard]] const std::optional<std::string>& note() const { return note_; }
  // There is something to take back before anything else.
  [[nodiscard]] bool must_take_back() const {
    return decided_ && note_ && !(want_ && covers(*note_, *want_));
  }
  [[nodiscard]] const char* service() const { return service_; }
  [[nodiscard]] const char* title() const { return title_; }

 private:
  void on_owner(const std::string& owner);
  void start_anew();
  void again_after(std::chrono::microseconds wait);
  void try_again(std::string failure);
  void begin();
  void end();
  void tell();

  Loop& loop_;
  Bus& bus_;
  const char* service_;
  const char* title_;
  Events events_;
  std::optional<HostDns> want_{};
  std::optional<std::string> note_{};
  std::vector<Endpoint> originals_{};
  ManagerStatus status_{}, told_{};
  bool told_settled_ = true, told_originals_ = true;
  bool running_ = false;  // the service
  bool decided_ = false;  // until then what an earlier run did stays
  bool in_round_ = false, again_ = false;
  bool pending_ = false;  // not looked at since something was wanted or written
  bool held_ = false;     // was as wanted, and neither we nor a restart changed it since
  bool wrote_ = false;    // in this round
  unsigned failures_ = 0;
  Fights fights_{};
  Bus::Handle call_{}, name_{};
  std::vector<Bus::Handle> heard_{};
  Loop::Watch later_{}, soon_{};
};

// Runs a manager that has been told to withdraw until undone is set. ETIMEDOUT with its
// failure after the limit; fine when nothing is left to undo.
Result<void> run_until(Loop& loop, const HostManager& manager, const bool& undone,
                       std::chrono::milliseconds limit);

}  // namespace wigeon::dns::os
