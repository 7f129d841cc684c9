// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/cli/print.hh"

#include <fmt/format.h>

#include <algorithm>

namespace wigeon::cli {
namespace {

std::string count_of(int64_t n, std::string_view unit) {
  return fmt::format("{} {}{}", n, unit, n == 1 ? "" : "s");
}

// "2 hours, 1 minute ago", without a second part that is zero.
std::string two_units(int64_t big, std::string_view big_unit, int64_t small,
                      std::string_view small_unit) {
  std::string s = count_of(big, big_unit);
  if (small > 0) s += ", " + count_of(small, small_unit);
  return s + " ago";
}

}  // namespace

std::string time_ago(WallTime t, WallTime now) {
  if (t == kNever) return "-";
  const int64_t s = std::chrono::duration_cast<std::chrono::seconds>(now - t).count();
  if (s < 1) return "Now";
  if (s < 60) return count_of(s, "second") + " ago";
  if (s < 3600) return two_units(s / 60, "minute", s % 60, "second");
  if (s < 86400) return two_units(s / 3600, "hour", s / 60 % 60, "minute");
  return two_units(s / 86400, "day", s / 3600 % 24, "hour");
}

std::string remaining(std::chrono::nanoseconds d) {
  const int64_t s =
      std::max<int64_t>(1, std::chrono::duration_cast<std::chrono::seconds>(d).count());
  const auto parts = [](int64_t big, char big_unit, int64_t small, char small_unit) {
    return small > 0 ? fmt::format("{}{} {}{}", big, big_unit, small, small_unit)
                     : fmt::format("{}{}", big, big_unit);
  };
  if (s < 60) return fmt::format("{}s", s);
  if (s < 3600) return fmt::format("{}m", s / 60);
  if (s < 86400) return parts(s / 3600, 'h', s / 60 % 60, 'm');
  return parts(s / 86400, 'd', s / 3600 % 24, 'h');
}

std::string bytes_text(uint64_t bytes) {
  if (bytes < 1024) return fmt::format("{} B", bytes);
  auto value = static_cast<double>(bytes) / 1024;
  std::string_view units = "KMGTPE";
  for (; value >= 1024 && units.size() > 1; units.remove_prefix(1)) value /= 1024;
  return fmt::format("{:.1f} {}iB", value, units[0]);
}

std::string joined(const std::vector<std::string>& items, std::string_view none) {
  if (items.empty()) return std::string(none);
  return fmt::format("{}", fmt::join(items, ", "));
}

std::string plain(std::string_view s) {
  std::string out(s);
  std::ranges::replace_if(
      out, [](unsigned char c) { return c < 0x20 || c == 0x7f; }, '?');
  return out;
}

}  // namespace wigeon::cli
