// SPDX-License-Identifier: GPL-2.0-or-later
// The kernel settings a routing peer needs for the networks it serves, and for ports of
// its own that lead to others (forwardingRules): those are taken from the links with a
// default route. Pure.
//
// IPv4 forwards by the interface that a packet arrives on, so it is enough to set our
// link and those towards the networks; net.ipv4.ip_forward, which would make every
// interface of the host forward, is left alone. IPv6 does so since 6.17 only
// (force_forwarding). Before, net/ipv6/conf/all/forwarding must be 1: the kernel then
// drops the default routes it has from routers, and a forwarding interface does not
// listen to routers any more, unless its accept_ra is 2. So that comes first
// (written_before); and what the kernel changes on the other interfaces along with "all"
// (written_along) is not wanted here, so it is to be put back.
#pragma once

#include "agent/model/config.hh"
#include "agent/model/network_map.hh"
#include "agent/model/state.hh"
#include "agent/model/validate.hh"

namespace wigeon {

// Sorted by key. None when no accepted route of the map is ours to serve and no port is
// forwarded. The answer does not depend on whether these settings have been made already.
std::vector<Sysctl> forwarding_sysctls(const Config& config, const NetworkMap& map,
                                       const Key& own, const Accepted& accepted,
                                       const HostView& host);

}  // namespace wigeon
