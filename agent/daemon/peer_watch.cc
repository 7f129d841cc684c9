// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/peer_watch.hh"

#include <fmt/format.h>
#include <sys/epoll.h>

namespace wigeon {

Result<PeerWatch> PeerWatch::open(Loop& loop, uint16_t family, Changed changed) {
  PeerWatch w(TRY(bpf::TunnelWatch::open(family)));
  auto* watch = w.watch_.get();
  w.readable_ = TRY(
      loop.watch(watch->fd(), EPOLLIN, [watch, changed = std::move(changed)](uint32_t) {
        const auto heard = watch->drain();
        // What cannot be read may have been anything.
        if (heard && heard->count == 0) return;
        changed(heard && heard->last
                    ? fmt::format("{} (process {})", heard->last->command,
                                  heard->last->process)
                    : "");
      }));
  return w;
}

}  // namespace wigeon
