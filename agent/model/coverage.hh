// SPDX-License-Identifier: GPL-2.0-or-later
// How much of an address family a growing set of networks covers.
#pragma once

#include <map>

#include "agent/base/ip.hh"

namespace wigeon {

// Networks must come longest prefix first: then each one either holds earlier ones or is
// apart from them.
class Coverage {
 public:
  // Adds p unless the set would then cover more than half; false if it would. The whole
  // of IPv6 is what is routed of it, 2000::/3.
  bool add_within_half(const Prefix& p);

  // Of its family, 0 to 1.
  static double share(const Prefix& p);

 private:
  double covered_ = 0;
  std::map<Prefix, double> apart_{};  // the widest so far, with their shares
};

}  // namespace wigeon
