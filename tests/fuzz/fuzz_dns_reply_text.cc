// SPDX-License-Identifier: GPL-2.0-or-later
// Any bytes as a reply to be shown: its texts keep to their limits and hold nothing that
// cannot be printed, so that the daemon takes them as they are.
#include <cstdlib>

#include "dns/control.hh"

using namespace wigeon;
using namespace wigeon::dns;

namespace {

void require(bool good) {
  if (!good) std::abort();
}

bool is_printable(const std::string& s) {
  return std::ranges::all_of(s, [](unsigned char c) { return c >= 0x20 && c < 0x7f; });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto reply = reply_text({data, size});
  if (!reply) return 0;
  for (const auto& r : reply->records)
    require(is_printable(r.name) && is_printable(r.type) && is_printable(r.rdata));
  for (const auto& e : reply->errors) require(is_printable(e.text));
  const ToDaemon message{Traced{.id = 1, .reply = *reply}};
  const auto again = decode_to_daemon(encode(message));
  require(again && *again == message);
  return 0;
}
