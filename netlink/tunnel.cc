// SPDX-License-Identifier: GPL-2.0-or-later
#include "netlink/tunnel.hh"

#include "netlink/uapi_client.hh"

namespace wigeon::netlink {

Result<ObservedDevice> UserspaceTunnel::get() {
  const auto reply = TRY(uapi::ask(path_, uapi::kGet, kDeadline));
  auto device = uapi::decode_get(reply.view());
  if (!device) return within(path_ + ": get", std::move(device).error());
  return device;
}

Result<void> UserspaceTunnel::set(const DeviceChange& change) {
  if (change.empty()) return {};
  const auto request = uapi::encode_set(change);
  const auto reply = TRY(uapi::ask(path_, request.view(), kDeadline));
  auto done = uapi::decode_set(reply.view());
  if (!done) return within(path_ + ": set", std::move(done).error());
  return {};
}

}  // namespace wigeon::netlink
