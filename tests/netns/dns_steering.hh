// SPDX-License-Identifier: GPL-2.0-or-later
// Brings queries to sockets as the daemon's sk_lookup program does
// (prog/steer_query.bpf.c).
#pragma once

#include <memory>

#include "dns/listeners.hh"

namespace wigeon::dns {

class Steering {
 public:
  // What is for these addresses at port 53, in this network namespace.
  Steering(const Address& own4, const Address& own6);
  ~Steering();
  // Of each protocol and family, the last one of these.
  void to(const ListenerSockets& sockets);

 private:
  struct Program;
  std::unique_ptr<Program> program_;
};

}  // namespace wigeon::dns
