// SPDX-License-Identifier: GPL-2.0-or-later
// The larger parts of the messages between daemon and resolver. For control.cc alone.
#pragma once

#include "dns/bytes.hh"
#include "dns/control.hh"

namespace wigeon::dns::control_parts {

inline std::string_view cut(std::string_view s, size_t max) { return s.substr(0, max); }
inline std::string_view reason(std::string_view s) { return cut(s, kMaxReason); }

// The first elements of a list, as many as the other side takes.
template <class T>
std::span<const T> first(const std::vector<T>& list, size_t max) {
  return std::span(list).first(std::min(list.size(), max));
}

template <class E>
Result<E> get_enum(ByteReader& in, E last) {
  const auto n = TRY(in.get<uint8_t>());
  if (n > static_cast<uint8_t>(last)) return fail(EBADMSG, "no such value");
  return static_cast<E>(n);
}

inline void put_listener(ByteWriter& out, Transport transport, const Endpoint& endpoint) {
  out.put(static_cast<uint8_t>(transport));
  out.endpoint(endpoint);
}
inline Result<ListenerInfo> get_listener(ByteReader& in) {
  const auto transport = TRY(get_enum(in, Transport::tcp));
  return ListenerInfo{transport, TRY(in.endpoint())};
}

void put(ByteWriter& out, const Statistics& statistics);
Result<Statistics> get_statistics(ByteReader& in);

void put(ByteWriter& out, const ReplyText& reply);
Result<ReplyText> get_reply_text(ByteReader& in);

void put(ByteWriter& out, const Trace& trace);
Result<Trace> get_trace(ByteReader& in);

}  // namespace wigeon::dns::control_parts
