// SPDX-License-Identifier: GPL-2.0-or-later
// Any bytes as an nsswitch.conf, and behind a NUL as a resolv.conf: the first line for
// hosts decides, comments do not, and whoever is chosen is chosen for a reason.
#include <cstdlib>

#include "dns/os/environment.hh"

using namespace wigeon::dns::os;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto require = [](bool good) {
    if (!good) std::abort();
  };
  const std::string input(reinterpret_cast<const char*>(data), size);
  const auto nul = input.find('\0');
  const std::string text = input.substr(0, nul);
  const bool asks = asks_resolve_before_dns(text);
  require(asks_resolve_before_dns("# hosts: resolve\n\n" + text) == asks);
  require(asks_resolve_before_dns(text + "\nhosts: dns resolve\n") == asks);
  require(asks_resolve_before_dns("hosts: files resolve\n" + text));
  require(!asks_resolve_before_dns("hosts:dns\n" + text));

  Environment e{.nsswitch = text};
  if (nul != input.npos) e.resolv_conf = input.substr(nul + 1);
  for (const bool resolved : {false, true}) {
    e.resolved = resolved;
    const auto choice = choose_manager(e, std::nullopt);
    require(!choice.reason.empty());
    require(choice.kind == ManagerKind::systemd || !resolved || !asks);
  }
  return 0;
}
