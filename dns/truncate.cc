// SPDX-License-Identifier: GPL-2.0-or-later
#include "dns/truncate.hh"

#include <cstring>

#include "dns/message.hh"

namespace wigeon::dns {
namespace {

// Where the OPT record of all that follow begins; 0: there is none.
size_t find_opt(Reader& in, const Header& h) {
  for (int left = h.answers + h.authorities + h.additionals; left > 0; --left) {
    const size_t at = in.at();
    const auto record = in.record();
    if (!record) return 0;
    if (record->type == type::kOpt && record->name.is_root()) return at;
  }
  return 0;
}

}  // namespace

size_t truncate(std::span<uint8_t> reply) {
  Reader in(reply);
  const auto header = in.header();
  if (!header || !(header->flags & flag::kQr) || header->questions > 1) return 0;
  if (header->questions == 1 && !in.question()) return 0;
  size_t size = in.at();
  const size_t opt = find_opt(in, *header);
  if (opt != 0) {
    std::memmove(&reply[size], &reply[opt], kOptSize);
    size += kOptSize;
    reply[size - 2] = reply[size - 1] = 0;  // the length of its options
  }
  Writer counts(reply);
  counts.patch_u16(2, header->flags | flag::kTc);
  counts.patch_u16(6, 0);
  counts.patch_u16(8, 0);
  counts.patch_u16(10, opt != 0 ? 1 : 0);
  return size;
}

}  // namespace wigeon::dns
