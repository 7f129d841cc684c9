// SPDX-License-Identifier: GPL-2.0-or-later
// The ways by which queries for port 53 of our addresses come to our resolver. Pure.
//
//   sk_lookup  the socket lookup is steered; no packet is touched
//   tc         the port is rewritten at the ingress of `lo` (tcx or clsact)
//   nftables   dnat in a table of ours
//   xdp        the port is rewritten by XDP on `lo`; slows the host's other local TCP
//   bind       the resolver holds port 53 itself
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "agent/model/config.hh"

namespace wigeon {

enum class Rung : uint8_t { sk_lookup, tc, nftables, xdp, bind };
inline constexpr std::array kRungs = {Rung::sk_lookup, Rung::tc, Rung::nftables,
                                      Rung::xdp, Rung::bind};

std::string_view text(Rung rung);
std::optional<Rung> rung_named(std::string_view name);

// In the order in which they are tried. off: none. auto leaves out xdp, for what it costs
// others, and bind, because whoever holds port 53 keeps other servers from starting.
std::vector<Rung> rungs(DnsRedirect setting);

}  // namespace wigeon
