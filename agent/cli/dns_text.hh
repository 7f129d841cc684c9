// SPDX-License-Identifier: GPL-2.0-or-later
// What `wigeon dns` prints for people.
#pragma once

#include <string>

#include "agent/control/protocol.hh"
#include "agent/control/status.hh"

namespace wigeon::cli {

// `wigeon dns status`: a line for each fact, lists below their heading.
std::string dns_status_text(const DnsStatus& dns, WallTime now);

// `wigeon dns query`: the sections of the reply as dig prints them.
std::string dns_answer_text(const DnsQueryResult& result);
// How the reply came about, a line for each step.
std::string dns_trace_text(const DnsQueryResult& result);

}  // namespace wigeon::cli
