// SPDX-License-Identifier: GPL-2.0-or-later
// What a server cannot be faster than: programs that read no name and decide nothing. For
// a child process; none of them returns.
#pragma once

#include "agent/base/ip.hh"

namespace wigeon::bench {

// udp: bound. Each query comes back as a reply with one A record.
[[noreturn]] void serve_echo(int udp);
// The same over TCP; all replies of a wake-up leave in one write.
[[noreturn]] void serve_tcp_echo(int listener);
// Sends each query on to the upstream server under another id, over 16 sockets, and its
// reply back.
[[noreturn]] void serve_relay(int udp, const Endpoint& upstream);

}  // namespace wigeon::bench
