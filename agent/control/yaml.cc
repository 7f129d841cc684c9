// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/control/yaml.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>

namespace wigeon {
namespace {

constexpr std::string_view kDigits = "0123456789";

bool is_word(std::string_view s) {
  static constexpr std::array<std::string_view, 14> kWords{
      "~",   "null", "true", "false", "yes", "no",  "on",
      "off", "y",    "n",    "=",     "<<",  "---", "..."};
  std::string lower(s);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) {
    return static_cast<char>(std::tolower(c));
  });
  return std::ranges::find(kWords, lower) != kWords.end();
}

// YAML 1.1 reads 1:30 as ninety.
bool is_sexagesimal(std::string_view s) {
  return s.find(':') != s.npos && kDigits.find(s[0]) != kDigits.npos &&
         s.find_first_not_of("0123456789:") == s.npos && s.back() != ':';
}

bool is_number(std::string_view s) {
  std::string digits(s);
  std::erase(digits, '_');
  if (digits.starts_with("0o") || digits.starts_with("0b")) return true;
  if (digits.empty() || std::isspace(static_cast<unsigned char>(digits[0]))) return false;
  if (digits.starts_with(".inf") || digits.starts_with(".nan")) return true;
  char* end = nullptr;
  (void)std::strtod(digits.c_str(), &end);  // only where it stopped matters
  return end == digits.c_str() + digits.size() || is_sexagesimal(s);
}

bool needs_escapes(std::string_view s) {
  return std::ranges::any_of(s, [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

bool needs_quotes(std::string_view s) {
  if (std::string_view("!&*[]{}#|>@`\"'%,").find(s[0]) != std::string_view::npos)
    return true;
  if (std::string_view("-?:").find(s[0]) != std::string_view::npos &&
      (s.size() == 1 || s[1] == ' '))
    return true;
  return s.front() == ' ' || s.back() == ' ' || s.back() == ':' ||
         s.find(": ") != s.npos || s.find(" #") != s.npos;
}

std::string single_quoted(std::string_view s) {
  std::string out = "'";
  for (const char c : s) out.append(c == '\'' ? 2 : 1, c);
  return out + "'";
}

void put(std::string& out, const Json& j, size_t indent);

void put_scalar(std::string& out, const Json& j) {
  if (const auto* s = j.get_ptr<const std::string*>())
    out += yaml_scalar(*s);
  else
    out += dump_json(j);  // [] and {}, too
}

bool is_block(const Json& j) { return j.is_structured() && !j.empty(); }

// first: where the cursor stands already, behind "- ", so that the first key needs no
// indent.
void put_object(std::string& out, const Json& j, size_t indent, bool in_list) {
  const std::string column(indent + (in_list ? 2 : 0), ' ');
  bool first = in_list;
  for (auto it = j.begin(); it != j.end(); ++it) {
    if (!first) out += column;
    first = false;
    out += yaml_scalar(it.key()) + ":";
    if (is_block(it.value())) {
      out += '\n';
      put(out, it.value(), indent + 4);
    } else {
      out += ' ';
      put_scalar(out, it.value());
      out += '\n';
    }
  }
}

void put(std::string& out, const Json& j, size_t indent) {
  if (j.is_object()) return put_object(out, j, indent, false);
  for (const Json& item : j) {
    out += std::string(indent, ' ') + "- ";
    if (item.is_object() && !item.empty()) {
      put_object(out, item, indent, true);
    } else {
      put_scalar(out, item);
      out += '\n';
    }
  }
}

}  // namespace

std::string yaml_scalar(std::string_view s) {
  if (s.empty()) return "\"\"";
  // A JSON string is a double-quoted YAML one.
  if (needs_escapes(s) || is_word(s) || is_number(s)) return dump_json(Json(s));
  return needs_quotes(s) ? single_quoted(s) : std::string(s);
}

std::string yaml(const Json& tree) {
  std::string out;
  put(out, tree, 0);
  return out;
}

}  // namespace wigeon
