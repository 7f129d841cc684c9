// SPDX-License-Identifier: GPL-2.0-or-later
// A query on its way to an upstream server: its bytes as asked and as sent, and what a
// datagram from that server is to it. Pure.
#pragma once

#include <array>

#include "dns/message.hh"
#include "dns/random.hh"

namespace wigeon::dns {

// One question and an OPT record without options.
inline constexpr size_t kMaxUpstreamQuery = kHeaderSize + kMaxName + 4 + kOptSize;

enum class Match : uint8_t {
  mismatch,  // not a reply to this query
  reply,
  truncated,   // there is more over TCP
  no_edns,     // refused because of its OPT record
  other_case,  // a reply, were its name spelled as sent
};

class UpstreamQuery {
 public:
  // False when it is anything else than a question and perhaps an OPT record.
  bool set(Bytes query);

  struct Form {
    uint16_t id = 0;
    bool with_opt = true;
    bool mixed = false;
  };
  // How it is sent from now on.
  void shape(const Form& form, Random& random);
  [[nodiscard]] Bytes sent() const { return {sent_.data(), sent_size_}; }

  [[nodiscard]] Match match(Bytes reply) const;
  // Gives a reply the id and the spelling of the name that were asked with.
  void restore(std::span<uint8_t> reply) const;

 private:
  std::array<uint8_t, kMaxUpstreamQuery> asked_;
  std::array<uint8_t, kMaxUpstreamQuery> sent_;
  uint16_t question_end_ = 0;
  uint16_t asked_size_ = 0;
  uint16_t sent_size_ = 0;
  bool mixed_ = false;
};

}  // namespace wigeon::dns
