// SPDX-License-Identifier: GPL-2.0-or-later
#include "dns/os/fights.hh"

namespace wigeon::dns::os {

bool Fights::changed(Time now) {
  (void)rested(now);  // a change after a quiet minute is the first of a new one
  while (!recent_.empty() && now - recent_.front() >= kWindow) recent_.pop_front();
  if (last_ || recent_.size() >= kMost) {
    last_ = now;
    return false;
  }
  recent_.push_back(now);
  ++repairs_;
  return true;
}

std::optional<Fights::Time> Fights::rest_until() const {
  if (!last_) return std::nullopt;
  return *last_ + kWindow;
}

bool Fights::rested(Time now) {
  if (!last_ || now < *last_ + kWindow) return false;
  last_.reset();
  recent_.clear();
  return true;
}

}  // namespace wigeon::dns::os
