// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/control/time_text.hh"

#include <fmt/format.h>

#include "agent/base/ip.hh"

namespace wigeon {
namespace {

using Clock = std::chrono::system_clock;
using std::chrono::nanoseconds;

constexpr std::string_view kNeverText = "0001-01-01T00:00:00Z";

// ".5", or nothing: value / 10^digits without trailing zeros.
std::string fraction(uint64_t value, int digits) {
  if (value == 0) return "";
  std::string s = fmt::format(".{:0{}}", value, digits);
  return s.substr(0, s.find_last_not_of('0') + 1);
}

std::string scaled(uint64_t ns, uint64_t unit, int digits, std::string_view name) {
  return fmt::format("{}{}{}", ns / unit, fraction(ns % unit, digits), name);
}

// Takes characters off the front of a timestamp; remembers that something did not fit.
class Taker {
 public:
  explicit Taker(std::string_view text) : rest_(text) {}
  int number(size_t digits, int min, int max) {
    const auto n = rest_.size() < digits ? fail(EINVAL, "")
                                         : parse_number(rest_.substr(0, digits),
                                                        static_cast<uint64_t>(max));
    if (!n || static_cast<int>(*n) < min) {
      ok_ = false;
      return min;
    }
    rest_.remove_prefix(digits);
    return static_cast<int>(*n);
  }
  bool literal(std::string_view any_of) {
    if (rest_.empty() || any_of.find(rest_[0]) == any_of.npos) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void need(std::string_view any_of) { ok_ = literal(any_of) && ok_; }
  nanoseconds fraction_of_second() {
    nanoseconds total{0}, digit{100'000'000};
    size_t n = 0;
    for (; n < rest_.size() && rest_[n] >= '0' && rest_[n] <= '9'; ++n, digit /= 10)
      total += digit * (rest_[n] - '0');
    ok_ = ok_ && n > 0 && n <= 9;
    rest_.remove_prefix(n);
    return total;
  }
  [[nodiscard]] char peek() const { return rest_.empty() ? '\0' : rest_[0]; }
  [[nodiscard]] bool done() const { return ok_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace

std::string rfc3339(Clock::time_point t) {
  if (t <= Clock::time_point{}) return std::string(kNeverText);
  const auto day = std::chrono::floor<std::chrono::days>(t);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss time{
      std::chrono::duration_cast<nanoseconds>(t - Clock::time_point(day))};
  // A status has thousands of them, so no format string.
  std::string out = "0000-00-00T00:00:00";
  const auto put = [&](size_t end, unsigned n) {
    for (; n > 0; n /= 10) out[--end] = static_cast<char>('0' + n % 10);
  };
  put(4, static_cast<unsigned>(static_cast<int>(date.year())));
  put(7, static_cast<unsigned>(date.month()));
  put(10, static_cast<unsigned>(date.day()));
  put(13, static_cast<unsigned>(time.hours().count()));
  put(16, static_cast<unsigned>(time.minutes().count()));
  put(19, static_cast<unsigned>(time.seconds().count()));
  if (const auto ns = time.subseconds().count(); ns != 0) {
    out += ".000000000";
    put(out.size(), static_cast<unsigned>(ns));
    out.resize(out.find_last_not_of('0') + 1);
  }
  return out += 'Z';
}

Result<Clock::time_point> parse_rfc3339(std::string_view text) {
  Taker take(text);
  const int year = take.number(4, 1, 9999);
  take.need("-");
  const int month = take.number(2, 1, 12);
  take.need("-");
  const int day = take.number(2, 1, 31);
  take.need("Tt");
  nanoseconds time = std::chrono::hours(take.number(2, 0, 23));
  take.need(":");
  time += std::chrono::minutes(take.number(2, 0, 59));
  take.need(":");
  time += std::chrono::seconds(take.number(2, 0, 60));
  if (take.literal(".")) time += take.fraction_of_second();
  if (!take.literal("Zz")) {
    const int sign = take.peek() == '-' ? -1 : 1;
    take.need("+-");
    nanoseconds offset = std::chrono::hours(take.number(2, 0, 23));
    take.need(":");
    offset += std::chrono::minutes(take.number(2, 0, 59));
    time -= sign * offset;
  }
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!take.done() || !date.ok())
    return fail(EINVAL, "not a time like 2006-01-02T15:04:05Z");
  // 64 bits of nanoseconds end in 2262.
  if (year < 1970) return Clock::time_point{};
  if (year > 2261) return fail(ERANGE, "a time after 2261");
  return Clock::time_point(std::chrono::sys_days(date)) +
         std::chrono::duration_cast<Clock::duration>(time);
}

std::string go_duration(nanoseconds d) {
  if (d.count() == 0) return "0s";
  const bool negative = d.count() < 0;
  uint64_t ns = static_cast<uint64_t>(d.count());
  if (negative) ns = 0 - ns;
  std::string out = negative ? "-" : "";
  if (ns < 1'000) return out + fmt::format("{}ns", ns);
  if (ns < 1'000'000) return out + scaled(ns, 1'000, 3, "µs");
  if (ns < 1'000'000'000) return out + scaled(ns, 1'000'000, 6, "ms");
  const uint64_t minutes = ns / 60'000'000'000;
  if (minutes >= 60) out += fmt::format("{}h", minutes / 60);
  if (minutes >= 1) out += fmt::format("{}m", minutes % 60);
  return out + scaled(ns % 60'000'000'000, 1'000'000'000, 9, "s");
}

}  // namespace wigeon
