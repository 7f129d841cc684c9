// SPDX-License-Identifier: GPL-2.0-or-later
#include "dns/special.hh"

#include "dns/message.hh"

namespace wigeon::dns {
namespace {

constexpr uint8_t kLocalhost[] = "\x09localhost";
constexpr uint8_t kLoopback4[] = {127, 0, 0, 1};
constexpr uint8_t kLoopback6[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
constexpr uint8_t kReverse4[] =
    "\x03"
    "127\x07in-addr\x04"
    "arpa";
constexpr uint8_t kReverse6[] =
    "\1"
    "1\1"
    "0\1"
    "0\1"
    "0\1"
    "0\1"
    "0\1"
    "0\1"
    "0"
    "\1"
    "0\1"
    "0\1"
    "0\1"
    "0\1"
    "0\1"
    "0\1"
    "0\1"
    "0"
    "\1"
    "0\1"
    "0\1"
    "0\1"
    "0\1"
    "0\1"
    "0\1"
    "0\1"
    "0"
    "\1"
    "0\1"
    "0\1"
    "0\1"
    "0\1"
    "0\1"
    "0\1"
    "0\1"
    "0\3"
    "ip6\4"
    "arpa";
constexpr uint8_t kInvalid[] = "\x07invalid";
constexpr uint8_t kOnion[] = "\x05onion";
constexpr uint8_t kAlt[] =
    "\x03"
    "alt";
constexpr uint8_t kResolver[] =
    "\x08resolver\x04"
    "arpa";

Special with(Bytes apex, uint16_t asked, uint16_t type, Bytes rdata) {
  if (asked != type && asked != type::kAny) return {.apex = apex, .exists = true};
  return {.apex = apex, .exists = true, .type = type, .rdata = rdata};
}

}  // namespace

std::optional<Special> special(Bytes name, uint16_t t) {
  if (is_within(name, kLocalhost))
    return t == type::kAaaa ? with(kLocalhost, t, type::kAaaa, kLoopback6)
                            : with(kLocalhost, t, type::kA, kLoopback4);
  for (const Bytes apex : {Bytes(kInvalid), Bytes(kOnion), Bytes(kAlt)})
    if (is_within(name, apex)) return Special{.apex = apex};
  // A client must not take the upstream's encrypted service for ours.
  if (is_within(name, kResolver)) return Special{.apex = kResolver, .exists = true};
  if (is_within(name, kReverse6)) {
    if (name.size() == sizeof kReverse6)
      return with(kReverse6, t, type::kPtr, kLocalhost);
    return Special{.apex = kReverse6};
  }
  if (!is_within(name, kReverse4)) return std::nullopt;
  const auto reverse = parse_reverse(name);
  if (!reverse || !reverse->exact) return Special{.apex = kReverse4};
  if (reverse->network == Prefix::host(Address::v4(0x7f000001)))
    return with(kReverse4, t, type::kPtr, kLocalhost);
  // Names between the apex and the one that is there exist too (RFC 8020).
  return Special{.apex = kReverse4,
                 .exists = reverse->network.contains(Address::v4(0x7f000001))};
}

}  // namespace wigeon::dns
