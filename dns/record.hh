// SPDX-License-Identifier: GPL-2.0-or-later
// Rdata between its master-file text (RFC 1035 §5.1) and its wire form, without
// compression.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/result.hh"
#include "dns/name.hh"

namespace wigeon::dns {

// "A" or "TYPE65" for a type's number, and back (EINVAL for an unknown mnemonic).
std::string type_text(uint16_t type);
Result<uint16_t> parse_type(std::string_view text);

// Types whose text we read: A, AAAA, CNAME, PTR, NS, SOA, MX, SRV, TXT.
[[nodiscard]] bool is_supported_type(uint16_t type);

// Appends the rdata to out; out is unchanged on failure.
Result<void> append_rdata(uint16_t type, std::string_view text,
                          std::vector<uint8_t>& out);

// Text of rdata without compression pointers; types not listed above as \# (RFC 3597).
// EBADMSG when it is not rdata of that type.
Result<std::string> rdata_text(uint16_t type, Bytes rdata);

}  // namespace wigeon::dns
