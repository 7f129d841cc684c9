// SPDX-License-Identifier: GPL-2.0-or-later
#include "dns/special.hh"

#include <array>

#include "dns/message.hh"

namespace wigeon::dns {
namespace {

constexpr std::array<uint8_t, 4> kLoopback4{127, 0, 0, 1};
constexpr std::array<uint8_t, 16> kLoopback6{0, 0, 0, 0, 0, 0, 0, 0,
                                             0, 0, 0, 0, 0, 0, 0, 1};

// Literals, which cannot fail to parse.
struct Names {
  Name localhost = *Name::parse("localhost");
  std::array<Name, 3> nobodys{*Name::parse("invalid"), *Name::parse("onion"),
                              *Name::parse("alt")};
  Name resolver = *Name::parse("resolver.arpa");
  Name reverse4 = *Name::parse("127.in-addr.arpa");
  Name reverse6 = Name::reverse(*Address::from_bytes(kLoopback6));
};

Special with(const Name& apex, uint16_t asked, uint16_t type, Bytes rdata) {
  if (asked != type && asked != type::kAny) return {.apex = apex.wire(), .exists = true};
  return {.apex = apex.wire(), .exists = true, .type = type, .rdata = rdata};
}

}  // namespace

std::optional<Special> special(Bytes name, uint16_t t) {
  static const Names known;  // what is returned points into it
  if (is_within(name, known.localhost.wire()))
    return t == type::kAaaa ? with(known.localhost, t, type::kAaaa, kLoopback6)
                            : with(known.localhost, t, type::kA, kLoopback4);
  for (const Name& apex : known.nobodys)
    if (is_within(name, apex.wire())) return Special{.apex = apex.wire()};
  // A client must not take the upstream's encrypted service for ours.
  if (is_within(name, known.resolver.wire()))
    return Special{.apex = known.resolver.wire(), .exists = true};
  if (is_within(name, known.reverse6.wire())) {
    if (name.size() == known.reverse6.wire().size())
      return with(known.reverse6, t, type::kPtr, known.localhost.wire());
    return Special{.apex = known.reverse6.wire()};
  }
  if (!is_within(name, known.reverse4.wire())) return std::nullopt;
  const auto reverse = parse_reverse(name);
  if (!reverse || !reverse->exact) return Special{.apex = known.reverse4.wire()};
  const auto loopback = *Address::from_bytes(kLoopback4);
  if (reverse->network == Prefix::host(loopback))
    return with(known.reverse4, t, type::kPtr, known.localhost.wire());
  // Names between the apex and the one that is there exist too (RFC 8020).
  return Special{.apex = known.reverse4.wire(),
                 .exists = reverse->network.contains(loopback)};
}

}  // namespace wigeon::dns
