// SPDX-License-Identifier: GPL-2.0-or-later
#include <array>

#include "netlink/uapi.hh"

namespace wigeon::netlink::uapi {
namespace {

void line(SecretText& to, std::string_view key, std::string_view value) {
  to.append(key);
  to.append("=");
  to.append(value);
  to.append("\n");
}

void line(SecretText& to, std::string_view key, uint32_t value) {
  line(to, key, std::to_string(value));
}

void key_line(SecretText& to, std::string_view name,
              std::span<const uint8_t, kKeyBytes> key) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::array<char, 2 * kKeyBytes> hex;
  for (size_t i = 0; i < key.size(); ++i) {
    hex[2 * i] = kDigits[key[i] >> 4];
    hex[2 * i + 1] = kDigits[key[i] & 15];
  }
  line(to, name, std::string_view(hex.data(), hex.size()));
  ::explicit_bzero(hex.data(), hex.size());
}

void peer_lines(SecretText& to, const PeerChange& p) {
  key_line(to, "public_key", p.public_key.bytes());
  if (p.kind == PeerChange::Kind::remove) {
    line(to, "remove", "true");
    return;
  }
  if (p.kind == PeerChange::Kind::update) line(to, "update_only", "true");
  if (p.preshared_key) key_line(to, "preshared_key", p.preshared_key->bytes());
  if (p.endpoint) line(to, "endpoint", p.endpoint->text());
  if (p.keepalive) line(to, "persistent_keepalive_interval", *p.keepalive);
  if (!p.allowed_ips) return;
  line(to, "replace_allowed_ips", "true");
  for (const auto& ip : *p.allowed_ips) line(to, "allowed_ip", ip.text());
}

}  // namespace

SecretText encode_set(const DeviceChange& change) {
  SecretText to;
  line(to, "set", 1);
  if (change.private_key) key_line(to, "private_key", change.private_key->bytes());
  if (change.listen_port) line(to, "listen_port", *change.listen_port);
  if (change.fwmark) line(to, "fwmark", *change.fwmark);
  if (change.replace_peers) line(to, "replace_peers", "true");
  for (const auto& p : change.peers) peer_lines(to, p);
  to.append("\n");
  return to;
}

}  // namespace wigeon::netlink::uapi
