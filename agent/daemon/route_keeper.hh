// SPDX-License-Identifier: GPL-2.0-or-later
// The networks behind other peers, over time: which are selected (kept in
// STATE/networks.json over restarts), which routing peer each goes through, and whether
// those peers still answer.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "agent/control/protocol.hh"
#include "agent/model/client_routes.hh"
#include "agent/model/network_list.hh"

namespace wigeon {

class RouteKeeper {
 public:
  RouteKeeper(std::string state_directory, const Key& own)
      : directory_(std::move(state_directory)), own_(own) {}
  // An unreadable file is the error; then everything is selected, as without one.
  Result<void> load();

  // What the kernel says of the choices of an earlier process: the next one keeps them.
  void adopt(const NetworkMap& map, const ObservedDevice& device);

  // Chooses anew; the result is current() from now on.
  void choose(const Config& config, const NetworkMap& map, const Accepted& accepted,
              const KnownDevice& device);
  [[nodiscard]] const ClientRoutes& current() const { return routes_; }
  void clear();

  // Whether somebody's liveness decides something, so that sample() should be called each
  // kSampleInterval.
  static constexpr std::chrono::seconds kSampleInterval{5};
  [[nodiscard]] bool wants_samples() const;
  // review() says what follows from it.
  void sample(const ObservedDevice& device);
  // Whether the device as known now would lead to another choice. If not, current() tells
  // who of the chosen is connected by now.
  [[nodiscard]] bool review(const Config& config, const NetworkMap& map,
                            const Accepted& accepted, const KnownDevice& device);

  // ENOENT, EINVAL as select_networks(); another errno when it cannot be kept.
  Result<void> select(const NetworkMap& map, const Accepted& accepted,
                      const NetworksParams& params);
  Result<void> deselect(const NetworkMap& map, const Accepted& accepted,
                        const NetworksParams& params);
  [[nodiscard]] std::vector<ListedNetwork> list(const NetworkMap& map,
                                                const Accepted& accepted) const {
    return list_networks(map, accepted, own_, routes_);
  }

 private:
  Result<void> keep(NetworkSelection selection);
  [[nodiscard]] ClientRoutes chosen(const Config& config, const NetworkMap& map,
                                    const Accepted& accepted,
                                    const KnownDevice& device) const;

  std::string directory_;
  Key own_;
  NetworkSelection selection_{};
  ClientRoutes routes_{};
  std::map<Key, Liveness> liveness_{};  // of routes_.contested
};

}  // namespace wigeon
