// SPDX-License-Identifier: GPL-2.0-or-later
#include "netlink/link.hh"

#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include <algorithm>

namespace wigeon::netlink {
namespace {

ifinfomsg header(IfIndex index) {
  ifinfomsg h{};
  h.ifi_index = static_cast<int>(index);
  return h;
}

Result<std::optional<Link>> find(Socket& s, nl_msg* m) {
  std::optional<Link> found;
  auto asked = s.ask(m, [&](const Message& reply) {
    if (reply.type != RTM_NEWLINK) return true;
    return read_link(reply, found);
  });
  if (!asked && asked.error().code == ENODEV) return std::optional<Link>{};
  if (!asked) return std::unexpected(std::move(asked).error());
  return found;
}

}  // namespace

bool read_link(const Message& m, std::optional<Link>& to) {
  ifinfomsg h;
  Bytes attrs;
  if (!m.split(h, attrs)) return false;
  if (h.ifi_family != AF_UNSPEC) return true;
  Link link{.index = IfIndex{h.ifi_index},
            .up = (h.ifi_flags & IFF_UP) != 0,
            .loopback = (h.ifi_flags & IFF_LOOPBACK) != 0};
  const auto info = [&](const Attr& a) {
    return a.type != IFLA_INFO_KIND || a.read(link.kind);
  };
  const bool good = for_each_attr(attrs, [&](const Attr& a) {
    switch (a.type) {
      case IFLA_IFNAME:
        return a.read(link.name);
      case IFLA_IFALIAS:
        return a.read(link.alias);
      case IFLA_MTU:
        return a.read(link.mtu);
      case IFLA_LINKINFO:
        return for_each_attr(a.payload, info);
      default:
        return true;
    }
  });
  if (good) to = std::move(link);
  return good;
}

Result<void> check_link_name(std::string_view name) {
  const auto odd = [](char c) { return c <= ' ' || c > '~' || c == '/' || c == ':'; };
  if (name.empty() || name.size() > kMaxLinkName || name == "." || name == ".." ||
      std::ranges::any_of(name, odd))
    return fail(EINVAL, "\"" + std::string(name.substr(0, 64)) +
                            "\" is no interface name (1-15 letters, digits or -_.)");
  return {};
}

Result<std::vector<Link>> list_links(Socket& s) {
  const auto m = new_message(RTM_GETLINK, 0);
  if (!put_header(m.get(), header(IfIndex::none))) return message_full();
  return s.dump<std::vector<Link>>(m.get(), [](auto& links, const Message& reply) {
    if (reply.type != RTM_NEWLINK) return true;
    std::optional<Link> link;
    if (!read_link(reply, link)) return false;
    if (link) links.push_back(*std::move(link));
    return true;
  });
}

Result<std::optional<Link>> find_link(Socket& s, std::string_view name) {
  TRY(check_link_name(name));
  const auto m = new_message(RTM_GETLINK, 0);
  if (!put_header(m.get(), header(IfIndex::none)) ||
      !put_text(m.get(), IFLA_IFNAME, name, kMaxLinkName))
    return message_full();
  return find(s, m.get());
}

Result<std::optional<Link>> find_link(Socket& s, IfIndex index) {
  const auto m = new_message(RTM_GETLINK, 0);
  if (!put_header(m.get(), header(index))) return message_full();
  return find(s, m.get());
}

Result<Link> create_link(Socket& s, std::string_view name, std::string_view kind) {
  TRY(check_link_name(name));
  const auto m = new_message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
  if (!put_header(m.get(), header(IfIndex::none)) ||
      !put_text(m.get(), IFLA_IFNAME, name, kMaxLinkName))
    return message_full();
  {
    const Nest info(m.get(), IFLA_LINKINFO);
    if (!info || !put_text(m.get(), IFLA_INFO_KIND, kind, kMaxLinkName))
      return message_full();
  }
  TRY(s.request(m.get()));
  auto made = TRY(find_link(s, name));
  if (!made) return fail(ENODEV, std::string(name) + ": it vanished when just made");
  return *std::move(made);
}

Result<void> set_alias(Socket& s, IfIndex index, std::string_view alias) {
  const auto m = new_message(RTM_NEWLINK, 0);
  if (!put_header(m.get(), header(index)) ||
      !put_text(m.get(), IFLA_IFALIAS, alias, kMaxAlias))
    return message_full();
  return s.request(m.get());
}

Result<void> set_mtu(Socket& s, IfIndex index, uint32_t mtu) {
  const auto m = new_message(RTM_NEWLINK, 0);
  if (!put_header(m.get(), header(index)) || !put(m.get(), IFLA_MTU, mtu))
    return message_full();
  return s.request(m.get());
}

Result<void> set_state(Socket& s, IfIndex index, LinkState state) {
  auto h = header(index);
  h.ifi_change = IFF_UP;
  h.ifi_flags = state == LinkState::up ? IFF_UP : 0;
  const auto m = new_message(RTM_NEWLINK, 0);
  if (!put_header(m.get(), h)) return message_full();
  return s.request(m.get());
}

Result<void> delete_link(Socket& s, IfIndex index) {
  // Index 0 with other attributes could mean another link.
  if (index == IfIndex::none) return fail(EINVAL, "RTM_DELLINK: no interface given");
  const auto m = new_message(RTM_DELLINK, 0);
  if (!put_header(m.get(), header(index))) return message_full();
  auto done = s.request(m.get());
  if (!done && done.error().code == ENODEV) return {};
  return done;
}

}  // namespace wigeon::netlink
