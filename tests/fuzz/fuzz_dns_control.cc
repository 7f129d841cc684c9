// SPDX-License-Identifier: GPL-2.0-or-later
// Any bytes between daemon and resolver, as each kind of message and as a configuration:
// what decodes is encoded to the same bytes again.
#include <algorithm>
#include <cstdlib>

#include "dns/control.hh"

using namespace wigeon;
using namespace wigeon::dns;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Bytes bytes{data, size};
  const auto same = [&](const std::vector<uint8_t>& again) {
    if (!std::ranges::equal(again, bytes)) std::abort();
  };
  if (const auto m = decode_to_resolver(bytes)) same(encode(*m));
  if (const auto m = decode_to_daemon(bytes)) same(encode(*m));
  if (const auto c = decode_config(bytes)) {
    const auto encoded = encode_config(*c);
    if (!encoded) std::abort();
    same(*encoded);
  }
  return 0;
}
