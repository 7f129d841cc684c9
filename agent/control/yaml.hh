// SPDX-License-Identifier: GPL-2.0-or-later
// A JSON tree as block YAML, laid out as Go's yaml.v3 does. Private to this folder.
#pragma once

#include <string>
#include <string_view>

#include "agent/control/json.hh"

namespace wigeon {

std::string yaml(const Json& tree);

// One string as a scalar: plain when every YAML reader takes it back as that string (or
// as the time it is), quoted otherwise.
std::string yaml_scalar(std::string_view s);

}  // namespace wigeon
