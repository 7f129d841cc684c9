// SPDX-License-Identifier: GPL-2.0-or-later
// The short way for most queries there are: one question for an address, spelled without
// pointers, with or without EDNS, about a name that our zones settle with one look. It
// writes the very bytes that answer() would, without taking the message apart first; what
// is anything else goes there.
#pragma once

#include <cstdint>
#include <span>

#include "dns/answer.hh"

namespace wigeon::dns {

// The reply's size; 0 when answer() has to do it, and then only out was written to.
size_t quick_answer(Bytes query, Transport transport, Asker asker, const Zones& zones,
                    uint32_t turn, std::span<uint8_t> out);

// hash_name() of the name asked for, for Zones::fetch_slot(); any number when the query
// is none that quick_answer() takes.
uint64_t question_hash(Bytes query);

}  // namespace wigeon::dns
