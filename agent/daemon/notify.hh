// SPDX-License-Identifier: GPL-2.0-or-later
// sd_notify(3): what the service manager is told. Without one, nothing happens.
#pragma once

#include <string_view>

namespace wigeon::notify {

void ready();      // READY=1, once
void reloading();  // RELOADING=1 with the monotonic time; followed by reloaded()
void reloaded();
void stopping();
void status(std::string_view text);  // for `systemctl status`; lines are joined

}  // namespace wigeon::notify
