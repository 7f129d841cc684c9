// SPDX-License-Identifier: GPL-2.0-or-later
// The names that every server has, as each of them wants to read them, and questions for
// them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "agent/base/result.hh"
#include "dns/config.hh"

namespace wigeon::bench {

inline constexpr const char* kZone = "netbird.cloud";

std::string peer_name(size_t i);  // peer000123.netbird.cloud
// 100.64.0.1 and on; `version` moves all of them, so that a replacement is seen.
Address peer_address(size_t i, unsigned version = 0);

std::string hosts_file(size_t names);       // dnsmasq
std::string zone_file(size_t names);        // nsd, knot
std::string unbound_records(size_t names);  // local-data
wigeon::dns::ResolverConfig our_config(size_t names, unsigned version = 0);

// One behind the other, so that a load does not wait for memory.
class Questions {
 public:
  void add(const std::string& name, uint16_t type = 1);
  [[nodiscard]] size_t count() const { return starts_.size() - 1; }
  [[nodiscard]] std::span<const uint8_t> operator[](size_t i) const {
    return {bytes_.data() + starts_[i], starts_[i + 1] - starts_[i]};
  }
  // Where each begins with ten hexadecimal digits that a load counts up, so that no name
  // is asked twice.
  bool fresh = false;

 private:
  std::vector<uint8_t> bytes_{};
  std::vector<size_t> starts_{0};
};

inline constexpr size_t kQuestions = 50'000;
Questions random_peers(size_t names);
Questions missing_peers(size_t names);
Questions fresh_names();
Questions few_names();  // 1,000 of them, for a cache

}  // namespace wigeon::bench
