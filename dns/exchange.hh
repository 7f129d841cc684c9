// SPDX-License-Identifier: GPL-2.0-or-later
// The seam to the upstream servers: one query out, at most one reply back. Linux:
// upstream.hh over c-ares; tests: a fake.
#pragma once

#include <functional>

#include "dns/name.hh"

namespace wigeon::dns {

// Called once. An empty reply means that no server gave one.
using Done = std::move_only_function<void(Bytes reply)>;

class Exchange {
 public:
  virtual ~Exchange() = default;
  [[nodiscard]] virtual bool has_servers() const = 0;
  // May call done before it returns. The query is copied.
  virtual void send(Bytes query, Done done) = 0;
};

}  // namespace wigeon::dns
