// SPDX-License-Identifier: GPL-2.0-or-later
// Messages written and read as lines of text, for tests.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "dns/message.hh"

namespace wigeon::dns {

struct QueryText {
  std::string name{};
  uint16_t type = type::kA;
  uint16_t id = 0x1234;
  uint16_t flags = flag::kRd;
  uint16_t klass = klass::kIn;
  int edns = -1;  // size announced in an OPT record; -1: none
  bool dnssec_ok = false;
};
std::vector<uint8_t> make_query(const QueryText& query);

// A reply to `query` as a server would give it: records as "answer NAME TTL TYPE RDATA",
// and likewise "authority" and "additional"; aborts on text it cannot read.
std::vector<uint8_t> make_reply(Bytes query, std::string_view rcode,
                                const std::vector<std::string>& records,
                                uint16_t flags = flag::kRa,
                                const ExtendedError& why = {});

// "NOERROR aa rd ra", then a line for each record in the form above, then "opt 1232 do"
// and "ede 22 text". Reply bits that are always set, qr and the question, are left out;
// their absence is said. Unreadable bytes: "unreadable: why".
std::string text(Bytes message);

}  // namespace wigeon::dns
