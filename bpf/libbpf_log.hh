// SPDX-License-Identifier: GPL-2.0-or-later
// What libbpf would print on stderr is caught and told in the error instead.
#pragma once

#include <string>
#include <string_view>

#include "agent/base/result.hh"

namespace wigeon::bpf {

// Catches while it lives; the innermost one gets the lines. libbpf's print hook is one
// per process, so this is for one thread.
class LibbpfLog {
 public:
  LibbpfLog();
  LibbpfLog(const LibbpfLog&) = delete;
  LibbpfLog& operator=(const LibbpfLog&) = delete;
  ~LibbpfLog();

  // "doing: Permission denied (prog 'x': BPF program load failed …; invalid mem access)".
  [[nodiscard]] std::unexpected<Error> fail(std::string_view doing, int code) const;
  // The part in parentheses: the first complaint and, of a verifier log, its last word.
  // At most kMaxLine bytes, printable, one line; empty when libbpf said nothing.
  [[nodiscard]] std::string line() const;

  static constexpr size_t kMaxLine = 240;
  static constexpr size_t kMaxCaught = 16 * 1024;

  void caught(std::string_view text);  // for the hook

 private:
  std::string text_{};
  LibbpfLog* outer_;
};

}  // namespace wigeon::bpf
