// SPDX-License-Identifier: GPL-2.0-or-later
#include "netlink/uapi_client.hh"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <vector>

#include "agent/base/owned.hh"
#include "netlink/wait.hh"

namespace wigeon::netlink::uapi {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kChunk = 64 << 10;

Result<UniqueFd> connect_to(const std::string& path) {
  sockaddr_un to{.sun_family = AF_UNIX, .sun_path = {}};
  if (path.size() >= sizeof to.sun_path)
    return fail(ENAMETOOLONG, "the path is too long");
  std::memcpy(to.sun_path, path.data(), path.size());
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return fail_errno("socket");
  // Does not wait: a full queue of a stuck process is EAGAIN.
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0)
    return fail_errno("connect");
  return fd;
}

// Waits for the next piece.
Result<void> wait_for(int fd, short events, std::chrono::milliseconds silence,
                      Clock::time_point deadline) {
  return wait_ready(fd, events, std::min(deadline, Clock::now() + silence));
}

Result<void> send_all(int fd, std::string_view text, std::chrono::milliseconds silence,
                      Clock::time_point deadline) {
  while (!text.empty()) {
    const ssize_t n = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
    if (n >= 0) {
      text.remove_prefix(static_cast<size_t>(n));
    } else if (errno == EAGAIN) {
      TRY(wait_for(fd, POLLOUT, silence, deadline));
    } else if (errno != EINTR) {
      return fail_errno("send");
    }
  }
  return {};
}

Result<SecretText> receive(int fd, std::chrono::milliseconds silence,
                           Clock::time_point deadline, size_t max) {
  std::vector<char> chunk(kChunk);
  SecretText reply;
  const auto read_on = [&]() -> Result<void> {
    for (;;) {
      const ssize_t n = ::recv(fd, chunk.data(), chunk.size(), 0);
      if (n == 0) return {};
      if (n < 0 && errno == EAGAIN) {
        TRY(wait_for(fd, POLLIN, silence, deadline));
      } else if (n < 0 && errno != EINTR) {
        return fail_errno("recv");
      } else if (n > 0) {
        reply.append({chunk.data(), static_cast<size_t>(n)});
        if (reply.view().size() > max) return fail(EMSGSIZE, "the reply is too long");
        if (reply.view().ends_with("\n\n")) return {};
        if (Clock::now() >= deadline) return fail(ETIMEDOUT, "no whole answer in time");
      }
    }
  };
  auto done = read_on();
  ::explicit_bzero(chunk.data(), chunk.size());
  if (!done) return std::unexpected(std::move(done).error());
  return reply;
}

}  // namespace

Result<SecretText> ask(const std::string& path, std::string_view request,
                       const Patience& patience, size_t max) {
  const auto deadline = Clock::now() + patience.whole;
  const auto talk = [&]() -> Result<SecretText> {
    const auto fd = TRY(connect_to(path));
    TRY(send_all(fd.get(), request, patience.silence, deadline));
    return receive(fd.get(), patience.silence, deadline, max);
  };
  auto reply = talk();
  if (!reply) return within(path, std::move(reply).error());
  return reply;
}

}  // namespace wigeon::netlink::uapi
