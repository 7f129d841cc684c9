// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/rung.hh"

#include <algorithm>

namespace wigeon {

std::string_view text(Rung rung) {
  switch (rung) {
    case Rung::sk_lookup:
      return "sk_lookup";
    case Rung::tc:
      return "tc";
    case Rung::nftables:
      return "nftables";
    case Rung::xdp:
      return "xdp";
    case Rung::bind:
      return "bind";
  }
  return "";
}

std::optional<Rung> rung_named(std::string_view name) {
  const auto* const at = std::ranges::find(kRungs, name, [](Rung r) { return text(r); });
  return at == kRungs.end() ? std::nullopt : std::optional(*at);
}

std::vector<Rung> rungs(DnsRedirect setting) {
  switch (setting) {
    case DnsRedirect::automatic:
      return {Rung::sk_lookup, Rung::tc, Rung::nftables};
    case DnsRedirect::sk_lookup:
      return {Rung::sk_lookup};
    case DnsRedirect::tc:
      return {Rung::tc};
    case DnsRedirect::nftables:
      return {Rung::nftables};
    case DnsRedirect::xdp:
      return {Rung::xdp};
    case DnsRedirect::bind:
      return {Rung::bind};
    case DnsRedirect::off:
      return {};
  }
  return {};
}

}  // namespace wigeon
