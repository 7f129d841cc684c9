// SPDX-License-Identifier: GPL-2.0-or-later
// What the administrator wants of this host, with every default. How a value gets here
// (file, environment, flag) is settings.hh; what shall be on the host is state.hh.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/ip.hh"
#include "agent/base/key.hh"
#include "agent/base/log.hh"
#include "agent/base/marks.hh"

namespace wigeon {

enum class Datapath { automatic, xdp };
enum class DnsManager { automatic, systemd, network_manager, resolvconf, file, none };
enum class DnsRedirect { automatic, sk_lookup, tc, nftables, xdp, bind, off };
enum class FirewallBackend { automatic, tc, xdp, nftables, none };
enum class TunnelKind { automatic, kernel, userspace };

struct Config {
  std::string interface_name = "wt0";
  uint16_t wireguard_port = 51820;
  uint16_t mtu = 1280;
  std::string private_key_file{};    // default: private.key in state_directory
  std::string preshared_key_file{};  // empty: none
  SecretKey preshared_key{};         // from NB_PRESHARED_KEY only; beats the file
  struct Source {
    std::string file = "/etc/wigeon/network_map.json";
  } source{};
  Datapath datapath = Datapath::automatic;
  struct Dns {
    DnsManager manager = DnsManager::automatic;
    DnsRedirect redirect = DnsRedirect::automatic;
    std::optional<Endpoint> listen_address{};
    std::vector<Prefix> allow_from{};
    bool search_domains = false;
    uint32_t serve_stale = 0;  // seconds
  } dns{};
  struct Firewall {
    FirewallBackend backend = FirewallBackend::automatic;
    bool allow_unfiltered = false;
  } firewall{};
  struct Routing {
    uint32_t table = kDefaultTable;
    uint32_t mark = kDefaultMark;
    uint32_t mark_mask = kDefaultMarkMask;
    uint32_t rule_priority = kDefaultRulePriority;
    bool disable_client_routes = false;
    bool disable_server_routes = false;
    bool allow_default_route = false;
    std::vector<Prefix> exclude{};
  } routing{};
  bool block_inbound = false;
  bool block_lan_access = false;
  bool disable_ipv6 = false;
  std::string socket_group = "wigeon";
  std::string state_directory = "/var/lib/wigeon";
  std::string runtime_directory = "/run/wigeon";
  std::string bpf_directory = "/sys/fs/bpf/wigeon";
  TunnelKind tunnel = TunnelKind::automatic;
  std::optional<Endpoint> metrics_listen{};
  log::Level log_level = log::Level::info;
  log::Format log_format = log::Format::text;

  // Who said it, by the setting's pointer: a file's path, "WIGEON_MTU", "--mtu". What is
  // not in here has its default.
  std::map<std::string_view, std::string> origins{};

  [[nodiscard]] bool given(std::string_view pointer) const {
    return origins.contains(pointer);
  }
};

// The effective settings as a document that loads again; it holds no secret.
std::string to_json(const Config& config);

}  // namespace wigeon
