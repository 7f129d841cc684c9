// SPDX-License-Identifier: GPL-2.0-or-later
// Settings of any bytes load or are refused; what loads is shown as a document that loads
// to the same.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "agent/model/load_config.hh"

using namespace wigeon;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes{reinterpret_cast<const char*>(data), size};
  Config config;
  Problems problems;
  apply_file(config, problems, bytes, "settings");
  if (!problems.empty()) {
    require(!problems.text().empty());
    return 0;
  }
  const auto shown = to_json(config);
  Config again;
  apply_file(again, problems, shown, "shown");
  require(problems.empty());
  require(to_json(again) == shown);
  return 0;
}
