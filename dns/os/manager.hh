// SPDX-License-Identifier: GPL-2.0-or-later
// What the host's own resolver is told about ours, and the seam to whoever manages its
// settings: systemd-resolved, NetworkManager, resolvconf, openresolv, or resolv.conf
// itself.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/network.hh"
#include "agent/base/result.hh"

namespace wigeon::dns::os {

enum class ManagerKind : uint8_t {
  none,
  systemd,  // systemd-resolved
  network_manager,
  resolvconf,
  openresolv,
  file,
};
std::string_view text(ManagerKind kind);  // as dns.manager has it
// By its first word, which is text(kind).
std::optional<ManagerKind> kind_of_note(std::string_view note);

// systemd-resolved's own listeners, 127.0.0.53 and 127.0.0.54
// (systemd-resolved.service(8)).
bool is_resolved_stub(const Address& a);

struct HostDomain {
  std::string name{};      // "corp.example": no dot at its end
  bool is_search = false;  // also completes short names; else it only routes

  friend bool operator==(const HostDomain&, const HostDomain&) = default;
};

// Port 53, always: see the design of the redirect.
struct HostDns {
  std::string interface {};
  IfIndex index = IfIndex::none;
  std::vector<Address> servers{};     // ours: wt0's addresses, in order
  std::vector<HostDomain> domains{};  // sorted by name
  bool all_names = false;             // a primary group exists: every name is ours

  friend bool operator==(const HostDns&, const HostDns&) = default;
};

struct ManagerStatus {
  bool applied = false;              // read back after the last change, and as wanted
  std::string failure{};             // why not
  std::vector<std::string> notes{};  // what it refused and does without: DNSSEC, DoT, …
  unsigned repairs = 0;              // put right after somebody changed it
};

// One way of telling the host. All of it is asynchronous and idempotent: want() may be
// called again at any time, also before the last one has ended.
class HostManager {
 public:
  struct Events {
    // A note that undoes what is about to be done is durable when this returns without
    // an error; an error keeps it from being done. Form: text(kind), a space, the rest.
    std::move_only_function<Result<void>(const std::string& note)> changing{};
    // What the note says is undone.
    std::move_only_function<void(const std::string& note)> undone{};
    // status(), settled() or originals() changed.
    std::move_only_function<void()> changed{};
  };

  virtual ~HostManager() = default;
  // From now on it shall be so, also after the manager restarts or forgets.
  virtual void want(const HostDns& dns) = 0;
  // Nothing of ours shall be left; undone() follows, or status().failure says why not.
  virtual void withdraw() = 0;
  // Nothing is under way.
  [[nodiscard]] virtual bool settled() const = 0;
  [[nodiscard]] virtual ManagerStatus status() const = 0;
  // The servers that the host would ask without us, our own left out.
  [[nodiscard]] virtual std::vector<Endpoint> originals() const = 0;
};

}  // namespace wigeon::dns::os
