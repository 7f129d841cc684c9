// SPDX-License-Identifier: GPL-2.0-or-later
#include "dns/control.hh"

#include "dns/control_parts.hh"

namespace wigeon::dns {
namespace {

enum class Tag : uint8_t {
  listen = 1,
  configure,
  ask_statistics,
  flush,
  query,
  hello = 16,
  listening,
  applied,
  refused,
  tell_statistics,
  flushed,
  traced,
};

ByteWriter begin(Tag tag) {
  ByteWriter out;
  out.put(static_cast<uint8_t>(tag));
  return out;
}

using namespace control_parts;

void put_listeners(ByteWriter& out, const std::vector<ListenerInfo>& listeners) {
  const auto sent = first(listeners, kMaxListeners);
  out.put(static_cast<uint32_t>(sent.size()));
  for (const auto& l : sent) put_listener(out, l.transport, l.endpoint);
}

Result<std::vector<ListenerInfo>> get_listeners(ByteReader& in) {
  std::vector<ListenerInfo> listeners;
  const size_t n = TRY(in.count(kMaxListeners, "listeners"));
  for (size_t i = 0; i < n; ++i) listeners.push_back(TRY(get_listener(in)));
  return listeners;
}

struct Encoder {
  std::vector<uint8_t> operator()(const Listen& m) const {
    auto out = begin(Tag::listen);
    put_listeners(out, m.open);
    put_listeners(out, m.keep);
    for (const bool b : {m.reply_v4, m.reply_v6, m.keep_replies}) out.flag(b);
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
    out.text(reason(m.sandbox));
    return std::move(out).take();
  }
  std::vector<uint8_t> operator()(const Listening& m) const {
    auto out = begin(Tag::listening);
    out.text(reason(m.failure));
    put_listeners(out, m.listeners);
    for (const bool b : {m.reply_v4, m.reply_v6}) out.flag(b);
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
    out.text(reason(m.reason));
    return std::move(out).take();
  }
  std::vector<uint8_t> operator()(const TellStatistics& m) const {
    auto out = begin(Tag::tell_statistics);
    put(out, m.statistics);
    return std::move(out).take();
  }
  std::vector<uint8_t> operator()(const Flush& m) const {
    auto out = begin(Tag::flush);
    out.put(m.id);
    out.text(cut(m.name, kMaxNameText));
    return std::move(out).take();
  }
  std::vector<uint8_t> operator()(const Query& m) const {
    auto out = begin(Tag::query);
    out.put(m.id);
    out.text(cut(m.name, kMaxNameText));
    out.put(m.type);
    out.put(static_cast<uint8_t>(m.transport));
    return std::move(out).take();
  }
  std::vector<uint8_t> operator()(const Flushed& m) const {
    auto out = begin(Tag::flushed);
    out.put(m.id);
    out.put(m.entries);
    out.text(reason(m.failure));
    return std::move(out).take();
  }
  std::vector<uint8_t> operator()(const Traced& m) const {
    auto out = begin(Tag::traced);
    out.put(m.id);
    out.text(reason(m.failure));
    put(out, m.reply);
    put(out, m.trace);
    return std::move(out).take();
  }
};

Result<Listen> get_listen(ByteReader& in) {
  Listen m;
  m.open = TRY(get_listeners(in));
  m.keep = TRY(get_listeners(in));
  if (m.open.size() + m.keep.size() > kMaxListeners)
    return fail(E2BIG, "too many listeners");
  m.reply_v4 = TRY(in.flag());
  m.reply_v6 = TRY(in.flag());
  m.keep_replies = TRY(in.flag());
  return m;
}

Result<Listening> get_listening(ByteReader& in) {
  Listening m;
  m.failure = TRY(in.text(kMaxReason));
  m.listeners = TRY(get_listeners(in));
  m.reply_v4 = TRY(in.flag());
  m.reply_v6 = TRY(in.flag());
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

Result<Flush> get_flush(ByteReader& in) {
  const auto id = TRY(in.get<uint32_t>());
  return Flush{id, TRY(in.text(kMaxNameText))};
}

Result<Query> get_query(ByteReader& in) {
  Query m;
  m.id = TRY(in.get<uint32_t>());
  m.name = TRY(in.text(kMaxNameText));
  m.type = TRY(in.get<uint16_t>());
  m.transport = TRY(get_enum(in, Transport::tcp));
  return m;
}

Result<Flushed> get_flushed(ByteReader& in) {
  Flushed m;
  m.id = TRY(in.get<uint32_t>());
  m.entries = TRY(in.get<uint64_t>());
  m.failure = TRY(in.text(kMaxReason));
  return m;
}

Result<TellStatistics> get_tell_statistics(ByteReader& in) {
  return TellStatistics{TRY(get_statistics(in))};
}

Result<Traced> get_traced(ByteReader& in) {
  Traced m;
  m.id = TRY(in.get<uint32_t>());
  m.failure = TRY(in.text(kMaxReason));
  m.reply = TRY(get_reply_text(in));
  m.trace = TRY(get_trace(in));
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
    case Tag::flush:
      return whole<ToResolver>(in, get_flush(in));
    case Tag::query:
      return whole<ToResolver>(in, get_query(in));
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
      return whole<ToDaemon>(in, get_listening(in));
    case Tag::applied:
      return whole<ToDaemon>(in, get_applied(in));
    case Tag::refused: {
      const auto generation = TRY(in.get<uint32_t>());
      return whole<ToDaemon>(
          in, Result<Refused>{Refused{generation, TRY(in.text(kMaxReason))}});
    }
    case Tag::tell_statistics:
      return whole<ToDaemon>(in, get_tell_statistics(in));
    case Tag::flushed:
      return whole<ToDaemon>(in, get_flushed(in));
    case Tag::traced:
      return whole<ToDaemon>(in, get_traced(in));
    default:
      return fail(EBADMSG, "unknown message");
  }
}

}  // namespace wigeon::dns
