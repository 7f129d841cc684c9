// SPDX-License-Identifier: GPL-2.0-or-later
// One query of the daemon's own, handled as that of a client on this host, and told
// about.
#pragma once

#include "dns/control.hh"
#include "dns/service.hh"

namespace wigeon::dns {

// done is called once, within kForwardTimeout; maybe before this returns.
void inquire(Service& service, const Query& query, Service::Time now,
             std::move_only_function<void(Traced)> done);

}  // namespace wigeon::dns
