// SPDX-License-Identifier: GPL-2.0-or-later
// The alias by which a link is ours: "wigeon:" and 16 hexadecimal digits, another one for
// each link that is made.
#pragma once

#include <string>
#include <string_view>

namespace wigeon {

std::string fresh_alias();
// Whether it has that form.
bool is_our_alias(std::string_view alias);

}  // namespace wigeon
