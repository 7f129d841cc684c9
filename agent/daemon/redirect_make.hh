// SPDX-License-Identifier: GPL-2.0-or-later
// The rungs, one file each. Each undo: absent is fine.
#pragma once

#include "agent/daemon/redirect.hh"

namespace wigeon {

std::unique_ptr<Redirect> make_nft_redirect();
Result<void> undo_nft_redirect();

std::unique_ptr<Redirect> make_steer_redirect(const std::string& pins);
Result<void> undo_steer_redirect(const std::string& pins);

// On `lo`: tc or xdp.
std::unique_ptr<Redirect> make_port_redirect(Rung rung, const std::string& pins);
Result<void> undo_port_redirect(Rung rung, const std::string& pins);

}  // namespace wigeon
