// SPDX-License-Identifier: GPL-2.0-or-later
// Writing netlink messages of a fixed capacity. Every put is false when the message is
// full and leaves it as it was, so that the caller can send it and go on in the next one.
#pragma once

#include <netlink/attr.h>
#include <netlink/msg.h>

#include <concepts>
#include <string_view>

#include "agent/base/owned.hh"
#include "agent/base/result.hh"
#include "netlink/attr.hh"

namespace wigeon::netlink {

// A message may carry keys, so its whole buffer is overwritten before it is freed.
void wipe_and_free(nl_msg* m);
using Msg = Owned<nl_msg, wipe_and_free>;

// Enough for any request about one link, address, route or rule.
inline constexpr size_t kSmallMessage = 512;

// NLM_F_REQUEST is added to the flags.
Msg new_message(int type, int flags, size_t capacity = kSmallMessage);
Bytes bytes(const nl_msg* m);

// The fixed header of the message's family.
template <class Header>
[[nodiscard]] bool put_header(nl_msg* m, const Header& header) {
  Header copy = header;  // libnl takes a pointer to non-const
  return nlmsg_append(m, &copy, sizeof copy, NLMSG_ALIGNTO) == 0;
}

[[nodiscard]] inline bool put(nl_msg* m, int type, Bytes value) {
  return nla_put(m, type, static_cast<int>(value.size()), value.data()) == 0;
}
template <std::unsigned_integral T>
[[nodiscard]] bool put(nl_msg* m, int type, T value) {
  return nla_put(m, type, sizeof value, &value) == 0;
}
[[nodiscard]] inline bool put(nl_msg* m, int type, const Address& a) {
  return put(m, type, a.bytes());
}
// With the NUL at its end. Longer than max is false too.
[[nodiscard]] bool put_text(nl_msg* m, int type, std::string_view text, size_t max);

// What a request becomes whose parts do not fit: never for values within our limits.
inline std::unexpected<Error> message_full() {
  return fail(EMSGSIZE, "the request does not fit a message");
}

// A nested attribute, closed on scope exit; an empty one disappears.
class Nest {
 public:
  Nest(nl_msg* m, int type) : message_(m), start_(nla_nest_start(m, type)) {}
  Nest(const Nest&) = delete;
  Nest& operator=(const Nest&) = delete;
  ~Nest() {
    if (start_) nla_nest_end(message_, start_);
  }
  explicit operator bool() const { return start_ != nullptr; }
  // Takes back all that was put since it was opened.
  void drop() {
    if (start_) nla_nest_cancel(message_, start_);
    start_ = nullptr;
  }

 private:
  nl_msg* message_;
  nlattr* start_;
};

}  // namespace wigeon::netlink
