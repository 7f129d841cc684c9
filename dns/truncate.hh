// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace wigeon::dns {

// Makes a reply of ours one that sends its client to TCP: TC set, nothing but the
// question and an OPT record without options. Returns the size it has then; 0 when it is
// no reply.
size_t truncate(std::span<uint8_t> reply);

}  // namespace wigeon::dns
