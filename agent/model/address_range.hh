// SPDX-License-Identifier: GPL-2.0-or-later
// From networks that contain one another to ranges that do not: the longest prefix that
// holds an address decides, once, instead of for every packet.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agent/base/ip.hh"

namespace wigeon {

struct AddressRange {
  Address first{}, last{};  // of one family; both belong to it

  [[nodiscard]] std::string text() const;  // "10.0.0.0-10.1.255.255"
  friend bool operator==(const AddressRange&, const AddressRange&) = default;
};

AddressRange range_of(const Prefix& p);
// The address behind it; none behind the last one of its family.
std::optional<Address> next(const Address& a);
// The address before it, which must not be the first of its family.
Address previous(const Address& a);

struct Judged {
  Prefix prefix{};
  bool wanted = false;
};

// The addresses whose longest prefix is wanted: ascending, apart, and none could be
// joined with its neighbour. All prefixes are of one family; of equal ones the first
// counts.
std::vector<AddressRange> wanted_ranges(std::vector<Judged> prefixes);

}  // namespace wigeon
