// SPDX-License-Identifier: GPL-2.0-or-later
// The one kind of rule that we put into chains of others: it lets packets of our link
// pass. Its comment says what it is, which is how it is found again.
#pragma once

#include <string>

namespace wigeon {

struct ChainRule {
  enum class Passes {
    from_link,        // all that the link brings
    replies_to_link,  // what goes to the link in an established connection
    all_to_link,
  };
  std::string family = "ip";  // or "ip6"
  std::string table{};
  std::string chain{};
  Passes passes = Passes::from_link;
  std::string link{};
  std::string comment{};

  friend bool operator==(const ChainRule&, const ChainRule&) = default;
};

}  // namespace wigeon
