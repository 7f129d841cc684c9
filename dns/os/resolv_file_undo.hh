// SPDX-License-Identifier: GPL-2.0-or-later
// Taking our resolv.conf back, which a daemon and a clean-up without one do alike.
#pragma once

#include <string>

#include "dns/os/resolv_file_base.hh"

namespace wigeon::dns::os {

// The kept base; when that is lost, what can be made of our file as it stands.
KeptBase load_base(const std::string& path, const ConfFile& now);
// The base, given our file as it stands: what somebody changed in it since is kept.
ConfFile edited_base(const ConfFile& now, const KeptBase& base);
Result<void> remove_base(const std::string& path);

}  // namespace wigeon::dns::os
