// SPDX-License-Identifier: GPL-2.0-or-later
#include "dns/control.hh"

#include "dns/bytes.hh"

namespace wigeon::dns {
namespace {

enum class Tag : uint8_t {
  listen = 1,
  configure,
  ask_statistics,
  hello = 16,
  listening,
  applied,
  refused,
  tell_statistics,
};

ByteWriter begin(Tag tag) {
  ByteWriter out;
  out.put(static_cast<uint8_t>(tag));
  return out;
}

void put_listener(ByteWriter& out, Transport transport, const Endpoint& endpoint) {
  out.put(static_cast<uint8_t>(transport));
  out.endpoint(endpoint);
}

Result<ListenerInfo> get_listener(ByteReader& in) {
  const auto transport = TRY(in.get<uint8_t>());
  if (transport > static_cast<uint8_t>(Transport::tcp))
    return fail(EBADMSG, "not a transport");
  return ListenerInfo{static_cast<Transport>(transport), TRY(in.endpoint())};
}

std::string_view cut(std::string_view s) { return s.substr(0, kMaxReason); }

// The plain counters of Statistics, in the order of the wire.
std::array<uint64_t Statistics::*, 12> counters() {
  return {&Statistics::queries,    &Statistics::dropped,
          &Statistics::no_data,    &Statistics::truncated,
          &Statistics::forwarded,  &Statistics::shared,
          &Statistics::unanswered, &Statistics::tcp_accepted,
          &Statistics::tcp_open,   &Statistics::tcp_closed_for_room,
          &Statistics::zones,      &Statistics::names};
}

struct Encoder {
  std::vector<uint8_t> operator()(const Listen& m) const {
    auto out = begin(Tag::listen);
    out.put(static_cast<uint32_t>(m.listeners.size()));
    for (const auto& l : m.listeners) put_listener(out, l.transport, l.endpoint);
    return std::move(out).take();
  }
  std::vector<uint8_t> operator()(const Configure& m) const {
    auto out = begin(Tag::configure);
    out.put(m.generation);
    return std::move(out).take();
  }
  std::vector<uint8_t> operator()(const AskStatistics&) const {
    return begin(Tag::ask_statistics).take();
  }
  std::vector<uint8_t> operator()(const Hello& m) const {
    auto out = begin(Tag::hello);
    out.text(cut(m.sandbox));
    return std::move(out).take();
  }
  std::vector<uint8_t> operator()(const Listening& m) const {
    auto out = begin(Tag::listening);
    out.text(cut(m.failure));
    return std::move(out).take();
  }
  std::vector<uint8_t> operator()(const Applied& m) const {
    auto out = begin(Tag::applied);
    for (const uint32_t v : {m.generation, m.zones, m.names}) out.put(v);
    out.put(static_cast<uint32_t>(m.dropped_upstreams.size()));
    for (const auto& e : m.dropped_upstreams) out.endpoint(e);
    return std::move(out).take();
  }
  std::vector<uint8_t> operator()(const Refused& m) const {
    auto out = begin(Tag::refused);
    out.put(m.generation);
    out.text(cut(m.reason));
    return std::move(out).take();
  }
  std::vector<uint8_t> operator()(const TellStatistics& m) const {
    auto out = begin(Tag::tell_statistics);
    const auto& s = m.statistics;
    for (const auto counter : counters()) out.put(s.*counter);
    out.put(s.zone_bytes);
    for (const uint64_t n : s.rcodes) out.put(n);
    out.put(static_cast<uint32_t>(s.listeners.size()));
    for (const auto& l : s.listeners) {
      put_listener(out, l.transport, l.endpoint);
      for (const uint64_t n : {l.queries, l.replies, l.refused}) out.put(n);
    }
    return std::move(out).take();
  }
};

Result<Listen> get_listen(ByteReader& in) {
  Listen m;
  const size_t n = TRY(in.count(kMaxListeners, "listeners"));
  for (size_t i = 0; i < n; ++i) m.listeners.push_back(TRY(get_listener(in)));
  return m;
}

Result<Applied> get_applied(ByteReader& in) {
  Applied m;
  m.generation = TRY(in.get<uint32_t>());
  m.zones = TRY(in.get<uint32_t>());
  m.names = TRY(in.get<uint32_t>());
  const size_t n = TRY(in.count(kMaxUpstreams, "upstreams"));
  for (size_t i = 0; i < n; ++i) m.dropped_upstreams.push_back(TRY(in.endpoint()));
  return m;
}

Result<TellStatistics> get_statistics(ByteReader& in) {
  TellStatistics m;
  auto& s = m.statistics;
  for (const auto counter : counters()) s.*counter = TRY(in.get<uint64_t>());
  s.zone_bytes = TRY(in.get<uint64_t>());
  for (uint64_t& n : s.rcodes) n = TRY(in.get<uint64_t>());
  const size_t n = TRY(in.count(kMaxListeners, "listeners"));
  for (size_t i = 0; i < n; ++i) {
    const auto info = TRY(get_listener(in));
    ListenerStatistics l{.transport = info.transport, .endpoint = info.endpoint};
    for (auto* counter : {&l.queries, &l.replies, &l.refused})
      *counter = TRY(in.get<uint64_t>());
    s.listeners.push_back(l);
  }
  return m;
}

template <class Message>
Result<Message> whole(ByteReader& in, auto message) {
  if (!message) return std::unexpected(std::move(message).error());
  TRY(in.end());
  return Message(std::move(*message));
}

}  // namespace

std::vector<uint8_t> encode(const ToResolver& message) {
  return std::visit(Encoder{}, message);
}
std::vector<uint8_t> encode(const ToDaemon& message) {
  return std::visit(Encoder{}, message);
}

Result<ToResolver> decode_to_resolver(Bytes packet) {
  ByteReader in(packet);
  switch (static_cast<Tag>(TRY(in.get<uint8_t>()))) {
    case Tag::listen:
      return whole<ToResolver>(in, get_listen(in));
    case Tag::configure:
      return whole<ToResolver>(in, Result<Configure>{Configure{TRY(in.get<uint32_t>())}});
    case Tag::ask_statistics:
      return whole<ToResolver>(in, Result<AskStatistics>{});
    default:
      return fail(EBADMSG, "unknown message");
  }
}

Result<ToDaemon> decode_to_daemon(Bytes packet) {
  ByteReader in(packet);
  switch (static_cast<Tag>(TRY(in.get<uint8_t>()))) {
    case Tag::hello:
      return whole<ToDaemon>(in, Result<Hello>{Hello{TRY(in.text(kMaxReason))}});
    case Tag::listening:
      return whole<ToDaemon>(in, Result<Listening>{Listening{TRY(in.text(kMaxReason))}});
    case Tag::applied:
      return whole<ToDaemon>(in, get_applied(in));
    case Tag::refused: {
      const auto generation = TRY(in.get<uint32_t>());
      return whole<ToDaemon>(
          in, Result<Refused>{Refused{generation, TRY(in.text(kMaxReason))}});
    }
    case Tag::tell_statistics:
      return whole<ToDaemon>(in, get_statistics(in));
    default:
      return fail(EBADMSG, "unknown message");
  }
}

}  // namespace wigeon::dns
