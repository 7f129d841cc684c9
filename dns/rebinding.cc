// SPDX-License-Identifier: GPL-2.0-or-later
#include "dns/rebinding.hh"

#include <algorithm>

namespace wigeon::dns {
namespace {

constexpr ExtendedError kBlocked{
    static_cast<ExtendedError::Code>(15),
    "the answer held an address that only this host or the overlay may name"};

// ::ffff:192.0.2.1 → 192.0.2.1
Address unmapped(const Address& a) {
  constexpr std::array<uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  const auto bytes = a.bytes();
  if (a.is_v4() || !std::ranges::equal(bytes.first(12), kMapped)) return a;
  return *Address::from_bytes(bytes.last(4));
}

}  // namespace

bool is_guarded(const RebindingGuard& guard, const Address& address) {
  const Address a = unmapped(address);
  return a.is_loopback() || a.is_link_local() || a.is_unspecified() ||
         (a.is_v4() && a.bytes()[0] == 0) || std::ranges::count(guard.own, a) > 0 ||
         std::ranges::any_of(guard.overlay,
                             [&](const Prefix& p) { return p.contains(a); });
}

bool rebinds(const RebindingGuard& guard, Bytes reply) {
  Reader in(reply);
  const auto header = in.header();
  if (!header || !in.question()) return true;  // not from scrub(): nothing is known of it
  for (int left = header->answers; left > 0; --left) {
    const auto r = in.record();
    if (!r) return true;
    if (r->type != type::kA && r->type != type::kAaaa) continue;
    const auto address = Address::from_bytes(r->rdata);
    if (!address || is_guarded(guard, *address)) return true;
  }
  return false;
}

size_t withhold(Bytes reply, std::span<uint8_t> out) {
  Reader in(reply);
  const auto header = in.header();
  const auto question = in.question();
  if (!header || !question) return 0;
  Writer w(out);
  const auto flags = static_cast<uint16_t>(header->flags & ~(flag::kAd | flag::kRcode));
  write_head(w, header->id, flags, *question, 1);
  write_opt(w, {}, kBlocked);
  return w.full() ? 0 : w.size();
}

}  // namespace wigeon::dns
