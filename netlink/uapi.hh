// SPDX-License-Identifier: GPL-2.0-or-later
// WireGuard's cross-platform interface (wireguard.com/xplatform): lines of key=value over
// a unix socket, an empty line at the end, "errno=" as the last line of a reply. Here:
// values to text and back; uapi_client.hh talks.
#pragma once

#include <string_view>

#include "agent/base/result.hh"
#include "agent/base/tunnel.hh"
#include "netlink/device.hh"
#include "netlink/secret_text.hh"

namespace wigeon::netlink::uapi {

inline constexpr std::string_view kGet = "get=1\n\n";

// "set=1" and the change, a whole request.
SecretText encode_set(const DeviceChange& change);

// The reply to get=1. Unknown keys are skipped; EBADMSG when it is malformed or cut
// short, the errno it carries when that is not 0. The device's public key is computed: it
// is not told.
Result<ObservedDevice> decode_get(std::string_view reply);
// The reply to set=1.
Result<void> decode_set(std::string_view reply);

}  // namespace wigeon::netlink::uapi
