// SPDX-License-Identifier: GPL-2.0-or-later
// What the resolver shall listen on from now on, all of it: sockets come only for what is
// new.
#pragma once

#include <utility>
#include <vector>

#include "dns/control.hh"
#include "dns/listeners.hh"
#include "dns/reply_sockets.hh"

namespace wigeon::dns {

// What is neither opened nor kept goes: it reads and answers what is queued in it, and
// ends within kForwardTimeout and a moment.
struct ListenerChange {
  ListenerSockets open{};
  std::vector<ListenerInfo> keep{};  // of those it listens on
  ReplySockets replies{};            // they take the place of those it has
  bool keep_replies = false;         // of the families that no new one comes for
};

// As the daemon sends it: the message and the descriptors beside it, which are lent.
std::pair<Listen, std::vector<int>> listen_packet(const ListenerChange& change);
// As the resolver gets it. EBADMSG when there are more or fewer descriptors than said.
Result<ListenerChange> listener_change(const Listen& message, std::vector<UniqueFd> fds);

}  // namespace wigeon::dns
