// SPDX-License-Identifier: GPL-2.0-or-later
// Reading what services on the message bus say: typed values with limits. sd-bus has
// checked that a message is well formed; that it holds what we expect, and how much of
// it, is checked here. Errors: EBADMSG for another type, E2BIG for too much.
#pragma once

#include <systemd/sd-bus.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "agent/base/ip.hh"
#include "agent/base/result.hh"

namespace wigeon::dns::os {

inline constexpr size_t kMaxBusItems = 4096;  // of one array or dictionary
inline constexpr size_t kMaxBusText = 4096;   // bytes of one string

using Each = std::function<Result<void>(sd_bus_message*)>;
using EachEntry = std::function<Result<void>(sd_bus_message*, const std::string& key,
                                             const char* type)>;

// Calls each once for an element, which it must read whole. contents: "(iay)".
Result<void> read_array(sd_bus_message* m, const char* contents, const Each& each);
// a{sv}: called inside the variant, whose type is given. What it leaves unread, also of
// an unknown key, is skipped only when it has read nothing of it.
Result<void> read_dictionary(sd_bus_message* m, const EachEntry& each);
Result<void> read_struct(sd_bus_message* m, const char* contents, const Each& each);

Result<std::string> read_text(sd_bus_message* m);  // s or o
Result<bool> read_bool(sd_bus_message* m);
Result<int32_t> read_int(sd_bus_message* m);
Result<uint32_t> read_unsigned(sd_bus_message* m);
Result<uint64_t> read_unsigned_long(sd_bus_message* m);
Result<uint16_t> read_port(sd_bus_message* m);
Result<std::vector<std::string>> read_texts(sd_bus_message* m);  // as

// "iay": family and bytes. IPv4-mapped IPv6 comes as IPv4; nothing for a family or
// length that is none.
Result<std::optional<Address>> read_address(sd_bus_message* m);

// A server that can be asked: not unspecified, multicast, or a local stub of resolved,
// which would ask us again.
bool can_be_asked(const Address& a);

}  // namespace wigeon::dns::os
