// SPDX-License-Identifier: GPL-2.0-or-later
// Whether a decoded map may be applied: by itself, and then on this host. Pure. Some
// faults refuse the whole map, which then changes nothing; others leave a peer, a network
// or a route out, and the rest applies.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agent/model/config.hh"
#include "agent/model/endpoints.hh"
#include "agent/model/network_map.hh"
#include "agent/model/problem.hh"
#include "agent/model/state.hh"

namespace wigeon {

// A part of the map that is left out.
struct Refusal {
  std::string what{};     // "peer <key>", "route <id>"
  std::string pointer{};  // into the map's document
  std::string reason{};

  [[nodiscard]] std::string text() const;  // what (pointer): reason
};

// Which parts of a map apply, by index.
struct Accepted {
  std::vector<bool> peers{};
  // Of the allowed IPs of a peer, by its index; ascending. Few peers have any.
  std::map<size_t, std::vector<uint16_t>> left_out{};
  [[nodiscard]] bool has_allowed_ip(size_t peer, size_t index) const;
  std::vector<bool> routes{};
  // Addresses of endpoints that lead into the tunnel, or are no host; sorted.
  std::vector<Address> unusable_endpoints{};
};

struct Verdict {
  Problems errors{};                 // not empty: the map is refused as a whole
  std::vector<Refusal> refusals{};   // the first kMaxRefusals
  size_t more_refusals = 0;          // not listed
  std::vector<std::string> notes{};  // allowed, but worth a line; the first kMaxProblems
  Accepted accepted{};

  [[nodiscard]] bool ok() const { return errors.empty(); }
};

struct MapContext {
  std::optional<Key> own_key{};              // none: "map check" without a host
  std::optional<uint64_t> applied_serial{};  // of the map in force
  bool force_serial = false;                 // root insists on an older map
  bool in_force = false;  // it has been: what comes in its way later costs parts of it
  Resolved resolved{};    // names not in it are judged once they are
  std::string file{};     // for Problem::file
};

// The map by itself: keys, prefixes, default routes, endpoints, serial, own address.
Verdict validate(const Config& config, const NetworkMap& map, const MapContext& context);

// Adds what this host has against it: overlap with its networks, gateways and DNS
// servers, own addresses that somebody else has, and a table for the full tunnel that
// somebody else uses. Our own link does not count.
void validate_on_host(const Config& config, const NetworkMap& map,
                      const MapContext& context, const HostView& host, Verdict& verdict);

}  // namespace wigeon
