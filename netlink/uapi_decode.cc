// SPDX-License-Identifier: GPL-2.0-or-later
#include <array>

#include "netlink/uapi.hh"

namespace wigeon::netlink::uapi {
namespace {

constexpr int kMaxErrno = 4095;

int nibble(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

template <class K>
bool read_key(std::string_view hex, K& to) {
  std::array<uint8_t, kKeyBytes> bytes;
  if (hex.size() != 2 * bytes.size()) return false;
  bool good = true;
  for (size_t i = 0; i < bytes.size(); ++i) {
    const int high = nibble(hex[2 * i]), low = nibble(hex[2 * i + 1]);
    good = good && high >= 0 && low >= 0;
    bytes[i] = static_cast<uint8_t>((high << 4 | low) & 0xff);
  }
  if (good) to = *K::from_bytes(bytes);
  ::explicit_bzero(bytes.data(), bytes.size());
  return good;
}

template <std::integral T>
bool read_number(std::string_view text, T& to) {
  const auto n = parse_number(text, static_cast<uint64_t>(std::numeric_limits<T>::max()));
  if (n) to = static_cast<T>(*n);
  return n.has_value();
}

// A zone ("[fe80::1%eth0]:51820") is left out, as generic netlink's reader does.
bool read_endpoint(std::string_view text, std::optional<Endpoint>& to) {
  std::string plain(text);
  const size_t zone = plain.find('%'), close = plain.find(']');
  if (zone != std::string::npos && close != std::string::npos && zone < close)
    plain.erase(zone, close - zone);
  const auto e = Endpoint::parse(plain);
  if (e) to = *e;
  return e.has_value();
}

class Reader {
 public:
  // False when the value is not one for that key.
  bool take(std::string_view key, std::string_view value) {
    if (key == "public_key") {
      if (device_.peers.size() == kMaxPeersRead) return false;
      seconds_ = nanoseconds_ = 0;
      return read_key(value, device_.peers.emplace_back().peer.public_key);
    }
    return device_.peers.empty() ? take_device(key, value)
                                 : take_peer(device_.peers.back(), key, value);
  }

  ObservedDevice finish() && {
    if (!device_.private_key.is_zero())
      device_.public_key = device_.private_key.public_key();
    tidy(device_);
    return std::move(device_);
  }

 private:
  bool take_device(std::string_view key, std::string_view value) {
    if (key == "private_key") return read_key(value, device_.private_key);
    if (key == "listen_port") return read_number(value, device_.listen_port);
    if (key == "fwmark") return read_number(value, device_.fwmark);
    return true;
  }

  bool take_peer(ObservedPeer& to, std::string_view key, std::string_view value) {
    if (key == "preshared_key") return read_key(value, to.peer.preshared_key);
    if (key == "protocol_version") return value == "1";
    if (key == "endpoint") return read_endpoint(value, to.peer.endpoint);
    if (key == "persistent_keepalive_interval")
      return read_number(value, to.peer.keepalive);
    if (key == "rx_bytes") return read_number(value, to.stats.rx_bytes);
    if (key == "tx_bytes") return read_number(value, to.stats.tx_bytes);
    if (key == "last_handshake_time_sec")
      return read_number(value, seconds_) && handshake(to.stats);
    if (key == "last_handshake_time_nsec")
      return read_number(value, nanoseconds_) && handshake(to.stats);
    if (key == "allowed_ip") {
      const auto prefix = Prefix::parse(value);
      if (prefix) to.peer.allowed_ips.push_back(*prefix);
      return prefix.has_value();
    }
    return true;
  }

  bool handshake(PeerStats& to) const {
    const auto time = since_epoch(seconds_, nanoseconds_);
    if (time) to.last_handshake = *time;
    return time.has_value();
  }

  ObservedDevice device_{};
  int64_t seconds_ = 0, nanoseconds_ = 0;  // of the peer that is being read
};

Result<void> verdict(std::string_view value) {
  if (value.starts_with('-')) value.remove_prefix(1);
  const auto code = parse_number(value, kMaxErrno);
  if (!code) return fail(EBADMSG, "malformed errno");
  if (*code == 0) return {};
  const int e = static_cast<int>(*code);
  const char* name = ::strerrorname_np(e);
  return fail(e, (name ? name : std::to_string(e)) + ": " + ::strerror(e));
}

// take(key, value) -> bool for each line up to "errno", whose verdict is the result.
// Values are not quoted in errors: they may be keys.
Result<void> read_lines(std::string_view text, auto take) {
  while (!text.empty()) {
    const size_t end = text.find('\n');
    if (end == std::string_view::npos) break;
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    const size_t equals = line.find('=');
    if (equals == std::string_view::npos) break;
    const auto key = line.substr(0, equals), value = line.substr(equals + 1);
    if (key == "errno") return verdict(value);
    if (!take(key, value))
      return fail(EBADMSG, "malformed " + std::string(key.substr(0, 64)));
  }
  return fail(EBADMSG, "the reply is cut short");
}

}  // namespace

Result<ObservedDevice> decode_get(std::string_view reply) {
  Reader reader;
  TRY(read_lines(reply, [&](auto key, auto value) { return reader.take(key, value); }));
  return std::move(reader).finish();
}

Result<void> decode_set(std::string_view reply) {
  return read_lines(reply, [](auto, auto) { return true; });
}

}  // namespace wigeon::netlink::uapi
