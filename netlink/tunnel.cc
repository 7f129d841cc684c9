// SPDX-License-Identifier: GPL-2.0-or-later
#include "netlink/tunnel.hh"

#include <fmt/format.h>

#include <algorithm>

#include "agent/base/doubled.hh"

namespace wigeon::netlink {
namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

constexpr std::chrono::milliseconds kEachPeer{1};

bool is_silence(const Error& e) { return e.code == ETIMEDOUT || e.code == EAGAIN; }

// It answers when all is done, which takes as long as there are peers.
uapi::Patience patience_for(const DeviceChange& change, uapi::Patience p) {
  p.silence =
      change.replace_peers
          ? p.whole
          : std::min(p.whole,
                     p.silence + kEachPeer * static_cast<int64_t>(change.peers.size()));
  return p;
}

}  // namespace

Result<SecretText> UserspaceTunnel::ask(std::string_view request,
                                        const uapi::Patience& patience) {
  if (silent_ && Clock::now() < again_) return std::unexpected(*silent_);
  auto reply = uapi::ask(path_, request, patience);
  if (reply || !is_silence(reply.error())) {
    silent_.reset();
    time_outs_ = 0;
    return reply;
  }
  const auto pause =
      doubled(first_pause_, time_outs_++, std::max(first_pause_, kLongestPause));
  again_ = Clock::now() + pause;
  silent_ = Error{ETIMEDOUT,
                  fmt::format("{}; the process hangs and is asked again after {:g} s",
                              reply.error().what, Seconds(pause).count())};
  return std::unexpected(*silent_);
}

Result<ObservedDevice> UserspaceTunnel::get() {
  const auto reply = TRY(ask(uapi::kGet, patience_));
  auto device = uapi::decode_get(reply.view());
  if (!device) return within(path_ + ": get", std::move(device).error());
  return device;
}

Result<void> UserspaceTunnel::set(const DeviceChange& change) {
  if (change.empty()) return {};
  const auto request = uapi::encode_set(change);
  const auto reply = TRY(ask(request.view(), patience_for(change, patience_)));
  auto done = uapi::decode_set(reply.view());
  if (!done) return within(path_ + ": set", std::move(done).error());
  return {};
}

}  // namespace wigeon::netlink
