// SPDX-License-Identifier: GPL-2.0-or-later
// Letters of a name in random case (draft-vixie-dnsext-dns0x20): a server copies the
// question, so whoever forges its reply must guess them too.
#pragma once

#include <span>

#include "dns/name.hh"
#include "dns/random.hh"

namespace wigeon::dns {

// A name in wire form. One with two letters or more gets both cases: that costs a name of
// two letters a bit and one of five a tenth of a bit, and an unmixed query is never sent
// by chance.
void mix_case(std::span<uint8_t> name, Random& random);

}  // namespace wigeon::dns
