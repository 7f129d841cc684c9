// SPDX-License-Identifier: GPL-2.0-or-later
#include "dns/cache_reply.hh"

#include "dns/big_endian.hh"
#include "dns/scrub.hh"

namespace wigeon::dns {
namespace {

constexpr uint16_t kRrsig = 46;
constexpr size_t kAfterName = 10;  // type, class, TTL, length

// Replaces each record's TTL by f(TTL). Ends where the bytes do.
void each_ttl(std::span<uint8_t> records, int count, auto f) {
  size_t at = 0;
  for (; count > 0; --count) {
    while (at < records.size()) {
      const uint8_t length = records[at];
      at += length >= 0xc0 ? 2u : 1u + length;
      if (length >= 0xc0 || length == 0) break;
    }
    if (at + kAfterName > records.size()) return;
    uint8_t* fields = records.data() + at;
    store32(fields + 4, f(load32(fields + 4)));
    at += kAfterName + load16(fields + 8);
  }
}

// Collects what keep() wants to know, record by record.
struct Survey {
  const Question& question;
  size_t body_at = 0;  // in the message
  bool has_set = false;
  uint32_t least = kMaxKeptTtl;
  uint32_t no_for = 0;  // what the SOA record says (RFC 2308 §5); 0: there is none
  uint16_t turn_at = 0, stride = 0, turning = 0;
  bool in_run = false, can_turn = true;

  void answer(const Record& r, size_t begin, size_t end) {
    least = std::min(least, r.ttl);
    const bool is_member = r.type == question.type;
    has_set = has_set || is_member;
    const bool is_address = r.type == type::kA || r.type == type::kAaaa;
    if (!is_member || !is_address) {
      in_run = false;
      return;
    }
    const size_t size = end - begin;
    if (turning == 0) {
      turn_at = static_cast<uint16_t>(begin - body_at);
      stride = static_cast<uint16_t>(size);
      in_run = true;
    }
    // A set in two parts stays as it is, and so does one whose owner is spelled out once
    // and pointed to from there.
    if (!in_run || size != stride) can_turn = false;
    ++turning;
  }
  void authority(const Record& r) {
    least = std::min(least, r.ttl);
    if (r.type == type::kSoa && r.rdata.size() >= 4)
      no_for =
          std::min({r.ttl, load32(r.rdata.data() + r.rdata.size() - 4), kMaxNegativeTtl});
  }
};

Result<Keeping> read(const Question& question, Bytes reply) {
  Reader in(reply);
  const auto header = TRY(in.header());
  if (header.questions != 1 || (header.flags & flag::kTc)) return Keeping{};
  TRY(in.question());
  const size_t body_at = in.at();
  Survey survey{.question = question, .body_at = body_at};
  for (int left = header.answers; left > 0; --left) {
    const size_t begin = in.at();
    const auto record = TRY(in.record());
    survey.answer(record, begin, in.at());
  }
  for (int left = header.authorities; left > 0; --left)
    survey.authority(TRY(in.record()));
  const size_t end = in.at();
  if (end - body_at > kMaxKeptSize) return Keeping{};

  Keeping k;
  k.kept = {.rcode = static_cast<uint16_t>(header.flags & flag::kRcode),
            .authentic = (header.flags & flag::kAd) != 0,
            .answers = header.answers,
            .authorities = header.authorities,
            .records = reply.subspan(body_at, end - body_at)};
  if (survey.can_turn && survey.turning > 1) {
    k.kept.turn_at = survey.turn_at;
    k.kept.stride = survey.stride;
    k.kept.turning = survey.turning;
  }
  for (int left = header.additionals; left > 0; --left) {
    const auto opt = TRY(in.record());
    if (opt.type != type::kOpt) continue;
    k.kept.rcode =
        static_cast<uint16_t>(k.kept.rcode | read_opt(opt).extended_rcode << 4);
    k.kept.extended_error = read_extended_error(opt).code;
    break;
  }

  if (k.kept.rcode != rcode::kNoError && k.kept.rcode != rcode::kNxDomain) {
    k.as = Keeping::As::failure;
    return k;
  }
  if (k.kept.rcode == rcode::kNoError && survey.has_set)
    k.most = kMaxKeptTtl;
  else
    k.most = survey.no_for;
  k.ttl = std::min(survey.least, k.most);
  if (k.ttl > 0) k.as = Keeping::As::answer;
  return k;
}

}  // namespace

bool is_keepable(const Question& question) {
  const uint16_t t = question.type;
  // 128-255: questions and meta types (RFC 6895 §3.1). RRSIG: signatures of any set.
  const bool is_one_type =
      t != 0 && (t < 128 || t > 255) && t != type::kOpt && t != kRrsig;
  return question.klass == klass::kIn && is_one_type;
}

Keeping keep(const Question& question, Bytes reply) {
  return read(question, reply).value_or(Keeping{});
}

void age_records(std::span<uint8_t> records, int count, const Aging& aging) {
  each_ttl(records, count, [&](uint32_t ttl) {
    return aging.is_stale ? kStaleTtl : ttl - std::min(ttl, aging.age);
  });
}

void cap_ttls(std::span<uint8_t> records, int count, uint32_t most) {
  each_ttl(records, count, [&](uint32_t ttl) { return std::min(ttl, most); });
}

}  // namespace wigeon::dns
