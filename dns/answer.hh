// SPDX-License-Identifier: GPL-2.0-or-later
// One query's reply as a pure function of its bytes and the zones. What the zones cannot
// answer comes back as a question for the upstream servers, and their reply is fitted to
// the query by the functions at the end.
#pragma once

#include <cstdint>
#include <span>

#include "dns/cache_reply.hh"
#include "dns/message.hh"
#include "dns/zone.hh"

namespace wigeon::dns {

enum class Transport : uint8_t { udp, tcp };
enum class Asker : uint8_t { host, peer };  // this host, or another one of the overlay

// A peer's datagrams get no reply of more than so many times their size: the source may
// be another's.
inline constexpr size_t kMaxAmplification = 3;

inline constexpr int kMaxAliases = 8;  // CNAME records followed in our zones

// What must be remembered of a query to reply to it later.
struct Asked {
  uint16_t id = 0;
  uint16_t flags = 0;
  Question question{};
  bool edns = false;
  bool dnssec_ok = false;
  uint16_t limit = kMinUdpPayload;  // bytes that the reply may have
};

struct Answer {
  enum class Kind : uint8_t {
    drop,   // no reply at all
    reply,  // `size` bytes are in the buffer
    ask,    // `wanted` must be asked upstream first
  };
  Kind kind = Kind::drop;
  size_t size = 0;
  bool in_zone = false;  // on ask: `wanted` is in a zone of ours, which has no such name
};

// out must hold 65,535 bytes for TCP, kUdpPayload for UDP. `turn` rotates sets of several
// records. On ask, wanted is the query's question or the end of its alias chain. The
// header, and so the reply's rcode, is the first twelve bytes of out.
Answer answer(Bytes query, Transport transport, Asker asker, const Zones& zones,
              uint32_t turn, std::span<uint8_t> out, Asked& asked, Question& wanted);

// A reply that upstream servers gave to `wanted`, as scrub() leaves it; its extended
// error goes to clients with EDNS. An unusable one becomes SERVFAIL. Returns the reply's
// size.
size_t complete(const Asked& asked, Bytes upstream, const Zones& zones, uint32_t turn,
                std::span<uint8_t> out);

// The same reply out of a cache, to the query's own question: nothing is looked up, no
// memory is taken. turn: 0, 1, 2, … put the addresses in another order each time.
size_t complete(const Asked& asked, const Kept& kept, const Aging& aging, uint32_t turn,
                std::span<uint8_t> out);

// SERVFAIL, with what is known of the alias chain and the reason for clients with EDNS.
size_t give_up(const Asked& asked, const ExtendedError& why, const Zones& zones,
               uint32_t turn, std::span<uint8_t> out);

}  // namespace wigeon::dns
