// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/control/client.hh"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <thread>

namespace wigeon {
namespace {

constexpr std::chrono::milliseconds kBacklogPause{20};
constexpr std::string_view kNoAnswer = "the daemon did not answer in time";

std::unexpected<Failure> failure(Code code, std::string message) {
  return std::unexpected(Failure{code, std::move(message)});
}

std::unexpected<Failure> cannot_connect(const std::string& path, int error) {
  const std::string why =
      "failed to connect to daemon error: connect to " + path + ": " + ::strerror(error);
  switch (error) {
    case ENOENT:
    case ENOTDIR:
    case ECONNREFUSED:
      return failure(Code::not_running,
                     why +
                         "\nIf the daemon is not running please run: \n"
                         "systemctl start wigeond\n");
    case EACCES:
    case EPERM:
      return failure(Code::not_permitted,
                     why + "\nOnly root and members of the socket's group may connect.");
    default:
      return failure(Code::error, why);
  }
}

Outcome<std::string> path_of(std::string_view address) {
  std::string_view path = address;
  if (path.starts_with("unix://")) path.remove_prefix(7);
  if (!path.starts_with('/') || path.size() >= sizeof(sockaddr_un::sun_path))
    return failure(Code::usage, "the daemon's address must look like " +
                                    std::string(kDefaultDaemonAddress) +
                                    ", got: " + std::string(address));
  return std::string(path);
}

enum class Ready { yes, late, broken };

Ready wait(int fd, short events, Client::Clock::time_point deadline) {
  for (;;) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - Client::Clock::now());
    if (left.count() <= 0) return Ready::late;
    pollfd p{.fd = fd, .events = events, .revents = 0};
    const int n =
        ::poll(&p, 1, static_cast<int>(std::min<int64_t>(left.count(), INT32_MAX)));
    if (n > 0) return Ready::yes;
    if (n < 0 && errno != EINTR) return Ready::broken;
  }
}

}  // namespace

Client::Client(UniqueFd fd, Clock::time_point deadline)
    : fd_(std::move(fd)), deadline_(deadline) {}

Outcome<Client> Client::connect(std::string_view address, Clock::time_point deadline) {
  const auto path = path_of(address);
  if (!path) return std::unexpected(path.error());
  sockaddr_un sun{};
  sun.sun_family = AF_UNIX;
  std::memcpy(sun.sun_path, path->data(), path->size());
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return cannot_connect(*path, errno);
  for (;;) {
    if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&sun), sizeof sun) == 0)
      return Client(std::move(fd), deadline);
    // EAGAIN: the listener's queue is full, and poll(2) does not tell when it no longer
    // is.
    if (errno != EAGAIN && errno != EINTR) return cannot_connect(*path, errno);
    if (Clock::now() + kBacklogPause >= deadline)
      return failure(Code::timeout, std::string(kNoAnswer));
    std::this_thread::sleep_for(kBacklogPause);
  }
}

Outcome<std::string> Client::call(std::string method, std::string params) {
  const uint64_t id = ++last_id_;
  const auto sent = send(encode(
      Request{.id = id, .method = std::move(method), .params = std::move(params)}));
  if (!sent) return std::unexpected(sent.error());
  const auto line = receive();
  if (!line) return std::unexpected(line.error());
  auto response = decode_response(*line);
  if (!response)
    return failure(Code::error, "the daemon's answer makes no sense: " +
                                    std::move(response).error().what);
  // Id 0: the daemon turned the connection away, whatever was asked.
  if (response->id != id && (response->id != 0 || response->result))
    return failure(Code::error, "the daemon answered something that was not asked");
  return std::move(response)->result;
}

Outcome<void> Client::send(std::string_view line) {
  while (!line.empty()) {
    const ssize_t n =
        ::send(fd_.get(), line.data(), line.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n >= 0) {
      line.remove_prefix(static_cast<size_t>(n));
    } else if (errno == EPIPE || errno == ECONNRESET) {
      return {};  // turned away: why is to be read
    } else if (errno != EAGAIN && errno != EINTR) {
      return failure(Code::error,
                     std::string("writing to the daemon: ") + ::strerror(errno));
    } else if (wait(fd_.get(), POLLOUT, deadline_) == Ready::late) {
      return failure(Code::timeout, std::string(kNoAnswer));
    }
  }
  return {};
}

Outcome<std::string> Client::receive() {
  std::array<char, 65536> chunk{};
  for (size_t scanned = 0;;) {
    if (const auto newline = in_.find('\n', scanned); newline != in_.npos) {
      std::string line = in_.substr(0, newline);
      in_.erase(0, newline + 1);
      return line;
    }
    scanned = in_.size();
    if (in_.size() > kMaxResponse) return failure(Code::error, "the answer is too long");
    if (wait(fd_.get(), POLLIN, deadline_) == Ready::late)
      return failure(Code::timeout, std::string(kNoAnswer));
    const ssize_t n = ::recv(fd_.get(), chunk.data(), chunk.size(), MSG_DONTWAIT);
    if (n > 0) {
      in_.append(chunk.data(), static_cast<size_t>(n));
    } else if (n == 0) {
      return failure(Code::error, "the daemon closed the connection without an answer");
    } else if (errno != EAGAIN && errno != EINTR) {
      return failure(Code::error,
                     std::string("reading from the daemon: ") + ::strerror(errno));
    }
  }
}

}  // namespace wigeon
