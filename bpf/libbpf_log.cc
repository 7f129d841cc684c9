// SPDX-License-Identifier: GPL-2.0-or-later
#include "bpf/libbpf_log.hh"

#include <bpf/libbpf.h>

#include <cstdarg>
#include <cstdio>
#include <cstdlib>

#include "agent/base/owned.hh"

namespace wigeon::bpf {
namespace {

LibbpfLog* innermost = nullptr;

int hook(libbpf_print_level level, const char* format, va_list args) {
  if (level == LIBBPF_DEBUG || !innermost) return 0;
  char* text = nullptr;
  const int length = ::vasprintf(&text, format, args);
  if (length < 0) return 0;
  const Owned<char, ::free> owner(text);
  innermost->caught({text, static_cast<size_t>(length)});
  return 0;
}

std::string printable(std::string_view text) {
  std::string out(text.substr(0, LibbpfLog::kMaxLine));
  for (char& c : out)
    if (c < ' ' || c > '~') c = '?';
  return out;
}

}  // namespace

LibbpfLog::LibbpfLog() : outer_(innermost) {
  innermost = this;
  ::libbpf_set_print(hook);
}

// The hook stays: without a catcher libbpf is silent.
LibbpfLog::~LibbpfLog() { innermost = outer_; }

void LibbpfLog::caught(std::string_view text) {
  // A verifier log says at its end what is wrong.
  constexpr size_t kTail = kMaxCaught / 4;
  if (text.size() > kTail) {
    text.remove_prefix(text.size() - kTail);
    if (const size_t end = text.find('\n'); end != text.npos) text.remove_prefix(end + 1);
  }
  if (text_.size() + text.size() <= kMaxCaught) text_ += text;
}

std::string LibbpfLog::line() const {
  std::string_view first, verdict;
  for (std::string_view rest = text_; !rest.empty();) {
    const size_t end = rest.find('\n');
    std::string_view one = rest.substr(0, end);
    rest.remove_prefix(end == rest.npos ? rest.size() : end + 1);
    constexpr std::string_view kPrefix = "libbpf: ";
    const bool libbpf = one.starts_with(kPrefix);
    if (libbpf) one.remove_prefix(kPrefix.size());
    // What follows from the first complaint, and the verifier's frame and statistics.
    if (one.empty() || one.starts_with("failed to load") ||
        one.starts_with("processed ") || one.starts_with("-- END") ||
        one.find("-- BEGIN") != one.npos)
      continue;
    if (!libbpf)
      verdict = one;
    else if (first.empty())
      first = one;
  }
  if (first.empty()) return printable(verdict);
  std::string both(first);
  if (!verdict.empty()) both.append("; ").append(verdict);
  return printable(both);
}

std::unexpected<Error> LibbpfLog::fail(std::string_view doing, int code) const {
  auto failure = fail_errno(doing, code);
  if (const std::string said = line(); !said.empty())
    failure.error().what += " (" + said + ")";
  return failure;
}

}  // namespace wigeon::bpf
