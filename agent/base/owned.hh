// SPDX-License-Identifier: GPL-2.0-or-later
// Owners for what dies with the process: C handles and file descriptors.
#pragma once

#include <unistd.h>

#include <memory>
#include <utility>

namespace wigeon {

template <auto Release>
struct Releaser {
  void operator()(auto* p) const noexcept { Release(p); }
};
template <class T, auto Release>
using Owned = std::unique_ptr<T, Releaser<Release>>;

// get() lends, release() gives away.
class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    if (this != &other) reset(std::exchange(other.fd_, -1));
    return *this;
  }
  ~UniqueFd() { reset(); }

  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] int release() && { return std::exchange(fd_, -1); }
  explicit operator bool() const { return fd_ >= 0; }
  void reset(int fd = -1) {
    if (fd_ >= 0) ::close(fd_);
    fd_ = fd;
  }

 private:
  int fd_ = -1;
};

}  // namespace wigeon
