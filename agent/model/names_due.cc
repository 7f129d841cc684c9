// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/model/names_due.hh"

#include <algorithm>

namespace wigeon {

NamesDue names_due(const NamesAsked& was, const NamesWanted& wanted,
                   std::chrono::system_clock::time_point now) {
  NamesDue due;
  const auto look_in = [&](std::chrono::system_clock::duration wait) {
    const auto ms = std::chrono::ceil<std::chrono::milliseconds>(wait);
    due.look = due.look ? std::min(*due.look, ms) : ms;
  };
  for (const auto& [name, stale] : wanted) {
    NameAsked asked{now, kNameFirstWait};
    const auto at = was.find(name);
    bool ask = at == was.end();
    if (!ask && stale) {
      const auto& last = at->second;
      // A clock that went back must not put it off.
      ask = now < last.at || now - last.at >= last.wait;
      asked = ask ? NameAsked{now, std::min(2 * last.wait, kNameLastWait)} : last;
    } else if (!ask) {
      asked.at = at->second.at;
    }
    if (ask) due.names.push_back(name);
    if (stale) look_in(asked.at + asked.wait - now);
    due.asked.emplace_hint(due.asked.end(), name, asked);
  }
  return due;
}

}  // namespace wigeon
