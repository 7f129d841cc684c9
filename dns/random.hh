// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <sys/random.h>

#include <array>
#include <cstdint>
#include <cstdlib>

namespace wigeon::dns {

// Unpredictable numbers, fetched from the kernel by the block.
class Random {
 public:
  uint16_t u16() {
    if (next_ == block_.size()) {
      // At most 256 bytes are never cut short once the pool is ready (getrandom(2));
      // before that the call waits. No entropy at all is no state to answer queries in.
      if (::getrandom(block_.data(), sizeof block_, 0) != sizeof block_) std::abort();
      next_ = 0;
    }
    return block_[next_++];
  }

 private:
  std::array<uint16_t, 128> block_{};
  size_t next_ = block_.size();
};

}  // namespace wigeon::dns
