// SPDX-License-Identifier: GPL-2.0-or-later
// Hears that somebody else configured our WireGuard device: by a BPF program where the
// kernel can (bpf/tunnel_watch.hh), else not at all, and whoever asks has to look.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "agent/base/loop.hh"
#include "bpf/tunnel_watch.hh"

namespace wigeon {

class PeerWatch {
 public:
  // who: "wg (process 4711)"; empty when it is not known.
  using Changed = std::function<void(const std::string& who)>;

  // Why there is none is the error; EPERM and ENOTSUP are no fault. family: of generic
  // netlink, 0 while WireGuard has none.
  static Result<PeerWatch> open(Loop& loop, uint16_t family, Changed changed);
  // The module was loaded again.
  void set_family(uint16_t family) { watch_->set_family(family); }

 private:
  explicit PeerWatch(bpf::TunnelWatch watch)
      : watch_(std::make_unique<bpf::TunnelWatch>(std::move(watch))) {}

  std::unique_ptr<bpf::TunnelWatch> watch_;  // at one address for the callback
  Loop::Watch readable_{};
};

}  // namespace wigeon
