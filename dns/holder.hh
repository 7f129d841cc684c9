// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

#include "agent/base/ip.hh"
#include "dns/answer.hh"

namespace wigeon::dns {

// "dnsmasq (pid 123)" for the process whose socket keeps us from binding this endpoint,
// from /proc; empty when it cannot be seen.
std::string holder_of(const Endpoint& endpoint, Transport transport);

}  // namespace wigeon::dns
