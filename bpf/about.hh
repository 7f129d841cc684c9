// SPDX-License-Identifier: GPL-2.0-or-later
// What the kernel says of a program that is loaded.
#pragma once

#include <cstdint>
#include <string>

#include "agent/base/result.hh"

namespace wigeon::bpf {

struct About {
  uint32_t id = 0;
  std::string tag{};   // 16 hexadecimal digits, of its instructions
  std::string name{};  // printable, at most 15 bytes
  // Instructions that the verifier followed; 0 before Linux 5.16, which does not say.
  uint32_t verified = 0;
};

Result<About> about(int program);

}  // namespace wigeon::bpf
