// SPDX-License-Identifier: GPL-2.0-or-later
// The network map in force, and why a newer one is not. A map that is refused changes
// nothing.
//
// The last good one is kept in STATE/network_map.json, from which a start without a
// source, or with a broken one, goes on.
#pragma once

#include <optional>
#include <string>

#include "agent/control/status.hh"
#include "agent/model/config.hh"
#include "agent/model/network_map.hh"
#include "agent/model/validate.hh"

namespace wigeon {

class MapHolder {
 public:
  MapHolder(std::string state_directory, const Key& own)
      : directory_(std::move(state_directory)), own_(own) {}

  enum class Force { no, yes };  // yes: also a lower serial
  // Decodes, validates, keeps. What does not hold is the error, one problem a line; from
  // names the document in it.
  // A map that cannot be applied on this host is refused like any other.
  Result<void> offer(const std::string& bytes, const std::string& from,
                     const Config& config, const HostView& host, const Resolved& resolved,
                     Force force);
  // The newest one cannot even be read.
  void failed(std::string why) { error_ = std::move(why); }
  // True when there was one and it is in force now.
  bool load_last_good(const Config& config);

  // Judges the map in force on this host, anew whenever host or names changed. An error
  // (an own address that somebody else has) means that the map cannot be applied.
  Result<void> judge(const HostView& host, const Resolved& resolved,
                     const Config& config);
  // Instead of judge(), when host and names are those that offer() was given: what it
  // found holds.
  void confirm() { judged_ = true; }

  // Null: none in force.
  [[nodiscard]] const NetworkMap* current() const { return map_ ? &*map_ : nullptr; }
  [[nodiscard]] const Accepted& accepted() const { return verdict_.accepted; }
  [[nodiscard]] const std::vector<Refusal>& refusals() const { return verdict_.refusals; }
  // Why the newest one is not in force; empty when it is.
  [[nodiscard]] const std::string& error() const { return error_; }
  [[nodiscard]] MapStatus status() const;

 private:
  [[nodiscard]] MapContext context(Force force, const std::string& from) const;
  void take(NetworkMap map, Verdict verdict);

  std::string directory_;
  Key own_;
  std::optional<NetworkMap> map_{};
  Verdict verdict_{};
  std::string from_{};
  WallTime loaded_at_ = kNever;
  bool judged_ = false;  // on this host, and good
  bool stale_ = false;   // from the cache
  std::string error_{};
};

}  // namespace wigeon
