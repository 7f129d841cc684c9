// SPDX-License-Identifier: GPL-2.0-or-later
#include "dns/message.hh"

#include <cstring>

namespace wigeon::dns {
namespace {

std::unexpected<Error> cut_off() { return fail(EBADMSG, "cut off"); }

// How rdata of a type is laid out: some bytes, some names, the rest.
struct Layout {
  size_t head = 0;
  int names = 0;
  bool compress = true;  // RFC 3597 §4: only the types of RFC 1035
};

Layout layout(uint16_t t) {
  switch (t) {
    case type::kNs:
    case type::kCname:
    case type::kPtr:
      return {0, 1, true};
    case type::kSoa:
      return {0, 2, true};
    case type::kMx:
      return {2, 1, true};
    case type::kSrv:
      return {6, 1, false};
    case type::kDname:
      return {0, 1, false};
    default:
      return {};
  }
}

// The length field around what `body` writes.
void with_length(Writer& out, auto body) {
  const size_t at = out.size();
  out.u16(0);
  body();
  if (!out.full()) out.patch_u16(at, static_cast<uint16_t>(out.size() - at - 2));
}

}  // namespace

Result<Name> read_name(Bytes m, size_t& at) {
  Name name;
  size_t pos = at;
  size_t floor = at;  // the next pointer must lead before this
  int jumps = 0;
  for (;;) {
    if (pos >= m.size()) return cut_off();
    const uint8_t length = m[pos];
    if ((length & 0xc0) == 0xc0) {
      if (pos + 1 >= m.size()) return cut_off();
      const size_t target = load16(m.data() + pos) & 0x3fff;
      if (jumps == 0) at = pos + 2;
      if (target >= floor || target < kHeaderSize)
        return fail(EBADMSG, "a compression pointer does not lead backwards");
      if (++jumps > kMaxJumps) return fail(EBADMSG, "too many compression pointers");
      floor = pos = target;
      continue;
    }
    if (length > kMaxLabel) return fail(EBADMSG, "unknown label type");
    if (length == 0) {
      if (jumps == 0) at = pos + 1;
      return name;
    }
    if (pos + 1 + length > m.size()) return cut_off();
    if (!name.append(m.subspan(pos + 1, length)))
      return fail(EBADMSG, "a name is longer than 255 bytes");
    pos += 1u + length;
  }
}

Result<uint16_t> Reader::u16() {
  if (message_.size() - at_ < 2) return cut_off();
  at_ += 2;
  return load16(message_.data() + at_ - 2);
}

Result<uint32_t> Reader::u32() {
  const uint32_t high = TRY(u16());
  return high << 16 | TRY(u16());
}

Result<Header> Reader::header() {
  if (message_.size() < kHeaderSize) return cut_off();
  at_ = kHeaderSize;
  const uint8_t* h = message_.data();
  return Header{load16(h),     load16(h + 2), load16(h + 4),
                load16(h + 6), load16(h + 8), load16(h + 10)};
}

Result<Question> Reader::question() {
  Result<Question> q{std::in_place};
  q->name = TRY(read_name(message_, at_));
  q->type = TRY(u16());
  q->klass = TRY(u16());
  return q;
}

Result<Record> Reader::record() {
  Result<Record> r{std::in_place};
  r->name = TRY(read_name(message_, at_));
  r->type = TRY(u16());
  r->klass = TRY(u16());
  r->ttl = TRY(u32());
  const size_t length = TRY(u16());
  if (message_.size() - at_ < length) return cut_off();
  r->rdata = message_.subspan(at_, length);
  r->rdata_at = at_;
  at_ += length;
  return r;
}

void Writer::bytes(Bytes b) {
  if (b.empty() || !fits(b.size())) return;
  std::memcpy(out_.data() + at_, b.data(), b.size());
  at_ += b.size();
}

void Writer::patch_u16(size_t at, uint16_t v) { store16(out_.data() + at, v); }

void Writer::rewind(Mark m) {
  at_ = m.at;
  suffix_count_ = m.suffixes;
  full_ = false;
}

bool Writer::suffix_is(size_t offset, Bytes name) const {
  for (;;) {
    const uint8_t length = out_[offset];
    if ((length & 0xc0) == 0xc0) {
      offset = load16(out_.data() + offset) & 0x3fff;
      continue;
    }
    if (length != name[0]) return false;
    if (length == 0) return true;
    for (size_t i = 1; i <= length; ++i)
      if (lower(out_[offset + i]) != lower(name[i])) return false;
    offset += 1u + length;
    name = parent(name);
  }
}

void Writer::name(Bytes wire) {
  // Remembered only once the whole name is there: suffix_is() runs to a name's end.
  std::array<uint16_t, kMaxName / 2> begun;
  size_t count = 0;
  const auto find = [&](Bytes suffix) -> size_t {
    for (size_t i = 0; i < suffix_count_; ++i)
      if (suffix_is(suffixes_[i], suffix)) return suffixes_[i];
    return 0;
  };
  size_t known = 0;
  for (; wire.size() > 1 && (known = find(wire)) == 0; wire = parent(wire)) {
    begun[count++] = static_cast<uint16_t>(at_);
    bytes(wire.first(1u + wire[0]));
  }
  known ? u16(static_cast<uint16_t>(0xc000 | known)) : u8(0);
  if (full_) return;
  for (size_t i = 0; i < count && suffix_count_ < suffixes_.size(); ++i)
    if (begun[i] < 0x4000) suffixes_[suffix_count_++] = begun[i];
}

Edns read_opt(const Record& opt) {
  return {.udp_payload = opt.klass,
          .extended_rcode = static_cast<uint8_t>(opt.ttl >> 24),
          .version = static_cast<uint8_t>(opt.ttl >> 16),
          .dnssec_ok = (opt.ttl & 0x8000) != 0};
}

void write_opt(Writer& out, const Edns& e, const ExtendedError& why) {
  out.u8(0);
  out.u16(type::kOpt);
  out.u16(e.udp_payload);
  out.u8(e.extended_rcode);
  out.u8(e.version);
  out.u16(e.dnssec_ok ? 0x8000 : 0);
  with_length(out, [&] {
    if (why.code == ExtendedError::Code::none) return;
    out.u16(kExtendedErrorOption);
    out.u16(static_cast<uint16_t>(2 + why.text.size()));
    out.u16(static_cast<uint16_t>(why.code));
    out.bytes({reinterpret_cast<const uint8_t*>(why.text.data()), why.text.size()});
  });
}

void write_head(Writer& out, uint16_t id, uint16_t flags, const Question& q,
                uint16_t additionals) {
  out.u16(id);
  out.u16(flags);
  out.u16(1);
  out.u16(0);
  out.u16(0);
  out.u16(additionals);
  out.name(q.name.wire());
  out.u16(q.type);
  out.u16(q.klass);
}

std::vector<uint8_t> make_query(uint16_t id, uint16_t flags, const Question& q,
                                const std::optional<Edns>& edns) {
  std::vector<uint8_t> bytes(kHeaderSize + kMaxName + 4 + kOptSize);
  Writer w(bytes);
  write_head(w, id, flags, q, edns ? 1 : 0);
  if (edns) write_opt(w, *edns);
  bytes.resize(w.size());
  return bytes;
}

void write_rdata(Writer& out, uint16_t t, Bytes rdata) {
  const Layout l = layout(t);
  with_length(out, [&] {
    if (l.names == 0 || !l.compress) return out.bytes(rdata);
    out.bytes(rdata.first(l.head));
    rdata = rdata.subspan(l.head);
    for (int i = 0; i < l.names; ++i) {
      size_t size = 1;
      for (Bytes rest = rdata; rest[0] != 0; rest = rest.subspan(1u + rest[0]))
        size += 1u + rest[0];
      out.name(rdata.first(size));
      rdata = rdata.subspan(size);
    }
    out.bytes(rdata);
  });
}

Result<std::vector<uint8_t>> expand_rdata(Bytes message, const Record& record) {
  const Layout l = layout(record.type);
  if (record.rdata.size() < l.head) return cut_off();
  std::vector<uint8_t> out(record.rdata.begin(),
                           record.rdata.begin() + static_cast<ptrdiff_t>(l.head));
  size_t at = record.rdata_at + l.head;
  const size_t end = record.rdata_at + record.rdata.size();
  for (int i = 0; i < l.names; ++i) {
    // Names may point out of the rdata, but must end in it.
    const Name name = TRY(read_name(message.first(end), at));
    out.insert(out.end(), name.wire().begin(), name.wire().end());
  }
  const Bytes rest = message.subspan(at, end - at);
  out.insert(out.end(), rest.begin(), rest.end());
  return out;
}

}  // namespace wigeon::dns
