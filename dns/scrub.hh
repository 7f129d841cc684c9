// SPDX-License-Identifier: GPL-2.0-or-later
// What is believed of an upstream server's reply: the CNAME chain that begins at our
// question, the record set at its end, and for "no" the SOA record. With DO also the
// signatures of these and the proofs of absence. Everything else, authority and
// additional sections above all, reaches neither client nor cache. Pure.
#pragma once

#include "dns/message.hh"

namespace wigeon::dns {

inline constexpr int kMaxChain = 16;  // CNAME records of one reply

struct Scrubbed {
  size_t size = 0;
  uint16_t rcode = 0;  // all twelve bits
  ExtendedError::Code extended_error = ExtendedError::Code::none;
};

// Writes the reply anew: id, question, chain, SOA, and an OPT record with the extended
// rcode and error, without its text, if there was one. The reply must be to the question
// (EBADMSG). EBADMSG also when it cannot be read or has records but none of the chain.
// ENOSPC when out, which should hold kMaxMessage, is too small.
Result<Scrubbed> scrub(const Question& asked, bool dnssec_ok, Bytes reply,
                       std::span<uint8_t> out);

// The first of them (RFC 8914) in an OPT record; its text is inside the record.
ExtendedError read_extended_error(const Record& opt);

}  // namespace wigeon::dns
