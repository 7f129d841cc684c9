// SPDX-License-Identifier: GPL-2.0-or-later
// Names from outside: of domains and of network interfaces.
#pragma once

#include <compare>
#include <string>
#include <string_view>

#include "agent/base/result.hh"

namespace wigeon {

// Lower case, without the final dot; labels of 1-63 visible ASCII characters, 253 in all.
// Internationalised names come in their xn-- form; "*" and "_" are ordinary characters.
class DomainName {
 public:
  DomainName() = default;  // empty: no name
  static Result<DomainName> parse(std::string_view text);

  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] bool empty() const { return text_.empty(); }
  // What follows the first label; the name itself when it has only one.
  [[nodiscard]] DomainName parent() const;

  auto operator<=>(const DomainName&) const = default;

 private:
  std::string text_{};
};

// The kernel's rule, and no '%', which makes it number the name.
Result<void> check_interface_name(std::string_view name);

}  // namespace wigeon
