// SPDX-License-Identifier: GPL-2.0-or-later
#include "netlink/multicast.hh"

#include <sys/socket.h>

#include <vector>

#include "netlink/socket.hh"

namespace wigeon::netlink {
namespace {

Result<UniqueFd> join_groups(int protocol, std::span<const int> groups, int buffer) {
  auto fd = TRY(open_netlink(protocol));
  if (::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer) != 0)
    (void)::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &buffer,
                       sizeof buffer);  // overruns sooner
  for (const int group : groups)
    if (::setsockopt(fd.get(), SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group,
                     sizeof group) != 0)
      return fail_errno("joining netlink group " + std::to_string(group));
  return fd;
}

bool hear_all(int fd, std::span<uint8_t> buffer, const Multicast::Take& take) {
  bool whole = true;
  for (int i = 0; i < kDatagramsAtOnce; ++i) {
    const ssize_t n = ::recv(fd, buffer.data(), buffer.size(), MSG_DONTWAIT | MSG_TRUNC);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == ENOBUFS) {  // what is still queued came before the loss
      whole = false;
      continue;
    }
    if (n <= 0) break;
    const auto size = static_cast<size_t>(n);
    whole = size <= buffer.size() && take(buffer.first(size)) && whole;
  }
  return whole;
}

}  // namespace

struct Multicast::State {
  UniqueFd fd{};
  Turn turn{};
  std::vector<uint8_t> buffer = std::vector<uint8_t>(kReceiveBytes);
};

Result<Multicast> Multicast::open(Loop& loop, int protocol, std::span<const int> groups,
                                  int buffer, Turn turn) {
  auto state = std::make_shared<State>();
  state->turn = std::move(turn);
  state->fd = TRY(join_groups(protocol, groups, buffer));
  auto watch = TRY(loop.watch(state->fd.get(), EPOLLIN, [state](uint32_t) {
    state->turn(
        [&](const Take& take) { return hear_all(state->fd.get(), state->buffer, take); });
  }));
  return Multicast(std::move(state), std::move(watch));
}

}  // namespace wigeon::netlink
