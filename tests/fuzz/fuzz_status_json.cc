// SPDX-License-Identifier: GPL-2.0-or-later
// A status that can be read prints, and reads back as what was printed.
#include <cstdlib>

#include "agent/control/status.hh"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace wigeon;
  const auto report = status_from_json({reinterpret_cast<const char*>(data), size});
  if (!report) return 0;
  const auto json = to_json(*report);
  const auto back = status_from_json(json);
  if (!back || to_json(*back) != json || to_yaml(*back) != to_yaml(*report)) std::abort();
  return 0;
}
