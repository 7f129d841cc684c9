// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/model/address_range.hh"

#include <algorithm>
#include <array>

#include "agent/base/sort_unique.hh"

namespace wigeon {
namespace {

Address with_bytes(std::span<const uint8_t> bytes) { return *Address::from_bytes(bytes); }

// Walks along the addresses of a family and collects what is wanted.
class Sweep {
 public:
  void enter(const Judged& j) {
    const auto r = range_of(j.prefix);
    leave_until(j.prefix);
    if (!open_.empty() && at_ && *at_ < r.first) emit(previous(r.first));
    at_ = r.first;
    open_.push_back(j);
  }
  std::vector<AddressRange> finish() && {
    while (!open_.empty()) leave();
    return std::move(ranges_);
  }

 private:
  void leave_until(const Prefix& p) {
    while (!open_.empty() && !open_.back().prefix.contains(p)) leave();
  }
  void leave() {
    const Address last = range_of(open_.back().prefix).last;
    if (at_ && *at_ <= last) {
      emit(last);
      at_ = next(last);
    }
    open_.pop_back();
  }
  // From at_ to last, by the innermost prefix.
  void emit(const Address& last) {
    if (!open_.back().wanted) return;
    if (!ranges_.empty() && next(ranges_.back().last) == at_)
      ranges_.back().last = last;
    else
      ranges_.push_back({*at_, last});
  }

  std::vector<Judged> open_{};   // each one holds the next
  std::optional<Address> at_{};  // what is before it is done; none: all is
  std::vector<AddressRange> ranges_{};
};

}  // namespace

std::string AddressRange::text() const {
  return first == last ? first.text() : first.text() + "-" + last.text();
}

AddressRange range_of(const Prefix& p) {
  const auto from = p.address().bytes();
  std::array<uint8_t, 16> last{};
  std::ranges::copy(from, last.begin());
  for (int bit = p.bits(); bit < p.address().bits(); ++bit)
    last.at(static_cast<size_t>(bit / 8)) |= static_cast<uint8_t>(0x80 >> (bit % 8));
  return {p.address(), with_bytes(std::span(last).first(from.size()))};
}

std::optional<Address> next(const Address& a) {
  std::array<uint8_t, 16> bytes{};
  const auto from = a.bytes();
  std::ranges::copy(from, bytes.begin());
  for (size_t i = from.size(); i-- > 0;)
    if (++bytes.at(i) != 0) return with_bytes(std::span(bytes).first(from.size()));
  return std::nullopt;
}

Address previous(const Address& a) {
  std::array<uint8_t, 16> bytes{};
  const auto from = a.bytes();
  std::ranges::copy(from, bytes.begin());
  for (size_t i = from.size(); i-- > 0;)
    if (bytes.at(i)-- != 0) break;
  return with_bytes(std::span(bytes).first(from.size()));
}

std::vector<AddressRange> wanted_ranges(std::vector<Judged> prefixes) {
  sort_unique(prefixes, &Judged::prefix);
  Sweep sweep;
  for (const auto& p : prefixes) sweep.enter(p);
  return std::move(sweep).finish();
}

}  // namespace wigeon
