// SPDX-License-Identifier: GPL-2.0-or-later
#include "dns/answer.hh"

#include <algorithm>
#include <array>
#include <optional>

#include "dns/scrub.hh"
#include "dns/special.hh"

namespace wigeon::dns {
namespace {

using Kind = Answer::Kind;

// A reply being written into the caller's buffer: the sections in order, then finish().
class Reply {
 public:
  Reply(const Asked& asked, std::span<uint8_t> out)
      : asked_(asked), writer_(out.first(std::min<size_t>(out.size(), asked.limit))) {
    // Room for the OPT record is kept until finish().
    if (asked_.edns) writer_.keep_back(kOptSize);
    write_head(writer_, asked_.id, 0, asked_.question);
    after_question_ = writer_.mark();
  }
  Writer& writer() { return writer_; }
  void set(uint16_t flags) { flags_ = static_cast<uint16_t>(flags_ | flags); }
  void clear(uint16_t flags) { flags_ = static_cast<uint16_t>(flags_ & ~flags); }
  void rcode(uint16_t rcode) { rcode_ = rcode; }

  // One record; a record that does not fit cuts the reply off (see finish()).
  void record(Bytes owner, uint16_t t, uint32_t ttl, auto rdata, uint16_t& count) {
    writer_.name(owner);
    writer_.u16(t);
    writer_.u16(klass::kIn);
    writer_.u32(ttl);
    rdata(writer_);
    ++count;
  }
  void answer(Bytes owner, uint16_t t, uint32_t ttl, Bytes rdata) {
    record(
        owner, t, ttl, [&](Writer& w) { write_rdata(w, t, rdata); }, answers_);
  }
  uint16_t& answers() { return answers_; }
  uint16_t& authorities() { return authorities_; }

  size_t finish(const ExtendedError& why = {}) {
    if (writer_.full()) {
      // Nothing but the question: part of a set must not be taken for the whole.
      set(flag::kTc);
      answers_ = authorities_ = 0;
      writer_.rewind(after_question_);
    }
    if (asked_.edns) {
      writer_.keep_back(0);
      const Edns edns{.extended_rcode = static_cast<uint8_t>(rcode_ >> 4),
                      .dnssec_ok = asked_.dnssec_ok};
      const auto before = writer_.mark();
      write_opt(writer_, edns, why);
      if (writer_.full()) {
        writer_.rewind(before);
        write_opt(writer_, edns);
      }
    }
    const auto kept =
        static_cast<uint16_t>(asked_.flags & (flag::kOpcode | flag::kRd | flag::kCd));
    writer_.patch_u16(2, static_cast<uint16_t>(flag::kQr | flag::kRa | kept | flags_ |
                                               (rcode_ & flag::kRcode)));
    writer_.patch_u16(6, answers_);
    writer_.patch_u16(8, authorities_);
    writer_.patch_u16(10, asked_.edns ? 1 : 0);
    return writer_.size();
  }

 private:
  const Asked& asked_;
  Writer writer_;
  Writer::Mark after_question_{};
  uint16_t flags_ = 0;
  uint16_t rcode_ = rcode::kNoError;
  uint16_t answers_ = 0;
  uint16_t authorities_ = 0;
};

// Header only: for queries whose question we cannot or will not read.
size_t bare(const Header& query, uint16_t rcode, std::span<uint8_t> out) {
  Writer w(out);
  w.u16(query.id);
  w.u16(static_cast<uint16_t>(flag::kQr | (query.flags & (flag::kOpcode | flag::kRd)) |
                              rcode));
  for (int i = 0; i < 4; ++i) w.u16(0);
  return w.size();
}

// The SOA record that says how long "no" holds (RFC 2308 §3), or the zone's own when
// asked for. Made up when the zone has none.
void put_soa(Reply& reply, Bytes apex, const Zones::Set& own, uint16_t& count,
             bool negative) {
  if (own.count > 0) {
    own.each(0, [&](Bytes rdata) {
      const uint32_t minimum = load32(rdata.last(4).data());
      const uint32_t ttl = negative ? std::min(own.ttl, minimum) : own.ttl;
      reply.record(
          apex, type::kSoa, ttl, [&](Writer& w) { write_rdata(w, type::kSoa, rdata); },
          count);
    });
    return;
  }
  reply.record(
      apex, type::kSoa, kNegativeTtl,
      [&](Writer& w) {
        const size_t length_at = w.size();
        w.u16(0);
        w.name(apex);
        constexpr std::string_view kMailbox = "hostmaster";
        if (apex.size() + kMailbox.size() + 1 <= kMaxName) {
          w.u8(static_cast<uint8_t>(kMailbox.size()));
          w.bytes({reinterpret_cast<const uint8_t*>(kMailbox.data()), kMailbox.size()});
        }
        w.name(apex);
        for (const uint32_t v : {1u, 3600u, 600u, 86400u, kNegativeTtl}) w.u32(v);
        if (!w.full())
          w.patch_u16(length_at, static_cast<uint16_t>(w.size() - length_at - 2));
      },
      count);
}

constexpr uint32_t kSpecialTtl = 86400;

bool put_special(Reply& reply, Bytes name, uint16_t t) {
  const auto found = special(name, t);
  if (!found) return false;
  reply.set(flag::kAa);
  if (found->type != 0) {
    reply.answer(name, found->type, kSpecialTtl, found->rdata);
  } else {
    if (!found->exists) reply.rcode(rcode::kNxDomain);
    put_soa(reply, found->apex, {}, reply.authorities(), true);
  }
  return true;
}

// Where a chain of aliases leaves our zones.
struct End {
  Name name{};           // in lower case
  bool in_zone = false;  // of ours, which does not have it and leaves it to others
};

// Follows the name through our zones and writes what they say. False when the chain ends
// at a name that they leave open.
bool put_local(Reply& reply, const Question& q, const Zones& zones, uint32_t turn,
               End& open) {
  Name& end = open.name;
  end = q.name.lowered();
  std::array<Bytes, kMaxAliases + 1> seen{q.name.wire()};
  for (int aliases = 0;; ++aliases) {
    const Bytes name = end.wire();
    const auto found = zones.find(name, q.type);
    switch (found.kind) {
      case Zones::Found::Kind::outside:
        return put_special(reply, name, q.type);
      case Zones::Found::Kind::set:
        reply.set(flag::kAa);
        found.set.each(turn, [&](Bytes rdata) {
          reply.answer(name, found.set.type, found.set.ttl, rdata);
        });
        return true;
      case Zones::Found::Kind::no_name:
        open.in_zone = !found.authoritative;
        if (open.in_zone) return false;
        reply.rcode(rcode::kNxDomain);
        [[fallthrough]];
      case Zones::Found::Kind::no_data:
        reply.set(flag::kAa);
        if (q.type == type::kSoa && found.at_apex)
          put_soa(reply, found.apex, zones.soa_of(found), reply.answers(), false);
        else
          put_soa(reply, found.apex, zones.soa_of(found), reply.authorities(), true);
        return true;
      case Zones::Found::Kind::alias:
        break;
    }
    // A chain that is too long or bites its tail is given as far as it was followed.
    if (aliases == kMaxAliases) return true;
    reply.set(flag::kAa);
    Bytes target;
    found.set.each(0, [&](Bytes rdata) {
      reply.answer(name, type::kCname, found.set.ttl, rdata);
      target = rdata;
    });
    const auto last = seen.begin() + aliases + 1;
    if (std::any_of(seen.begin(), last, [&](Bytes b) { return same_name(b, target); }))
      return true;
    *last = target;
    end = Name::from_wire(target)->lowered();
  }
}

// RFC 6895: types that only mean something as a question, and those that never do.
std::optional<uint16_t> refused_type(uint16_t t) {
  switch (t) {
    case 0:
    case type::kOpt:
    case type::kTkey:
    case type::kTsig:
      return rcode::kFormErr;
    case type::kIxfr:
    case type::kAxfr:
      return rcode::kRefused;
    case type::kMailb:
    case type::kMaila:
      return rcode::kNotImp;
    default:
      return std::nullopt;
  }
}

// Everything after the header. Fails when it cannot be parsed; opt is the OPT record
// found.
Result<void> read_query(Reader& in, const Header& h, Question& question,
                        std::optional<Edns>& opt) {
  question = TRY(in.question());
  for (int left = h.answers + h.authorities; left > 0; --left) TRY(in.record());
  for (int left = h.additionals; left > 0; --left) {
    const auto record = TRY(in.record());
    if (record.type != type::kOpt) continue;
    if (opt || !record.name.is_root()) return fail(EBADMSG, "more than one OPT record");
    opt = read_opt(record);
  }
  if (!in.at_end()) return fail(EBADMSG, "bytes are left over");
  return {};
}

}  // namespace

Answer answer(Bytes query, Transport transport, Asker asker, const Zones& zones,
              uint32_t turn, std::span<uint8_t> out, Asked& asked, Question& wanted) {
  Reader in(query);
  const auto header = in.header();
  if (!header || (header->flags & flag::kQr)) return {};
  if (header->flags & flag::kOpcode)
    return {Kind::reply, bare(*header, rcode::kNotImp, out)};
  if (header->questions != 1) return {Kind::reply, bare(*header, rcode::kFormErr, out)};
  std::optional<Edns> opt;
  if (!read_query(in, *header, asked.question, opt))
    return {Kind::reply, bare(*header, rcode::kFormErr, out)};

  asked.id = header->id;
  asked.flags = header->flags;
  asked.edns = opt.has_value();
  asked.dnssec_ok = opt && opt->dnssec_ok;
  asked.limit = transport == Transport::tcp ? static_cast<uint16_t>(kMaxMessage)
                : opt ? std::clamp(opt->udp_payload, kMinUdpPayload, kUdpPayload)
                      : kMinUdpPayload;
  if (asker == Asker::peer && transport == Transport::udp)
    asked.limit = static_cast<uint16_t>(
        std::min<size_t>(asked.limit, query.size() * kMaxAmplification));
  Reply reply(asked, out);
  const Question& q = asked.question;
  if (opt && opt->version > 0) {
    reply.rcode(rcode::kBadVers);
  } else if (q.klass != klass::kIn && q.klass != klass::kAny) {
    reply.rcode(rcode::kRefused);
  } else if (const auto refused = refused_type(q.type)) {
    reply.rcode(*refused);
  } else if (End end; !put_local(reply, q, zones, turn, end)) {
    // The client's spelling of the name travels on; a target has none.
    wanted = {end.name == q.name ? q.name : end.name, q.type, q.klass};
    return {Kind::ask, 0, end.in_zone};
  }
  return {Kind::reply, reply.finish()};
}

namespace {

// The upstream's reply for the client's own question: same bytes from the question's end
// up to its OPT record, which concerned us and not the client. Records behind OPT go too:
// they could only be signatures over the whole message (RFC 8945, RFC 2931).
size_t relay(const Asked& asked, Bytes upstream, std::span<uint8_t> out) {
  Reader in(upstream);
  const auto header = in.header();
  if (!header || header->questions != 1) return 0;
  const auto question = in.question();
  if (!question || *question != asked.question) return 0;
  const size_t body = in.at();
  for (int left = header->answers + header->authorities; left > 0; --left)
    if (!in.record()) return 0;
  uint16_t extended = 0;
  ExtendedError why;
  uint16_t kept = 0;
  size_t end = in.at();
  for (; kept < header->additionals; ++kept) {
    const auto record = in.record();
    if (!record) return 0;
    if (record->type == type::kOpt) {
      extended = read_opt(*record).extended_rcode;
      why = read_extended_error(*record);
      break;
    }
    end = in.at();
  }
  Reply reply(asked, out);
  reply.rcode(static_cast<uint16_t>(extended << 4 | (header->flags & flag::kRcode)));
  // RFC 6840 §5.8: AD only for clients that understand it.
  if (asked.dnssec_ok || (asked.flags & flag::kAd))
    reply.set(static_cast<uint16_t>(header->flags & flag::kAd));
  if (header->flags & flag::kTc) reply.set(flag::kTc);
  Writer& w = reply.writer();
  // Pointers stay good: the question we wrote differs from theirs in case at most.
  w.bytes(upstream.subspan(body, end - body));
  const bool whole = !w.full();
  const size_t size = reply.finish(why);
  if (!whole) return size;
  Writer counts(out);
  counts.patch_u16(6, header->answers);
  counts.patch_u16(8, header->authorities);
  counts.patch_u16(10, static_cast<uint16_t>(kept + (asked.edns ? 1 : 0)));
  return size;
}

// Rdata with its names written out: of the types that chains are made of without the
// heap, since aliases of ours are answered from the cache too.
class Expanded {
 public:
  static Result<Expanded> of(Bytes message, const Record& r) {
    Expanded e;
    switch (r.type) {
      case type::kA:
      case type::kAaaa:
        e.raw_ = r.rdata;
        break;
      case type::kCname: {
        size_t at = r.rdata_at;
        e.name_ = TRY(read_name(message.first(at + r.rdata.size()), at));
        e.is_name_ = true;
        break;
      }
      default:
        e.heap_ = TRY(expand_rdata(message, r));
    }
    return e;
  }
  [[nodiscard]] Bytes bytes() const {
    return is_name_ ? name_.wire() : raw_.empty() ? Bytes(heap_) : raw_;
  }

 private:
  Bytes raw_{};
  Name name_{};
  bool is_name_ = false;
  std::vector<uint8_t> heap_{};
};

// The upstream's reply behind our part of the chain. The zones may have changed since, so
// that the chain ends elsewhere now.
Result<void> append(Reply& reply, Bytes upstream, const Name& end, ExtendedError& why) {
  Reader in(upstream);
  const auto header = TRY(in.header());
  if (header.questions != 1) return fail(EBADMSG, "no question");
  const auto question = TRY(in.question());
  if (question.name != end) return fail(EBADMSG, "another question");
  reply.rcode(header.flags & flag::kRcode);
  reply.clear(flag::kAa);
  const auto copy = [&](const Record& r, uint16_t& count) -> Result<void> {
    const auto rdata = TRY(Expanded::of(upstream, r));
    reply.record(
        r.name.wire(), r.type, r.ttl,
        [&](Writer& w) { write_rdata(w, r.type, rdata.bytes()); }, count);
    return {};
  };
  for (int left = header.answers; left > 0; --left) {
    const auto r = TRY(in.record());
    TRY(copy(r, reply.answers()));
  }
  for (int left = header.authorities; left > 0; --left) {
    const auto r = TRY(in.record());
    TRY(copy(r, reply.authorities()));
  }
  for (int left = header.additionals; left > 0; --left) {
    const auto r = TRY(in.record());
    if (r.type == type::kOpt) why = read_extended_error(r);
  }
  return {};
}

}  // namespace

size_t complete(const Asked& asked, Bytes upstream, const Zones& zones, uint32_t turn,
                std::span<uint8_t> out) {
  Reply reply(asked, out);
  End end;
  if (put_local(reply, asked.question, zones, turn, end)) return reply.finish();
  if (reply.answers() == 0) {
    const size_t size = relay(asked, upstream, out);
    return size > 0 ? size : give_up(asked, {}, zones, turn, out);
  }
  ExtendedError why;
  if (!append(reply, upstream, end.name, why))
    return give_up(asked, {}, zones, turn, out);
  return reply.finish(why);
}

size_t complete(const Asked& asked, const Kept& kept, const Aging& aging, uint32_t turn,
                std::span<uint8_t> out) {
  Reply reply(asked, out);
  reply.rcode(kept.rcode);
  // RFC 6840 §5.8 again; signatures may be over when the answer is.
  const bool wants_ad = asked.dnssec_ok || (asked.flags & flag::kAd);
  if (kept.authentic && wants_ad && !aging.is_stale) reply.set(flag::kAd);
  Writer& w = reply.writer();
  const size_t begin = w.size();
  const size_t shift = kept.turning > 1 ? turn % kept.turning * kept.stride : 0;
  const Bytes all = kept.records;
  const Bytes set = all.subspan(kept.turn_at, size_t{kept.turning} * kept.stride);
  w.bytes(all.first(kept.turn_at));
  w.bytes(set.subspan(shift));
  w.bytes(set.first(shift));
  w.bytes(all.subspan(kept.turn_at + set.size()));
  if (!w.full())
    age_records(out.subspan(begin, w.size() - begin), kept.answers + kept.authorities,
                aging);
  reply.answers() = kept.answers;
  reply.authorities() = kept.authorities;
  if (!aging.is_stale) return reply.finish({kept.extended_error, {}});
  // RFC 8914 §4.4 and §4.20.
  constexpr uint16_t kStaleAnswer = 3, kStaleNxDomain = 19;
  const uint16_t code = kept.rcode == rcode::kNxDomain ? kStaleNxDomain : kStaleAnswer;
  return reply.finish({static_cast<ExtendedError::Code>(code),
                       "past its time, since the upstream servers fail"});
}

size_t give_up(const Asked& asked, const ExtendedError& why, const Zones& zones,
               uint32_t turn, std::span<uint8_t> out) {
  Reply reply(asked, out);
  End end;
  // Zones may have changed since: what they say now is better than a failure.
  if (!put_local(reply, asked.question, zones, turn, end)) {
    reply.rcode(rcode::kServFail);
    reply.clear(flag::kAa);
  }
  return reply.finish(why);
}

}  // namespace wigeon::dns
