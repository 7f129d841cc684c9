// SPDX-License-Identifier: GPL-2.0-or-later
#include <array>

#include "agent/cli/print.hh"

namespace wigeon::cli {
namespace {

struct Mark {
  std::string_view start;  // of the line
  std::string_view color;
};
constexpr std::array<Mark, 8> kMarks{{{"  Status: Connected", "\x1b[32m"},
                                      {"  Status: Connecting", "\x1b[33m"},
                                      {"Management: Connected", "\x1b[32m"},
                                      {"Management: Disconnected", "\x1b[31m"},
                                      {"Firewall: none", "\x1b[33m"},
                                      {"Map: none", "\x1b[33m"},
                                      {"Degraded: ", "\x1b[33m"},
                                      {"Refused: ", "\x1b[33m"}}};

std::string_view color_of(std::string_view line) {
  std::string_view color;
  for (const auto& mark : kMarks)
    if (line.starts_with(mark.start)) color = mark.color;
  return color;
}

}  // namespace

std::string paint(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto end = text.find('\n');
    const auto line = text.substr(0, end);
    if (const auto color = color_of(line); !color.empty()) {
      const auto value = line.find(": ") + 2;
      out.append(line.substr(0, value)).append(color).append(line.substr(value));
      out += "\x1b[0m";
    } else {
      out += line;
    }
    if (end == text.npos) break;
    out += '\n';
    text.remove_prefix(end + 1);
  }
  return out;
}

}  // namespace wigeon::cli
