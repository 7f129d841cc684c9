// SPDX-License-Identifier: GPL-2.0-or-later
// Memory files that nobody can change any more, in which large things go from daemon to
// resolver and back.
#pragma once

#include <string_view>
#include <utility>

#include "agent/base/owned.hh"
#include "dns/config.hh"

namespace wigeon::dns {

Result<UniqueFd> seal(Bytes content);

// EPERM: not a memfd that can neither change nor shrink. EMSGSIZE: empty, or larger than
// max; what: for "… bytes are not a message".
Result<size_t> sealed_size(int fd, size_t max, std::string_view what);

// A configuration in one, mapped: read where it lies. It cannot shrink, so reading it
// cannot fault.
class SealedConfig {
 public:
  static Result<SealedConfig> map(int fd);
  SealedConfig(SealedConfig&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}
  SealedConfig& operator=(SealedConfig&&) = delete;
  ~SealedConfig();

  [[nodiscard]] Bytes bytes() const { return bytes_; }

 private:
  explicit SealedConfig(Bytes bytes) : bytes_(bytes) {}
  Bytes bytes_;
};

}  // namespace wigeon::dns
