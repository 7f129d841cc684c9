// SPDX-License-Identifier: GPL-2.0-or-later
// From the members of a JSON object into fields. The first thing that does not fit is the
// error, by its key. Private to this folder.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "agent/control/json.hh"

namespace wigeon::decode {

using Take = std::function<Result<void>(const Json&)>;
using Keys = std::map<std::string, Take, std::less<>>;
enum class Unknown { refuse, skip };

Take flag(bool& to);
Take string(std::string& to);
Take number(uint64_t& to);

Result<void> object(const Json& j, Unknown unknown, const Keys& keys);
Result<void> object(std::string_view json, Unknown unknown, const Keys& keys);

// A list of at most kMaxListed elements; take(Json, T&) fills each.
template <class T>
Take list(std::vector<T>& to, std::function<Result<void>(const Json&, T&)> take);
Take strings(std::vector<std::string>& to);

Result<void> check_list(const Json& j);

template <class T>
Take list(std::vector<T>& to, std::function<Result<void>(const Json&, T&)> take) {
  return [&to, take = std::move(take)](const Json& j) -> Result<void> {
    TRY(check_list(j));
    for (size_t i = 0; i < j.size(); ++i)
      if (auto taken = take(j[i], to.emplace_back()); !taken)
        return within("/" + std::to_string(i), std::move(taken).error());
    return {};
  };
}

}  // namespace wigeon::decode
