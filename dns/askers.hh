// SPDX-License-Identifier: GPL-2.0-or-later
// Who waits for a forwarded question, oldest first, and how many may.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <unordered_map>

#include "agent/base/ip.hh"
#include "dns/exchange.hh"

namespace wigeon::dns {

inline constexpr size_t kMaxInFlight = 2000;   // askers, not questions
inline constexpr size_t kMaxPerClient = 1000;  // of them, unanswered

struct Client {
  Address address = Address::v4(0x7f000001);
  // Not this host. When all places are taken, the oldest peer makes room for a local one.
  bool is_peer = false;
};

enum class Failure : uint8_t {
  none,
  no_servers,  // of those who would be asked
  too_many,    // kMaxInFlight or kMaxPerClient
  no_reply,    // nobody answered in time, or not the question
  dead,        // nobody was asked: none has replied of late
};
struct Landed {
  Bytes reply{};  // scrubbed, with another id than the client's; empty if it failed
  Failure failure = Failure::none;
  uint32_t source = 0;  // who said it: Route::source
};
using Landing = std::move_only_function<void(const Landed&)>;

class Askers {
 public:
  struct Added {
    uint64_t id = 0;
    std::optional<Landing> ousted{};  // who made room: tell him too_many
  };
  // Nothing, with landing untouched, when there is no place.
  std::optional<Added> add(const Client& client, Landing& landing);
  // Nothing when it was ousted.
  std::optional<Landing> take(uint64_t id);
  [[nodiscard]] size_t size() const { return locals_.size() + peers_.size(); }

 private:
  struct Asker {
    Address client{};
    Landing landing{};
  };
  using Queue = std::map<uint64_t, Asker>;  // by number, so by age
  std::optional<Landing> take(Queue& queue, uint64_t id);

  Queue locals_{}, peers_{};
  std::unordered_map<Address, size_t> unanswered_{};
  uint64_t next_ = 1;
};

}  // namespace wigeon::dns
