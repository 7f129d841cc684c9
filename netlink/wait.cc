// SPDX-License-Identifier: GPL-2.0-or-later
#include "netlink/wait.hh"

#include <poll.h>

namespace wigeon::netlink {

Result<void> wait_ready(int fd, short events,
                        std::chrono::steady_clock::time_point deadline) {
  using namespace std::chrono;
  for (;;) {
    const auto left = ceil<milliseconds>(deadline - steady_clock::now()).count();
    if (left <= 0) return fail(ETIMEDOUT, "no answer in time");
    pollfd p{.fd = fd, .events = events, .revents = 0};
    const int n = ::poll(&p, 1, static_cast<int>(left));
    if (n > 0) return {};
    if (n < 0 && errno != EINTR) return fail_errno("poll");
  }
}

}  // namespace wigeon::netlink
