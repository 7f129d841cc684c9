// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/model/problem.hh"

#include <fmt/format.h>

#include <iterator>

#include "agent/model/limits.hh"

namespace wigeon {

std::string printable(std::string_view text, size_t max) {
  const bool cut = text.size() > max;
  if (cut) {
    while (max > 0 && (static_cast<unsigned char>(text[max]) & 0xc0) == 0x80) --max;
    text = text.substr(0, max);
  }
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    const auto next = i + 1 < text.size() ? static_cast<unsigned char>(text[i + 1]) : 0;
    if (c < 0x20 || c == 0x7f) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", c);
    } else if (c == 0xc2 && next >= 0x80 &&
               next < 0xa0) {  // U+0080…9f: terminals obey it
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", next);
      ++i;
    } else {
      out += text[i];
    }
  }
  if (cut) out += "…";
  return out;
}

std::string shown(std::string_view text) { return '"' + printable(text) + '"'; }

std::string Problem::text() const {
  std::string out;
  for (const auto* part : {&file, &pointer, &value})
    if (!part->empty()) out += *part + ": ";
  return out + reason;
}

void Problems::add(Problem p) {
  if (list.size() < kMaxProblems)
    list.push_back(std::move(p));
  else
    ++more;
}

void Problems::add(Problems&& others) {
  for (auto& p : others.list) add(std::move(p));
  more += others.more;
}

std::string Problems::text() const {
  std::string out;
  for (const auto& p : list) out += p.text() + '\n';
  if (more > 0) out += fmt::format("and {} more\n", more);
  return out;
}

}  // namespace wigeon
