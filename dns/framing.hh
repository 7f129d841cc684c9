// SPDX-License-Identifier: GPL-2.0-or-later
// DNS over TCP (RFC 7766 §8): each message behind two bytes of length, the stream cut
// anywhere.
#pragma once

#include <optional>
#include <vector>

#include "dns/name.hh"

namespace wigeon::dns {

class Framer {
 public:
  // Where to read the next bytes to; commit() says how many came.
  std::span<uint8_t> space(size_t least);
  void commit(size_t n) { end_ += n; }
  // The next whole message; valid until space() is called.
  std::optional<Bytes> next();
  [[nodiscard]] bool has_message() const;
  [[nodiscard]] size_t buffered() const { return end_ - begin_; }

 private:
  std::vector<uint8_t> buffer_{};
  size_t begin_ = 0;
  size_t end_ = 0;
};

void append_framed(std::vector<uint8_t>& out, Bytes message);

}  // namespace wigeon::dns
