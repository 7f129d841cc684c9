// SPDX-License-Identifier: GPL-2.0-or-later
#include "dns/framing.hh"

#include <cstring>

#include "dns/big_endian.hh"

namespace wigeon::dns {

std::span<uint8_t> Framer::space(size_t least) {
  if (begin_ > 0 && end_ > begin_)
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
  end_ -= begin_;
  begin_ = 0;
  if (buffer_.size() < end_ + least) buffer_.resize(end_ + least);
  return std::span(buffer_).subspan(end_);
}

bool Framer::has_message() const {
  return buffered() >= 2 && buffered() - 2 >= load16(buffer_.data() + begin_);
}

std::optional<Bytes> Framer::next() {
  if (!has_message()) return std::nullopt;
  const size_t size = load16(buffer_.data() + begin_);
  const Bytes message{buffer_.data() + begin_ + 2, size};
  begin_ += 2 + size;
  return message;
}

void append_framed(std::vector<uint8_t>& out, Bytes message) {
  out.push_back(static_cast<uint8_t>(message.size() >> 8));
  out.push_back(static_cast<uint8_t>(message.size()));
  out.insert(out.end(), message.begin(), message.end());
}

}  // namespace wigeon::dns
