// SPDX-License-Identifier: GPL-2.0-or-later
#include "dns/os/bus_manager.hh"

#include <utility>

#include "agent/base/doubled.hh"

namespace wigeon::dns::os {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds kFirstWait = 500ms, kLongestWait = 30s;
constexpr auto kBetweenLooks = 30s;
constexpr auto kGather = 100ms;  // signals that come together are looked at together

bool same(const ManagerStatus& a, const ManagerStatus& b) {
  return a.applied == b.applied && a.failure == b.failure && a.notes == b.notes &&
         a.repairs == b.repairs;
}

}  // namespace

BusManager::BusManager(Loop& loop, Bus& bus, const char* service, const char* title,
                       std::optional<std::string> left, Events events)
    : loop_(loop),
      bus_(bus),
      service_(service),
      title_(title),
      events_(std::move(events)),
      note_(std::move(left)) {
  name_ = bus_.watch_name(service, [this](const std::string& o) { on_owner(o); });
}

void BusManager::want(const HostDns& dns) {
  if (want_ == dns) return;
  want_ = dns;
  decided_ = true;
  start_anew();
}

void BusManager::withdraw() {
  want_.reset();
  decided_ = true;
  start_anew();
}

bool BusManager::settled() const { return !pending_; }

ManagerStatus BusManager::status() const {
  ManagerStatus now = status_;
  if (!running_ && (want_ || note_)) {
    now.applied = false;
    now.failure = bus_.state() == Bus::State::connected
                      ? std::string(title_) + " is not running"
                      : "no message bus: " + bus_.why();
  }
  return now;
}

void BusManager::on_owner(const std::string& owner) {
  running_ = !owner.empty();
  soon_.reset();
  start_anew();
}

// What was being done is for nothing, whether it was done or not: all of it is read
// again.
void BusManager::start_anew() {
  call_.reset();
  in_round_ = again_ = held_ = false;
  pending_ = true;
  failures_ = 0;
  status_.applied = false;
  status_.failure.clear();
  start_over();
  tell();
  look();
}

void BusManager::look_soon() {
  if (soon_ || !running_) return;
  auto soon = loop_.after(kGather, [this] {
    soon_.reset();
    look();
  });
  if (soon) soon_ = std::move(*soon);
}

void BusManager::look() {
  if (running_) return begin();
  later_.reset();
  pending_ = false;
  // Without a bus it may live on.
  if (must_take_back() && !want_ && bus_.state() == Bus::State::connected &&
      forgotten(*note_))
    return taken_back();
  tell();
}

void BusManager::begin() {
  if (in_round_) {
    again_ = true;
    return;
  }
  later_.reset();
  in_round_ = true;
  wrote_ = false;
  round();
}

void BusManager::end() {
  in_round_ = false;
  if (std::exchange(again_, false)) return look();
  pending_ = false;
  tell();
}

void BusManager::tell() {
  const auto now = status();
  if (same(now, told_) && told_settled_ == settled() && told_originals_) return;
  told_ = now;
  told_settled_ = settled();
  told_originals_ = true;
  if (events_.changed) events_.changed();
}

void BusManager::call(const BusMethod& method, Bus::Fill fill, Bus::Done done) {
  call_ = bus_.call(method, std::move(fill),
                    [this, done = std::move(done)](const auto& reply) mutable {
                      call_.reset();
                      done(reply);
                    });
}

void BusManager::get_all(const char* path, const char* interface, Bus::Done done) {
  call(
      {service_, path, "org.freedesktop.DBus.Properties", "GetAll"},
      [interface](sd_bus_message* m) { return sd_bus_message_append(m, "s", interface); },
      std::move(done));
}

void BusManager::hear(const std::string& rule, Bus::Heard heard) {
  heard_.push_back(bus_.match(
      "type='signal',sender='" + std::string(service_) + "'," + rule, std::move(heard)));
}

bool BusManager::may_write(const std::string& what, std::string note) {
  if (wrote_) {
    failed(std::string(title_) + " has not taken " + what);
    return false;
  }
  if (held_) {
    const auto now = Loop::now();
    // A look that finds it wrong once more does not say that somebody changed it since.
    if ((fights_.given_up() && !fights_.rested(now)) || !fights_.changed(now)) {
      status_.applied = false;
      status_.failure = "somebody keeps changing " + what + " in " + title_;
      again_after(*fights_.rest_until() - now);
      end();
      return false;
    }
    status_.repairs = fights_.repairs();
  }
  if (!note_) {
    if (events_.changing)
      if (auto noted = events_.changing(note); !noted) {
        failed("noting it", noted.error());
        return false;
      }
    note_ = std::move(note);
  }
  wrote_ = true;
  pending_ = true;
  return true;
}

void BusManager::taken_back() {
  if (note_) {
    const auto note = *std::exchange(note_, std::nullopt);
    if (events_.undone) events_.undone(note);
  }
  if (want_) {
    again_ = true;
    return end();
  }
  done({});
}

void BusManager::done(std::vector<std::string> notes) {
  status_.applied = held_ = want_.has_value();
  status_.failure.clear();
  status_.notes = std::move(notes);
  failures_ = 0;
  if (running_) again_after(kBetweenLooks);
  end();
}

void BusManager::failed(const std::string& doing, const Error& error) {
  // Where nobody answered, what was told may hold still.
  const bool may_hold = held_ && !wrote_ && Bus::undecided(error);
  status_.applied = status_.applied && may_hold;
  try_again(std::string(title_) + ": " + doing + ": " + error.what);
}

void BusManager::failed(std::string sentence) {
  status_.applied = false;
  try_again(std::move(sentence));
}

void BusManager::try_again(std::string failure) {
  status_.failure = std::move(failure);
  again_after(doubled(kFirstWait, failures_++, kLongestWait));
  end();
}

void BusManager::wait(std::chrono::microseconds time) {
  again_after(time);
  in_round_ = false;
  if (std::exchange(again_, false)) look();
}

void BusManager::set_originals(std::vector<Endpoint> originals) {
  if (originals == originals_) return;
  originals_ = std::move(originals);
  told_originals_ = false;
}

void BusManager::again_after(std::chrono::microseconds wait) {
  auto later = loop_.after(wait, [this] { look(); });
  if (later) later_ = std::move(*later);
}

Result<void> run_until(Loop& loop, const HostManager& manager, const bool& undone,
                       std::chrono::milliseconds limit) {
  const auto end = Loop::now() + limit;
  while (!undone) {
    const auto left = end - Loop::now();
    if (left <= 0us) {
      auto said = manager.status().failure;
      return fail(ETIMEDOUT, said.empty() ? "no answer in time" : std::move(said));
    }
    TRY(loop.run_once(left));
  }
  return {};
}

}  // namespace wigeon::dns::os
