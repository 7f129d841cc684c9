// SPDX-License-Identifier: GPL-2.0-or-later
#include "dns/os/bus_resolved.hh"

#include <algorithm>
#include <set>

namespace wigeon::dns::os {
namespace {

constexpr uint16_t kDnsPort = 53;
constexpr const char* kNo = "no";

Endpoint endpoint(const Address& a, uint16_t port) {
  return {a, port == 0 ? kDnsPort : port};
}

// a(iay); with_port: a(iayqs). A server name, for DNS over TLS, makes it another server.
Result<std::vector<Endpoint>> read_servers(sd_bus_message* m, bool with_port) {
  std::vector<Endpoint> servers;
  const char* contents = with_port ? "iayqs" : "iay";
  const std::string element = "(" + std::string(contents) + ")";
  const auto read = read_array(m, element.c_str(), [&](sd_bus_message*) -> Result<void> {
    return read_struct(m, contents, [&](sd_bus_message*) -> Result<void> {
      const auto address = TRY(read_address(m));
      const uint16_t port = with_port ? TRY(read_port(m)) : kDnsPort;
      const auto name = with_port ? TRY(read_text(m)) : std::string();
      if (!address) return fail(EBADMSG, "a server is no address");
      servers.push_back(endpoint(*address, name.empty() ? port : uint16_t{853}));
      return {};
    });
  });
  TRY(read);
  return servers;
}

Result<std::vector<HostDomain>> read_domains(sd_bus_message* m) {
  std::vector<HostDomain> domains;
  const auto read = read_array(m, "(sb)", [&](sd_bus_message*) -> Result<void> {
    return read_struct(m, "sb", [&](sd_bus_message*) -> Result<void> {
      HostDomain d;
      d.name = TRY(read_text(m));
      d.is_search = !TRY(read_bool(m));
      domains.push_back(std::move(d));
      return {};
    });
  });
  TRY(read);
  std::ranges::sort(domains, {}, &HostDomain::name);
  return domains;
}

// a(iiay); with_port: a(iiayqs).
Result<void> read_all_servers(sd_bus_message* m, bool with_port, ResolvedManager& into,
                              std::vector<ResolvedServer>& servers) {
  servers.clear();
  const char* contents = with_port ? "iiayqs" : "iiay";
  const std::string element = "(" + std::string(contents) + ")";
  return read_array(m, element.c_str(), [&](sd_bus_message*) -> Result<void> {
    return read_struct(m, contents, [&](sd_bus_message*) -> Result<void> {
      const auto index = TRY(read_int(m));
      const auto address = TRY(read_address(m));
      const uint16_t port = with_port ? TRY(read_port(m)) : kDnsPort;
      if (with_port) (void)TRY(read_text(m));
      if (!address || index < 0) return {};
      if (!can_be_asked(*address)) return {};
      auto e = endpoint(*address, port);
      if (address->needs_scope()) e.scope = static_cast<uint32_t>(index);
      if (address->needs_scope() && index == 0)
        ++into.without_link;
      else
        servers.push_back({IfIndex{index}, e});
      return {};
    });
  });
}

bool is_below(std::string_view name, const std::set<std::string_view>& parents) {
  for (size_t dot = name.find('.'); dot != name.npos; dot = name.find('.')) {
    name.remove_prefix(dot + 1);
    if (parents.contains(name)) return true;
  }
  return false;
}

}  // namespace

Result<ResolvedLink> read_resolved_link(sd_bus_message* m) {
  ResolvedLink link;
  bool has_ports = false;
  const auto read = read_dictionary(
      m, [&](sd_bus_message*, const std::string& key, const char* type) -> Result<void> {
        const std::string_view t = type;
        if (key == "DNSEx" && t == "a(iayqs)") {
          link.servers = TRY(read_servers(m, true));
          has_ports = true;
        } else if (key == "DNS" && t == "a(iay)" && !has_ports) {
          link.servers = TRY(read_servers(m, false));
        } else if (key == "Domains" && t == "a(sb)") {
          link.domains = TRY(read_domains(m));
        } else if (key == "DefaultRoute" && t == "b") {
          link.default_route = TRY(read_bool(m));
        } else if (t == "s") {
          auto* mode = key == "DNSSEC"         ? &link.dnssec
                       : key == "DNSOverTLS"   ? &link.dns_over_tls
                       : key == "LLMNR"        ? &link.llmnr
                       : key == "MulticastDNS" ? &link.mdns
                                               : nullptr;
          if (mode) *mode = TRY(read_text(m));
        }
        return {};
      });
  TRY(read);
  if (!link.servers || !link.domains)
    return fail(EBADMSG, "the link has no property DNS or Domains");
  return link;
}

Result<ResolvedManager> read_resolved_manager(sd_bus_message* m) {
  ResolvedManager manager;
  bool has_ports = false, fallback_has_ports = false;
  const auto read = read_dictionary(
      m, [&](sd_bus_message*, const std::string& key, const char* type) -> Result<void> {
        const bool with_port = std::string_view(type) == "a(iiayqs)";
        if (!with_port && std::string_view(type) != "a(iiay)") return {};
        if (key == "DNSEx" || (key == "DNS" && !has_ports)) {
          has_ports = with_port;
          return read_all_servers(m, with_port, manager, manager.servers);
        }
        if (key == "FallbackDNSEx" || (key == "FallbackDNS" && !fallback_has_ports)) {
          fallback_has_ports = with_port;
          return read_all_servers(m, with_port, manager, manager.fallback);
        }
        return {};
      });
  TRY(read);
  return manager;
}

ResolvedWish resolved_wish(const HostDns& dns) {
  std::vector<HostDomain> domains = dns.domains;
  const size_t room = kMaxLinkDomains - (dns.all_names ? 1 : 0);
  size_t left_out = 0;
  if (domains.size() > room) {
    std::set<std::string_view> names;
    for (const auto& d : dns.domains) names.insert(d.name);
    std::erase_if(domains,
                  [&](const auto& d) { return !d.is_search && is_below(d.name, names); });
    if (domains.size() > room) {
      left_out = domains.size() - room;
      domains.resize(room);
    }
  }
  // Not "~.": that is resolvectl's spelling of this pair.
  if (dns.all_names) domains.push_back({.name = ".", .is_search = false});
  std::ranges::sort(domains, {}, &HostDomain::name);
  std::vector<Endpoint> servers;
  for (const auto& a : dns.servers) servers.push_back({a, kDnsPort});
  return {.link = {.servers = std::move(servers),
                   .domains = std::move(domains),
                   .default_route = dns.all_names,
                   .dnssec = kNo,
                   .dns_over_tls = kNo,
                   .llmnr = kNo,
                   .mdns = kNo},
          .left_out = left_out};
}

std::vector<ResolvedPart> differing(const ResolvedLink& wanted, const ResolvedLink& is) {
  std::vector<ResolvedPart> parts;
  const auto compare = [&](ResolvedPart part, const auto& a, const auto& b) {
    if (a != b) parts.push_back(part);
  };
  // What this version does not know cannot be on.
  const auto compare_mode = [&](ResolvedPart part, const auto& a, const auto& b) {
    if (b) compare(part, a, b);
  };
  compare_mode(ResolvedPart::llmnr, wanted.llmnr, is.llmnr);
  compare_mode(ResolvedPart::mdns, wanted.mdns, is.mdns);
  compare_mode(ResolvedPart::dnssec, wanted.dnssec, is.dnssec);
  compare_mode(ResolvedPart::dns_over_tls, wanted.dns_over_tls, is.dns_over_tls);
  compare_mode(ResolvedPart::default_route, wanted.default_route, is.default_route);
  compare(ResolvedPart::domains, wanted.domains, is.domains);
  compare(ResolvedPart::servers, wanted.servers, is.servers);
  return parts;
}

std::string_view text(ResolvedPart part) {
  switch (part) {
    case ResolvedPart::llmnr:
      return "LLMNR";
    case ResolvedPart::mdns:
      return "mDNS";
    case ResolvedPart::dnssec:
      return "DNSSEC";
    case ResolvedPart::dns_over_tls:
      return "DNS over TLS";
    case ResolvedPart::default_route:
      return "default route";
    case ResolvedPart::domains:
      return "domains";
    case ResolvedPart::servers:
      return "servers";
  }
  return "";
}

const char* method(ResolvedPart part) {
  switch (part) {
    case ResolvedPart::llmnr:
      return "SetLinkLLMNR";
    case ResolvedPart::mdns:
      return "SetLinkMulticastDNS";
    case ResolvedPart::dnssec:
      return "SetLinkDNSSEC";
    case ResolvedPart::dns_over_tls:
      return "SetLinkDNSOverTLS";
    case ResolvedPart::default_route:
      return "SetLinkDefaultRoute";
    case ResolvedPart::domains:
      return "SetLinkDomains";
    case ResolvedPart::servers:
      return "SetLinkDNS";
  }
  return "";
}

int put(sd_bus_message* m, ResolvedPart part, IfIndex link, const ResolvedLink& wanted) {
  int e = sd_bus_message_append(m, "i", static_cast<int>(link));
  if (e < 0) return e;
  switch (part) {
    case ResolvedPart::llmnr:
    case ResolvedPart::mdns:
    case ResolvedPart::dnssec:
    case ResolvedPart::dns_over_tls:
      return sd_bus_message_append(m, "s", kNo);
    case ResolvedPart::default_route:
      return sd_bus_message_append(m, "b", wanted.default_route.value_or(false));
    case ResolvedPart::domains:
      e = sd_bus_message_open_container(m, 'a', "(sb)");
      for (const auto& d : *wanted.domains)
        if (e >= 0) e = sd_bus_message_append(m, "(sb)", d.name.c_str(), !d.is_search);
      return e < 0 ? e : sd_bus_message_close_container(m);
    case ResolvedPart::servers:
      e = sd_bus_message_open_container(m, 'a', "(iay)");
      for (const auto& s : *wanted.servers) {
        if (e >= 0) e = sd_bus_message_open_container(m, 'r', "iay");
        if (e >= 0)
          e = sd_bus_message_append(m, "i", static_cast<int>(s.address.family()));
        if (e >= 0)
          e = sd_bus_message_append_array(m, 'y', s.address.bytes().data(),
                                          s.address.bytes().size());
        if (e >= 0) e = sd_bus_message_close_container(m);
      }
      return e < 0 ? e : sd_bus_message_close_container(m);
  }
  return -EINVAL;
}

bool dispensable(ResolvedPart part) { return part < ResolvedPart::default_route; }

}  // namespace wigeon::dns::os
