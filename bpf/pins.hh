// SPDX-License-Identifier: GPL-2.0-or-later
// Pins: names in bpffs by which links and maps outlive the process. The names are API: a
// daemon finds what its predecessor left, also after an upgrade.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agent/base/owned.hh"
#include "agent/base/result.hh"

namespace wigeon::bpf {

namespace pin {
inline constexpr const char* kCountXdp = "wt0_count_xdp";  // link
inline constexpr const char* kCountTc = "wt0_count_tc";    // link (tcx; clsact has none)
inline constexpr const char* kCountCounts =
    "wt0_count_counts";  // map, shared by both hooks

inline constexpr const char* kSteer = "dns_steer";                     // link
inline constexpr const char* kSteerAddresses = "dns_steer_addresses";  // map
inline constexpr const char* kSteerListeners = "dns_steer_listeners";  // map
inline constexpr const char* kSteerCounts = "dns_steer_counts";        // map

// What dns_redirect has on one hook. The hooks share nothing: while one takes over from
// the other each must know its own flows.
struct Redirect {
  const char *link, *addresses, *settings, *udp, *tcp, *counts;
};
inline constexpr Redirect kRedirectXdp = {"dns_xdp",           "dns_xdp_addresses",
                                          "dns_xdp_settings",  "dns_xdp_flows_udp",
                                          "dns_xdp_flows_tcp", "dns_xdp_counts"};
inline constexpr Redirect kRedirectTc = {"dns_tc",  // tcx; clsact has none
                                         "dns_tc_addresses", "dns_tc_settings",
                                         "dns_tc_flows_udp", "dns_tc_flows_tcp",
                                         "dns_tc_counts"};
// Beside any of them NAME_new may stand after a crash; the next put() removes it.
}  // namespace pin

// One folder of our own in bpffs. Whoever can write there can replace our policy, so one
// that is not ours alone (owner, mode 0700, no symbolic link) is refused, not repaired.
class PinDirectory {
 public:
  // Made when missing; its parent must exist. EPERM: foreign owner or other mode.
  // ENOTSUP: not in bpffs.
  static Result<PinDirectory> open(const std::string& path);

  // What is pinned there; none when nothing is.
  [[nodiscard]] Result<std::optional<UniqueFd>> get(const char* name) const;
  // Pins a link, map or program, in one step in the place of what had that name.
  Result<void> put(int object, const char* name) const;
  // Absent is fine.
  Result<void> remove(const char* name) const;
  // Names, sorted.
  [[nodiscard]] Result<std::vector<std::string>> list() const;

 private:
  PinDirectory(UniqueFd fd, std::string path);
  // bpf(2) takes paths: through our own fd, so that nobody can swap a folder above.
  [[nodiscard]] std::string at(const char* name) const;
  [[nodiscard]] std::string text(const char* name) const { return path_ + "/" + name; }

  UniqueFd fd_;
  std::string path_;
};

}  // namespace wigeon::bpf
