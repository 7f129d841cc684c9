// SPDX-License-Identifier: GPL-2.0-or-later
// What daemon and resolver say to each other over a SOCK_SEQPACKET socket pair, one
// message a packet. Descriptors travel beside it: listener sockets, and a sealed memfd
// for a configuration of any size, and for what the resolver tells when it does not fit
// a packet. When either side closes, the other knows that it is gone.
//
//   daemon → resolver   Listen + sockets, Configure + memfd, AskStatistics, Flush, Query
//   resolver → daemon   Hello, Listening, Applied, Refused, TellStatistics, Flushed,
//                       Traced
//
// The daemon must not trust the resolver, which reads hostile bytes all day: every
// message is decoded with limits on both sides.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "agent/base/owned.hh"
#include "dns/config.hh"
#include "dns/listeners.hh"
#include "dns/reply_text.hh"
#include "dns/statistics.hh"
#include "dns/trace.hh"

namespace wigeon::dns {

inline constexpr size_t kMaxPacket = 16 * 1024;
inline constexpr size_t kMaxReason = 1024;
inline constexpr size_t kMaxEnclosed = 8u << 20;  // a message that is in a memfd

// The whole of what to listen on, see dns/listener_change.hh. Beside it comes a socket
// for each of open, in this order, then the reply sockets.
struct Listen {
  std::vector<ListenerInfo> open{}, keep{};  // at most kMaxListeners together
  bool reply_v4 = false, reply_v6 = false;   // a reply socket comes
  bool keep_replies = false;
  friend bool operator==(const Listen&, const Listen&) = default;
};
struct Configure {
  uint32_t generation = 0;  // repeated in the reply
  friend bool operator==(const Configure&, const Configure&) = default;
};
struct AskStatistics {
  friend bool operator==(const AskStatistics&, const AskStatistics&) = default;
};
// Forgets what is cached of a name, or everything.
struct Flush {
  uint32_t id = 0;     // repeated in the reply
  std::string name{};  // empty: everything
  friend bool operator==(const Flush&, const Flush&) = default;
};
// Handled as a query of a client on this host.
struct Query {
  uint32_t id = 0;  // repeated in the reply
  std::string name{};
  uint16_t type = 0;
  Transport transport = Transport::udp;
  friend bool operator==(const Query&, const Query&) = default;
};

struct Hello {
  std::string sandbox{};  // how the resolver is confined, for `status`
  friend bool operator==(const Hello&, const Hello&) = default;
};
// To each Listen, in their order.
struct Listening {
  std::string failure{};  // empty: it is as wished; else nothing has changed
  std::vector<ListenerInfo> listeners{};    // which there are now
  bool reply_v4 = false, reply_v6 = false;  // there is a reply socket
  friend bool operator==(const Listening&, const Listening&) = default;
};
struct Applied {
  uint32_t generation = 0;
  uint32_t zones = 0;
  uint32_t names = 0;
  std::vector<Endpoint> dropped_upstreams{};  // they lead back to us
  friend bool operator==(const Applied&, const Applied&) = default;
};
struct Refused {
  uint32_t generation = 0;
  std::string reason{};
  friend bool operator==(const Refused&, const Refused&) = default;
};
struct TellStatistics {
  Statistics statistics{};
  friend bool operator==(const TellStatistics&, const TellStatistics&) = default;
};
struct Flushed {
  uint32_t id = 0;
  uint64_t entries = 0;
  std::string failure{};  // the name is none; nothing was flushed
  friend bool operator==(const Flushed&, const Flushed&) = default;
};
struct Traced {
  uint32_t id = 0;
  std::string failure{};  // else there is a reply
  ReplyText reply{};
  Trace trace{};
  friend bool operator==(const Traced&, const Traced&) = default;
};

using ToResolver = std::variant<Listen, Configure, AskStatistics, Flush, Query>;
using ToDaemon =
    std::variant<Hello, Listening, Applied, Refused, TellStatistics, Flushed, Traced>;

// Texts longer than their limit are cut, lists beyond it too. Decoding fails with EBADMSG
// or E2BIG.
std::vector<uint8_t> encode(const ToResolver& message);
std::vector<uint8_t> encode(const ToDaemon& message);
Result<ToResolver> decode_to_resolver(Bytes packet);
Result<ToDaemon> decode_to_daemon(Bytes packet);

struct Packet {
  std::vector<uint8_t> bytes{};
  std::vector<UniqueFd> fds{};
};
// Neither blocks: EAGAIN when the other side does not read, or has not written.
Result<void> send_packet(int socket, Bytes bytes, std::span<const int> fds);
// Nothing: the other side closed. EMSGSIZE: a packet was larger than allowed, and is
// lost.
Result<std::optional<Packet>> receive_packet(int socket);

// Resolver to daemon: in a packet, or in a sealed memfd when it is larger than that.
Result<void> tell(int socket, const ToDaemon& message);
// What tell() sent. Never blocks, whatever the descriptors are. EMSGSIZE: beyond
// kMaxEnclosed.
Result<ToDaemon> open_message(const Packet& packet);

}  // namespace wigeon::dns
