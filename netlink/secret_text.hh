// SPDX-License-Identifier: GPL-2.0-or-later
// Text that holds keys: overwritten before it is freed, also where it moves while it
// grows.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "agent/base/key.hh"

namespace wigeon::netlink {

class SecretText {
 public:
  SecretText() = default;
  SecretText(SecretText&& other) noexcept : text_(std::exchange(other.text_, {})) {}
  SecretText& operator=(SecretText&& other) noexcept {
    std::swap(text_, other.text_);
    return *this;
  }
  ~SecretText() { wipe(text_); }

  void append(std::string_view more) {
    if (text_.capacity() - text_.size() < more.size()) {
      std::string larger;
      larger.reserve(
          std::max<size_t>({4096, text_.capacity() * 2, text_.size() + more.size()}));
      larger += text_;
      std::swap(text_, larger);
      wipe(larger);
    }
    text_ += more;
  }
  [[nodiscard]] std::string_view view() const { return text_; }

 private:
  std::string text_{};
};

}  // namespace wigeon::netlink
