// SPDX-License-Identifier: GPL-2.0-or-later
// What is wrong with a document, said so that its author can find and mend it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace wigeon {

struct Problem {
  std::string file{};     // or "environment", "command line"
  std::string pointer{};  // RFC 6901; empty: the whole document
  std::string value{};  // as shown(); empty when there is none to show, or it is a secret
  std::string reason{};

  [[nodiscard]] std::string text() const;  // file: pointer: value: reason
};

struct Problems {
  std::vector<Problem> list{};  // the first kMaxProblems
  size_t more = 0;              // not listed

  void add(Problem p);
  void add(Problems&& others);
  [[nodiscard]] bool empty() const { return list.empty(); }
  [[nodiscard]] size_t count() const { return list.size() + more; }
  [[nodiscard]] std::string text() const;  // one a line
};

// Text of somebody else made fit for a terminal: control bytes and DEL escaped, cut to
// about max bytes between two characters.
std::string printable(std::string_view text, size_t max = 64);
// printable() in quotes.
std::string shown(std::string_view text);

}  // namespace wigeon
