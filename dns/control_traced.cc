// SPDX-License-Identifier: GPL-2.0-or-later
#include "dns/control_parts.hh"

namespace wigeon::dns::control_parts {
namespace {

constexpr size_t kMaxTypeText = 16;  // "TYPE65535", "NSEC3PARAM"

}  // namespace

void put(ByteWriter& out, const ReplyText& r) {
  out.put(r.rcode);
  out.put(r.flags);
  out.put(r.size);
  const auto records = first(r.records, kMaxShownRecords);
  out.put(static_cast<uint32_t>(records.size()));
  for (const auto& record : records) {
    out.put(static_cast<uint8_t>(record.section));
    out.text(cut(record.name, kMaxNameText));
    out.put(record.ttl);
    out.text(cut(record.type, kMaxTypeText));
    out.text(cut(record.rdata, kMaxShownRdata));
  }
  out.put(r.left_out);
  const auto errors = first(r.errors, kMaxShownErrors);
  out.put(static_cast<uint32_t>(errors.size()));
  for (const auto& e : errors) {
    out.put(e.code);
    out.text(cut(e.text, kMaxShownRdata));
  }
}

Result<ReplyText> get_reply_text(ByteReader& in) {
  ReplyText r;
  r.rcode = TRY(in.get<uint16_t>());
  r.flags = TRY(in.get<uint16_t>());
  r.size = TRY(in.get<uint32_t>());
  const size_t records = TRY(in.count(kMaxShownRecords, "records"));
  for (size_t i = 0; i < records; ++i) {
    auto& record = r.records.emplace_back();
    record.section = TRY(get_enum(in, ReplyRecord::Section::additional));
    record.name = TRY(in.text(kMaxNameText));
    record.ttl = TRY(in.get<uint32_t>());
    record.type = TRY(in.text(kMaxTypeText));
    record.rdata = TRY(in.text(kMaxShownRdata));
  }
  r.left_out = TRY(in.get<uint32_t>());
  const size_t errors = TRY(in.count(kMaxShownErrors, "extended errors"));
  for (size_t i = 0; i < errors; ++i) {
    auto& e = r.errors.emplace_back();
    e.code = TRY(in.get<uint16_t>());
    e.text = TRY(in.text(kMaxShownRdata));
  }
  return r;
}

void put(ByteWriter& out, const Trace& t) {
  out.put(static_cast<uint8_t>(t.local));
  out.text(cut(t.zone, kMaxNameText));
  out.text(cut(t.wanted, kMaxNameText));
  out.put(static_cast<uint8_t>(t.source));
  out.text(cut(t.domain, kMaxNameText));
  for (const bool b : {t.fell, t.shared, t.withheld}) out.flag(b);
  out.put(static_cast<uint8_t>(t.cache));
  const auto attempts = first(t.attempts, kMaxAttempts);
  out.put(static_cast<uint32_t>(attempts.size()));
  for (const auto& a : attempts) {
    out.endpoint(a.server);
    out.put(a.sent);
    out.put(a.took);
    out.put(static_cast<uint8_t>(a.end));
  }
  out.put(t.took);
}

Result<Trace> get_trace(ByteReader& in) {
  Trace t;
  t.local = TRY(get_enum(in, Trace::Local::refused_type));
  t.zone = TRY(in.text(kMaxNameText));
  t.wanted = TRY(in.text(kMaxNameText));
  t.source = TRY(get_enum(in, Trace::Source::original));
  t.domain = TRY(in.text(kMaxNameText));
  for (bool* b : {&t.fell, &t.shared, &t.withheld}) *b = TRY(in.flag());
  t.cache = TRY(get_enum(in, Trace::Cache::stale));
  const size_t attempts = TRY(in.count(kMaxAttempts, "attempts"));
  for (size_t i = 0; i < attempts; ++i) {
    auto& a = t.attempts.emplace_back();
    a.server = TRY(in.endpoint());
    a.sent = TRY(in.get<uint64_t>());
    a.took = TRY(in.get<uint64_t>());
    a.end = TRY(get_enum(in, Attempt::End::unreachable));
  }
  t.took = TRY(in.get<uint64_t>());
  return t;
}

}  // namespace wigeon::dns::control_parts
