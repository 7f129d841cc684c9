// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/scenario/message_text.hh"

#include <cstdio>
#include <cstdlib>
#include <sstream>

#include "dns/record.hh"

namespace wigeon::dns {
namespace {

constexpr std::pair<uint16_t, std::string_view> kRcodes[] = {
    {0, "NOERROR"}, {1, "FORMERR"}, {2, "SERVFAIL"}, {3, "NXDOMAIN"},
    {4, "NOTIMP"},  {5, "REFUSED"}, {16, "BADVERS"}};

[[noreturn]] void bad(std::string_view what, const std::string& line) {
  std::fprintf(stderr, "%.*s: %s\n", static_cast<int>(what.size()), what.data(),
               line.c_str());
  std::abort();
}

std::string rcode_text(uint16_t rcode) {
  for (const auto& [number, name] : kRcodes)
    if (number == rcode) return std::string(name);
  return "RCODE" + std::to_string(rcode);
}

void put_record(Writer& w, const std::string& line) {
  std::istringstream in(line);
  std::string section, name, ttl, type_name, rdata;
  in >> section >> name >> ttl >> type_name >> std::ws;
  std::getline(in, rdata);
  const auto owner = Name::parse(name);
  const auto t = parse_type(type_name);
  std::vector<uint8_t> bytes;
  if (!owner || !t || !append_rdata(*t, rdata, bytes)) bad("record", line);
  w.name(owner->wire());
  w.u16(*t);
  w.u16(klass::kIn);
  w.u32(static_cast<uint32_t>(std::stoul(ttl)));
  write_rdata(w, *t, bytes);
}

Result<std::string> rdata_of(Bytes message, const Record& r) {
  const auto rdata = TRY(expand_rdata(message, r));
  return rdata_text(r.type, rdata);
}

void append_opt(std::string& out, const Record& r) {
  const auto opt = read_opt(r);
  out += "opt " + std::to_string(opt.udp_payload) + (opt.dnssec_ok ? " do" : "") + "\n";
  for (Bytes left = r.rdata; left.size() >= 4;) {
    const auto code = left[0] << 8 | left[1];
    const auto size = static_cast<size_t>(left[2] << 8 | left[3]);
    if (left.size() < 4 + size) break;
    const Bytes value = left.subspan(4, size);
    if (code == 15 && size >= 2)
      out += "ede " + std::to_string(value[0] << 8 | value[1]) + " " +
             std::string(reinterpret_cast<const char*>(value.data()) + 2, size - 2) +
             "\n";
    else
      out += "option " + std::to_string(code) + "\n";
    left = left.subspan(4 + size);
  }
}

Result<std::string> try_text(Bytes message) {
  Reader in(message);
  const auto h = TRY(in.header());
  std::string records;
  for (int i = 0; i < h.questions; ++i) TRY(in.question());
  if (h.questions != 1) records += std::to_string(h.questions) + " questions\n";
  uint16_t rcode = h.flags & flag::kRcode;
  const auto section = [&](const char* title, int count) -> Result<void> {
    for (int i = 0; i < count; ++i) {
      const auto r = TRY(in.record());
      if (r.type == type::kOpt) {
        rcode = static_cast<uint16_t>(rcode | read_opt(r).extended_rcode << 4);
        append_opt(records, r);
        continue;
      }
      const auto rdata = TRY(rdata_of(message, r));
      records += std::string(title) + " " + r.name.text() + " " + std::to_string(r.ttl) +
                 " " + type_text(r.type) + " " + rdata + "\n";
    }
    return {};
  };
  TRY(section("answer", h.answers));
  TRY(section("authority", h.authorities));
  TRY(section("additional", h.additionals));
  if (!in.at_end()) return fail(EBADMSG, "bytes are left over");
  std::string out = rcode_text(rcode);
  constexpr std::pair<uint16_t, const char*> kBits[] = {
      {flag::kAa, " aa"}, {flag::kTc, " tc"}, {flag::kRd, " rd"}, {flag::kRa, " ra"},
      {flag::kZ, " z"},   {flag::kAd, " ad"}, {flag::kCd, " cd"}};
  for (const auto& [bit, name] : kBits)
    if (h.flags & bit) out += name;
  if (!(h.flags & flag::kQr)) out += " query";
  return out + "\n" + records;
}

}  // namespace

std::vector<uint8_t> make_query(const QueryText& q) {
  std::vector<uint8_t> bytes(512);
  Writer w(bytes);
  w.u16(q.id);
  w.u16(q.flags);
  w.u16(1);
  w.u16(0);
  w.u16(0);
  w.u16(q.edns >= 0 ? 1 : 0);
  const auto name = Name::parse(q.name);
  if (!name) bad("name", q.name);
  w.name(name->wire());
  w.u16(q.type);
  w.u16(q.klass);
  if (q.edns >= 0)
    write_opt(w,
              {.udp_payload = static_cast<uint16_t>(q.edns), .dnssec_ok = q.dnssec_ok});
  bytes.resize(w.size());
  return bytes;
}

std::vector<uint8_t> make_reply(Bytes query, std::string_view rcode,
                                const std::vector<std::string>& records, uint16_t flags,
                                const ExtendedError& why) {
  Reader in(query);
  const auto h = in.header();
  const auto q = in.question();
  if (!h || !q) bad("query", "unreadable");
  uint16_t code = 0xffff;
  for (const auto& [number, name] : kRcodes)
    if (name == rcode) code = number;
  if (code == 0xffff) bad("rcode", std::string(rcode));
  std::vector<uint8_t> bytes(kMaxMessage);
  Writer w(bytes);
  w.u16(h->id);
  w.u16(static_cast<uint16_t>(flag::kQr | (h->flags & flag::kRd) | flags | (code & 15)));
  for (int i = 0; i < 4; ++i) w.u16(0);
  w.name(q->name.wire());
  w.u16(q->type);
  w.u16(q->klass);
  uint16_t counts[4] = {1, 0, 0, 0};
  for (const char* section : {"answer", "authority", "additional"})
    for (const auto& line : records)
      if (line.starts_with(section)) {
        put_record(w, line);
        ++counts[section[0] == 'a' && section[1] == 'n'   ? 1
                 : section[0] == 'a' && section[1] == 'u' ? 2
                                                          : 3];
      }
  if (h->additionals > 0) {
    write_opt(w, {.extended_rcode = static_cast<uint8_t>(code >> 4)}, why);
    ++counts[3];
  }
  for (size_t i = 0; i < 4; ++i) w.patch_u16(4 + 2 * i, counts[i]);
  bytes.resize(w.size());
  return bytes;
}

std::string text(Bytes message) {
  auto t = try_text(message);
  return t ? *t : "unreadable: " + t.error().what + "\n";
}

}  // namespace wigeon::dns
