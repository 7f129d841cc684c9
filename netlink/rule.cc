// SPDX-License-Identifier: GPL-2.0-or-later
#include "netlink/rule.hh"

#include <linux/fib_rules.h>

#include <algorithm>

#include "netlink/link.hh"

namespace wigeon::netlink {
namespace {

constexpr uint32_t kAllOnes = 0xffffffff;  // mark mask, or "no suppression"

bool read_prefix(const Attr& a, uint8_t bits, std::optional<Prefix>& to) {
  Address address;
  if (!a.read(address)) return false;
  const auto prefix = Prefix::make(address, bits);
  if (prefix) to = *prefix;
  return prefix.has_value();
}

bool read_ports(const Attr& a, std::optional<PortSpan>& to) {
  fib_rule_port_range range;
  if (a.payload.size() != sizeof range || !copy_front(a.payload, range)) return false;
  to = {.first = range.start, .last = range.end};
  return true;
}

bool put_ports(nl_msg* m, int type, const std::optional<PortSpan>& ports) {
  if (!ports) return true;
  const fib_rule_port_range range{.start = ports->first, .end = ports->last};
  return put(m, type, Bytes(reinterpret_cast<const uint8_t*>(&range), sizeof range));
}

Result<Msg> message(int type, int flags, const Rule& r) {
  auto m = new_message(type, flags);
  fib_rule_hdr h{};
  h.family = static_cast<uint8_t>(r.family);
  h.action = r.action;
  h.table = r.table < 256 ? static_cast<uint8_t>(r.table) : uint8_t{RT_TABLE_COMPAT};
  h.flags = r.invert ? FIB_RULE_INVERT : 0;
  if (r.from) h.src_len = static_cast<uint8_t>(r.from->bits());
  if (r.to) h.dst_len = static_cast<uint8_t>(r.to->bits());
  bool fits = put_header(m.get(), h) && put(m.get(), FRA_PRIORITY, r.priority) &&
              put(m.get(), FRA_TABLE, r.table) && put(m.get(), FRA_PROTOCOL, r.protocol);
  if (r.mark) fits = fits && put(m.get(), FRA_FWMARK, *r.mark);
  if (r.mark_mask) fits = fits && put(m.get(), FRA_FWMASK, *r.mark_mask);
  if (r.from) fits = fits && put(m.get(), FRA_SRC, r.from->address());
  if (r.to) fits = fits && put(m.get(), FRA_DST, r.to->address());
  if (!r.input.empty())
    fits = fits && put_text(m.get(), FRA_IIFNAME, r.input, kMaxLinkName);
  if (!r.output.empty())
    fits = fits && put_text(m.get(), FRA_OIFNAME, r.output, kMaxLinkName);
  if (r.ip_protocol != 0) fits = fits && put(m.get(), FRA_IP_PROTO, r.ip_protocol);
  fits = fits && put_ports(m.get(), FRA_SPORT_RANGE, r.source_ports) &&
         put_ports(m.get(), FRA_DPORT_RANGE, r.destination_ports);
  if (r.l3mdev) fits = fits && put(m.get(), FRA_L3MDEV, uint8_t{1});
  if (r.suppress_prefix_length)
    fits = fits && put(m.get(), FRA_SUPPRESS_PREFIXLEN, *r.suppress_prefix_length);
  if (!fits) return message_full();
  return m;
}

Result<std::vector<Rule>> list_family(Socket& s, int family) {
  const auto m = new_message(RTM_GETRULE, 0);
  fib_rule_hdr h{};
  h.family = static_cast<uint8_t>(family);
  if (!put_header(m.get(), h)) return message_full();
  auto found = s.dump<std::vector<Rule>>(m.get(), [&](auto& to, const Message& reply) {
    if (reply.type != RTM_NEWRULE) return true;
    std::optional<Rule> rule;
    if (!read_rule(reply, rule)) return false;
    if (rule) to.push_back(*std::move(rule));
    return true;
  });
  if (!found && found.error().code == EAFNOSUPPORT) return std::vector<Rule>{};
  return found;
}

}  // namespace

bool read_rule(const Message& m, std::optional<Rule>& to) {
  fib_rule_hdr h;
  Bytes attrs;
  if (!m.split(h, attrs)) return false;
  if (h.family != AF_INET && h.family != AF_INET6) return true;
  Rule rule{.family = Family{h.family},
            .invert = (h.flags & FIB_RULE_INVERT) != 0,
            .action = h.action,
            .table = h.table};
  uint8_t l3mdev = 0;
  const bool good = for_each_attr(attrs, [&](const Attr& a) {
    switch (a.type) {
      case FRA_PRIORITY:
        return a.read(rule.priority);
      case FRA_TABLE:
        return a.read(rule.table);
      case FRA_PROTOCOL:
        return a.read(rule.protocol);
      case FRA_FWMARK:
        return a.read(rule.mark.emplace());
      case FRA_FWMASK:
        return a.read(rule.mark_mask.emplace());
      case FRA_SRC:
        return read_prefix(a, h.src_len, rule.from);
      case FRA_DST:
        return read_prefix(a, h.dst_len, rule.to);
      case FRA_IIFNAME:
        return a.read(rule.input);
      case FRA_OIFNAME:
        return a.read(rule.output);
      case FRA_IP_PROTO:
        return a.read(rule.ip_protocol);
      case FRA_SPORT_RANGE:
        return read_ports(a, rule.source_ports);
      case FRA_DPORT_RANGE:
        return read_ports(a, rule.destination_ports);
      case FRA_L3MDEV:
        return a.read(l3mdev);
      case FRA_SUPPRESS_PREFIXLEN:
        return a.read(rule.suppress_prefix_length.emplace());
      default:
        return true;
    }
  });
  if (!good) return false;
  rule.l3mdev = l3mdev != 0;
  if (rule.mark_mask && !rule.mark) rule.mark = 0;  // the kernel leaves a zero mark out
  if (rule.mark_mask == kAllOnes) rule.mark_mask.reset();
  if (rule.suppress_prefix_length == kAllOnes) rule.suppress_prefix_length.reset();
  to = std::move(rule);
  return true;
}

Result<std::vector<Rule>> list_rules(Socket& s) {
  auto all = TRY(list_family(s, AF_INET));
  std::ranges::move(TRY(list_family(s, AF_INET6)), std::back_inserter(all));
  return all;
}

Result<void> add_rule(Socket& s, const Rule& r) {
  const auto m = TRY(message(RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, r));
  return s.request(m.get());
}

Result<void> remove_rule(Socket& s, const Rule& r) {
  const auto m = TRY(message(RTM_DELRULE, 0, r));
  auto done = s.request(m.get());
  if (!done && done.error().code == ENOENT) return {};
  return done;
}

}  // namespace wigeon::netlink
