// SPDX-License-Identifier: GPL-2.0-or-later
#include "netlink/wireguard.hh"

#include <linux/genetlink.h>
#include <linux/wireguard.h>

#include "netlink/link.hh"

namespace wigeon::netlink {
namespace {

Msg get_message(uint16_t family) {
  auto m = new_message(family, 0);
  const genlmsghdr h{.cmd = WG_CMD_GET_DEVICE, .version = WG_GENL_VERSION, .reserved = 0};
  (void)put_header(m.get(), h);  // an empty message has room
  return m;
}

Result<uint16_t> resolve(Socket& s, std::string_view family) {
  const auto m = new_message(GENL_ID_CTRL, 0);
  const genlmsghdr h{.cmd = CTRL_CMD_GETFAMILY, .version = 1, .reserved = 0};
  if (!put_header(m.get(), h) ||
      !put_text(m.get(), CTRL_ATTR_FAMILY_NAME, family, GENL_NAMSIZ - 1))
    return message_full();
  uint16_t id = 0;
  auto asked = s.ask(m.get(), [&](const Message& reply) {
    genlmsghdr got;
    Bytes attrs;
    return reply.split(got, attrs) && for_each_attr(attrs, [&](const Attr& a) {
             return a.type != CTRL_ATTR_FAMILY_ID || a.read(id);
           });
  });
  if (!asked) return within("CTRL_CMD_GETFAMILY", std::move(asked).error());
  if (id < NLMSG_MIN_TYPE) return fail(EBADMSG, "CTRL_CMD_GETFAMILY: no family id");
  return id;
}

}  // namespace

Result<WireGuard> WireGuard::open() {
  auto socket = TRY(Socket::open(Protocol::generic));
  const auto family = resolve(socket, WG_GENL_NAME);
  if (!family && family.error().code == ENOENT)
    return fail(ENOENT, "the kernel has no WireGuard");
  if (!family) return std::unexpected(family.error());
  return WireGuard(std::move(socket), *family);
}

Result<ObservedDevice> WireGuard::get(IfIndex link) {
  const auto m = get_message(family_);
  if (!put(m.get(), WGDEVICE_A_IFINDEX, static_cast<uint32_t>(link)))
    return message_full();
  return get(m.get());
}

Result<ObservedDevice> WireGuard::get(std::string_view name) {
  TRY(check_link_name(name));
  const auto m = get_message(family_);
  if (!put_text(m.get(), WGDEVICE_A_IFNAME, name, kMaxLinkName)) return message_full();
  return get(m.get());
}

Result<ObservedDevice> WireGuard::get(nl_msg* request) {
  auto decoder = socket_.dump<DeviceDecoder>(
      request, [](DeviceDecoder& d, const Message& reply) { return d.take(reply); });
  if (!decoder) return within("WG_CMD_GET_DEVICE", std::move(decoder).error());
  return std::move(*decoder).finish();
}

Result<void> set_device(Socket& s, uint16_t family, IfIndex link,
                        const DeviceChange& change) {
  constexpr size_t kInOneSend = kBatchBytes / kSetBytes;
  SetEncoder encoder(family, link, change);
  for (auto some = encoder.next(kInOneSend); !some.empty();
       some = encoder.next(kInOneSend)) {
    auto refused = s.batch(some);
    if (!refused) return within("WG_CMD_SET_DEVICE", std::move(refused).error());
    if (!refused->empty())
      return within("WG_CMD_SET_DEVICE", std::move(refused->front().error));
  }
  return {};
}

}  // namespace wigeon::netlink
