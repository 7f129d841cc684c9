// SPDX-License-Identifier: GPL-2.0-or-later
// Any bytes as a resolv.conf: bounded, and what was understood is understood again when
// it is written down plainly.
#include <cstdlib>

#include "dns/resolv_conf.hh"

using namespace wigeon;
using namespace wigeon::dns;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto require = [](bool good) {
    if (!good) std::abort();
  };
  const auto conf = parse_resolv_conf({reinterpret_cast<const char*>(data), size});
  require(conf.nameservers.size() <= kMaxNameservers);
  require(conf.search.size() <= kMaxSearch && conf.options.size() <= kMaxSearch);
  std::string plain;
  for (const auto& s : conf.nameservers)
    plain +=
        "nameserver " + s.address.text() + (s.zone.empty() ? "" : "%" + s.zone) + "\n";
  if (!conf.search.empty()) plain += "search";
  for (const auto& s : conf.search) plain += " " + s;
  for (const auto& o : conf.options) plain += "\noptions " + o;
  require(parse_resolv_conf(plain) == conf);
  return 0;
}
