// SPDX-License-Identifier: GPL-2.0-or-later
// A selection of any bytes loads or is refused; what loads is written as it was read, and
// after any command at most one exit node is in use.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "agent/model/network_selection.hh"

using namespace wigeon;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

const std::vector<AvailableNetwork> kAvailable{
    {"lan"}, {"opt", false, false}, {"x", true}, {"x-v6", true}, {"y", true}};

void check(const NetworkSelection& s) {
  require(std::ranges::is_sorted(s.selected) && std::ranges::is_sorted(s.deselected));
  require(*decode_selection(encode(s), "again") == s);
  const auto in_use = networks_in_use(s, kAvailable);
  require(in_use.used[2] == in_use.used[3]);
  require(!(in_use.used[2] && in_use.used[4]));
  NetworkSelection kept = s;
  kept.exit_node = in_use.exit_node;
  require(networks_in_use(kept, kAvailable).used == in_use.used);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes{reinterpret_cast<const char*>(data), size};
  const auto s = decode_selection(bytes, "selection");
  if (!s) {
    require(!s.error().what.empty());
    return 0;
  }
  check(*s);
  for (const auto& n : kAvailable) {
    const std::vector<std::string> id{n.id};
    for (const auto mode : {SelectMode::replace, SelectMode::append})
      check(*select_networks(*s, kAvailable, id, mode));
    check(*deselect_networks(*s, kAvailable, id));
  }
  check(select_all_networks(*s, kAvailable));
  check(deselect_all_networks(*s));
  return 0;
}
