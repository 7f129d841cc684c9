// SPDX-License-Identifier: GPL-2.0-or-later
// sd-bus itself, not a C++ binding: Debian 12's sdbus-c++ 1.2 waits for the bus daemon
// when it opens a connection (for as long as the daemon hangs) and when it adds a match.
#include "agent/base/bus.hh"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "agent/base/doubled.hh"

namespace wigeon {

using Slot = Owned<sd_bus_slot, sd_bus_slot_unref>;

struct Bus::Handle::State : std::enable_shared_from_this<State> {
  // Destroyed first to last declared in reverse: the slots go before what they call.
  Done done{};
  Heard heard{};
  Owner owner{};
  std::string name{};  // for owner
  std::string rule{};
  std::string known{};  // owner that was told last
  bool told = false;
  Loop::Watch later{};
  std::vector<Slot> slots{};

  void tell(const std::string& now) {
    if (told && known == now) return;
    told = true;
    known = now;
    owner(now);
  }
};

namespace {

using namespace std::chrono_literals;
using Request = Bus::Handle::State;
using Message = Owned<sd_bus_message, sd_bus_message_unref>;

constexpr auto kProved = 5s;  // a connection that stood this long did not fail in a row

constexpr BusMethod kGetNameOwner{"org.freedesktop.DBus", "/org/freedesktop/DBus",
                                  "org.freedesktop.DBus", "GetNameOwner"};

uint64_t usec(std::chrono::microseconds d) { return static_cast<uint64_t>(d.count()); }

Result<sd_bus_message*> result_of(sd_bus_message* m) {
  if (!sd_bus_message_is_method_error(m, nullptr)) return m;
  const sd_bus_error* e = sd_bus_message_get_error(m);
  return fail(sd_bus_message_get_errno(m),
              std::string(e->name) + ": " + (e->message ? e->message : ""));
}

int on_reply(sd_bus_message* m, void* data, sd_bus_error*) {
  const auto r = static_cast<Request*>(data)->shared_from_this();
  r->slots.clear();
  std::exchange(r->done, nullptr)(result_of(m));
  return 0;
}

int on_signal(sd_bus_message* m, void* data, sd_bus_error*) {
  static_cast<Request*>(data)->shared_from_this()->heard(m);
  return 0;
}

int on_owner_changed(sd_bus_message* m, void* data, sd_bus_error*) {
  const auto r = static_cast<Request*>(data)->shared_from_this();
  const char *name = nullptr, *before = nullptr, *now = nullptr;
  if (sd_bus_message_read(m, "sss", &name, &before, &now) >= 0 && r->name == name)
    r->tell(now);
  return 0;
}

int on_owner(sd_bus_message* m, void* data, sd_bus_error*) {
  const auto r = static_cast<Request*>(data)->shared_from_this();
  const char* now = "";
  // An error says that nobody owns it.
  if (sd_bus_message_is_method_error(m, nullptr) || sd_bus_message_read(m, "s", &now) < 0)
    now = "";
  r->tell(now);
  return 0;
}

Result<void> send(sd_bus* bus, Request& r, const BusMethod& method, Bus::Fill fill,
                  sd_bus_message_handler_t handler, std::chrono::milliseconds limit) {
  sd_bus_message* made = nullptr;
  sd_bus_slot* slot = nullptr;
  int e = sd_bus_message_new_method_call(bus, &made, method.destination, method.path,
                                         method.interface, method.member);
  const Message message(made);
  if (e >= 0) e = fill(message.get());
  if (e >= 0) e = sd_bus_call_async(bus, &slot, message.get(), handler, &r, usec(limit));
  if (e < 0) return fail_errno(method.member, -e);
  r.slots.emplace_back(slot);
  return {};
}

// The bus daemon may refuse a match (its limits); sd-bus then ends the connection, which
// is taken up again with back-off.
Result<void> add_match(sd_bus* bus, Request& r, const std::string& rule,
                       sd_bus_message_handler_t handler) {
  sd_bus_slot* slot = nullptr;
  const int e = sd_bus_add_match_async(bus, &slot, rule.c_str(), handler, nullptr, &r);
  if (e < 0) return fail_errno("AddMatch", -e);
  r.slots.emplace_back(slot);
  return {};
}

Result<void> local_signal(sd_bus* bus, Slot& to, const char* member,
                          sd_bus_message_handler_t handler, void* data) {
  sd_bus_slot* slot = nullptr;
  const int e = sd_bus_match_signal_async(
      bus, &slot, "org.freedesktop.DBus.Local", "/org/freedesktop/DBus/Local",
      "org.freedesktop.DBus.Local", member, handler, nullptr, data);
  if (e < 0) return fail_errno("sd_bus_match_signal_async", -e);
  to.reset(slot);
  return {};
}

}  // namespace

bool Bus::undecided(const Error& e) {
  return e.code == ETIMEDOUT || e.code == ECONNRESET || e.code == ENOTCONN;
}

std::string system_bus_address() {
  const char* set = ::secure_getenv("DBUS_SYSTEM_BUS_ADDRESS");
  return set && *set ? set : "unix:path=/run/dbus/system_bus_socket";
}

Result<std::unique_ptr<Bus>> Bus::open(Loop& loop, Options options) {
  std::unique_ptr<Bus> bus(new Bus(loop, std::move(options)));
  Bus* b = bus.get();
  b->again_ = TRY(loop.timer([b] { b->connect(); }));
  b->limit_ = TRY(loop.timer([b] {
    b->drop();
    b->lost("the bus does not answer");
  }));
  b->connect();
  return bus;
}

Bus::~Bus() = default;

void Bus::drop() {
  for (const auto& r : standing()) r->slots.clear();
  connected_.reset();
  disconnected_.reset();
  bus_.reset();
}

void Bus::connect() {
  // What is left of the last one goes only now: that it is lost was told from inside its
  // own processing.
  drop();
  state_ = State::connecting;
  if (auto started = start(); !started) lost(std::move(started.error().what));
}

Result<void> Bus::start() {
  const auto check = [](int e, const char* doing) -> Result<void> {
    if (e < 0) return fail_errno(doing, -e);
    return {};
  };
  sd_bus* made = nullptr;
  TRY(check(sd_bus_new(&made), "sd_bus_new"));
  bus_.reset(made);
  TRY(check(sd_bus_set_address(made, options_.address.c_str()), "bus address"));
  TRY(check(sd_bus_set_bus_client(made, 1), "sd_bus_set_bus_client"));
  TRY(check(sd_bus_set_connected_signal(made, 1), "sd_bus_set_connected_signal"));
  TRY(check(sd_bus_set_exit_on_disconnect(made, 0), "sd_bus_set_exit_on_disconnect"));
  TRY(check(sd_bus_start(made), "connecting"));
  TRY(local_signal(made, connected_, "Connected", connected, this));
  TRY(local_signal(made, disconnected_, "Disconnected", disconnected, this));
  TRY(check(sd_bus_attach_event(made, loop_.raw(), SD_EVENT_PRIORITY_NORMAL),
            "sd_bus_attach_event"));
  return limit_.restart(options_.connect_limit);
}

void Bus::lost(std::string why) {
  const bool was_connected = state_ == State::connected;
  if (was_connected && Loop::now() - connected_at_ > kProved) failures_ = 0;
  state_ = State::absent;
  why_ = std::move(why);
  const auto wait = doubled(options_.first_wait, failures_, options_.longest_wait);
  ++failures_;
  (void)limit_.disarm();  // neither fails for a timer that exists
  (void)again_.restart(wait);
  for (const auto& r : standing())
    if (r->owner) r->tell("");
}

int Bus::connected(sd_bus_message*, void* self, sd_bus_error*) {
  static_cast<Bus*>(self)->on_connected();
  return 0;
}

int Bus::disconnected(sd_bus_message*, void* self, sd_bus_error*) {
  auto* bus = static_cast<Bus*>(self);
  if (bus->state_ != State::absent) bus->lost("the bus closed the connection");
  return 0;
}

void Bus::on_connected() {
  (void)limit_.disarm();
  state_ = State::connected;
  why_.clear();
  connected_at_ = Loop::now();
  for (const auto& r : standing())
    if (state_ == State::connected) take_up(*r);
}

void Bus::take_up(Handle::State& r) {
  Result<void> done;
  if (r.owner) {
    // First the match, then the question: no change between them goes unheard.
    done = add_match(bus_.get(), r,
                     "type='signal',sender='org.freedesktop.DBus',"
                     "interface='org.freedesktop.DBus',member='NameOwnerChanged',arg0='" +
                         r.name + "'",
                     on_owner_changed);
    if (done)
      done = send(
          bus_.get(), r, kGetNameOwner,
          [&](sd_bus_message* m) {
            return sd_bus_message_append(m, "s", r.name.c_str());
          },
          on_owner, options_.call_limit);
  } else {
    done = add_match(bus_.get(), r, r.rule, on_signal);
  }
  if (!done && state_ == State::connected) lost(std::move(done.error().what));
}

std::vector<std::shared_ptr<Request>> Bus::standing() {
  std::vector<std::shared_ptr<Request>> live;
  std::erase_if(standing_, [&](const auto& weak) {
    auto r = weak.lock();
    if (r) live.push_back(std::move(r));
    return weak.expired();
  });
  return live;
}

Bus::Handle Bus::call(const BusMethod& method, Fill fill, Done done) {
  auto r = std::make_shared<Request>();
  r->done = std::move(done);
  auto sent =
      state_ == State::connected
          ? send(bus_.get(), *r, method, std::move(fill), on_reply, options_.call_limit)
          : Result<void>(fail(ENOTCONN, "no message bus: " + why_));
  if (sent) return Handle(std::move(r));
  auto later = loop_.defer([raw = r.get(), error = std::move(sent.error())] {
    const auto hold = raw->shared_from_this();
    std::exchange(hold->done, nullptr)(std::unexpected(error));
  });
  if (later) r->later = std::move(*later);
  return Handle(std::move(r));
}

Bus::Handle Bus::stand(std::shared_ptr<Handle::State> r) {
  standing_.push_back(r);
  if (state_ == State::connected) take_up(*r);
  return Handle(std::move(r));
}

Bus::Handle Bus::match(std::string rule, Heard heard) {
  auto r = std::make_shared<Request>();
  r->rule = std::move(rule);
  r->heard = std::move(heard);
  return stand(std::move(r));
}

Bus::Handle Bus::watch_name(std::string name, Owner owner) {
  auto r = std::make_shared<Request>();
  r->name = std::move(name);
  r->owner = std::move(owner);
  return stand(std::move(r));
}

}  // namespace wigeon
