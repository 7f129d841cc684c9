// SPDX-License-Identifier: GPL-2.0-or-later
// What clients may take from the daemon, in one place.
#pragma once

#include <chrono>
#include <cstddef>

#include "agent/control/protocol.hh"

namespace wigeon {

struct ControlLimits {
  size_t connections = 64;
  size_t connections_of_uid = 8;
  // Of `connections`, kept free for root, so that other users cannot lock it out.
  size_t kept_for_root = 8;
  std::chrono::milliseconds first_request{5000};  // from accept to a whole request
  std::chrono::milliseconds idle{10000};     // from an answer to the next whole request
  std::chrono::milliseconds reading{10000};  // for the client to take an answer
  size_t waiting_changes = 4;                // besides the one at work
  size_t request = kMaxRequest;
  size_t small_request = kMaxSmallRequest;
  size_t response = kMaxResponse;
  // Requests half read and answers half written, of all connections together.
  size_t buffered = size_t{128} << 20;
};

}  // namespace wigeon
