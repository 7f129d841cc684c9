// SPDX-License-Identifier: GPL-2.0-or-later
#include "dns/reply_text.hh"

#include "dns/record.hh"

namespace wigeon::dns {
namespace {

std::string printable(Bytes bytes) {
  std::string out;
  for (const uint8_t b : bytes) out += b >= 0x20 && b < 0x7f ? static_cast<char>(b) : '?';
  return out;
}

void take_errors(Bytes options, std::vector<ReplyError>& errors) {
  each_option(options, [&](uint16_t code, Bytes value) {
    if (errors.size() == kMaxShownErrors) return false;
    if (code != kExtendedErrorOption || value.size() < 2) return true;
    const Bytes text = value.subspan(2);
    errors.push_back({load16(value.data()),
                      printable(text.first(std::min(text.size(), kMaxShownRdata)))});
    return true;
  });
}

std::string rdata_of(Bytes message, const Record& r) {
  auto rdata = expand_rdata(message, r);
  if (!rdata) return "unreadable: " + rdata.error().what;
  auto text = rdata_text(r.type, *rdata);
  if (!text) return "unreadable: " + text.error().what;
  text->resize(std::min(text->size(), kMaxShownRdata));
  return *std::move(text);
}

}  // namespace

Result<ReplyText> reply_text(Bytes message) {
  using Section = ReplyRecord::Section;
  Reader in(message);
  const auto h = TRY(in.header());
  ReplyText reply{.rcode = static_cast<uint16_t>(h.flags & flag::kRcode),
                  .flags = h.flags,
                  .size = static_cast<uint32_t>(message.size())};
  for (int i = 0; i < h.questions; ++i) TRY(in.question());
  const std::pair<Section, uint16_t> sections[] = {{Section::answer, h.answers},
                                                   {Section::authority, h.authorities},
                                                   {Section::additional, h.additionals}};
  for (const auto& [section, count] : sections) {
    for (int i = 0; i < count; ++i) {
      const auto r = TRY(in.record());
      if (r.type == type::kOpt) {
        reply.rcode =
            static_cast<uint16_t>(reply.rcode | read_opt(r).extended_rcode << 4);
        take_errors(r.rdata, reply.errors);
      } else if (reply.records.size() == kMaxShownRecords) {
        ++reply.left_out;
      } else {
        reply.records.push_back(
            {section, r.name.text(), r.ttl, type_text(r.type), rdata_of(message, r)});
      }
    }
  }
  return reply;
}

std::string rcode_text(uint16_t rcode) {
  constexpr std::pair<uint16_t, std::string_view> kNames[] = {
      {0, "NOERROR"},  {1, "FORMERR"},  {2, "SERVFAIL"},  {3, "NXDOMAIN"}, {4, "NOTIMP"},
      {5, "REFUSED"},  {6, "YXDOMAIN"}, {7, "YXRRSET"},   {8, "NXRRSET"},  {9, "NOTAUTH"},
      {10, "NOTZONE"}, {16, "BADVERS"}, {23, "BADCOOKIE"}};
  for (const auto& [number, name] : kNames)
    if (number == rcode) return std::string(name);
  return "RCODE" + std::to_string(rcode);
}

std::vector<std::string> flag_texts(uint16_t flags) {
  constexpr std::pair<uint16_t, std::string_view> kBits[] = {
      {flag::kAa, "aa"}, {flag::kTc, "tc"}, {flag::kRd, "rd"},
      {flag::kRa, "ra"}, {flag::kAd, "ad"}, {flag::kCd, "cd"}};
  std::vector<std::string> texts;
  for (const auto& [bit, name] : kBits)
    if (flags & bit) texts.emplace_back(name);
  return texts;
}

}  // namespace wigeon::dns
