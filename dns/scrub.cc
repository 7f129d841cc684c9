// SPDX-License-Identifier: GPL-2.0-or-later
#include "dns/scrub.hh"

#include <optional>
#include <utility>

namespace wigeon::dns {
namespace {

constexpr uint16_t kRrsig = 46, kNsec = 47, kNsec3 = 50;
constexpr uint32_t kMaxTtl = 0x7fffffff;  // beyond: zero (RFC 2181 §8)

// The type whose set an RRSIG record signs.
uint16_t covered(const Record& r) {
  return r.rdata.size() < 2 ? uint16_t{0} : load16(r.rdata.data());
}

// Readers that stand where the sections begin.
struct Sections {
  Header header{};
  Reader answers, authorities, additionals;
};

Result<Sections> read_sections(const Question& asked, Bytes reply) {
  Reader in(reply);
  const auto header = TRY(in.header());
  if (header.questions != 1) return fail(EBADMSG, "not one question");
  const auto question = TRY(in.question());
  if (question != asked) return fail(EBADMSG, "another question");
  const Reader answers = in;
  for (int left = header.answers; left > 0; --left) TRY(in.record());
  const Reader authorities = in;
  for (int left = header.authorities; left > 0; --left) TRY(in.record());
  return Sections{header, answers, authorities, in};
}

// Calls f(record) for the next `count` records, while it returns true.
Result<void> each(Reader in, int count, auto f) {
  for (; count > 0; --count) {
    const auto record = TRY(in.record());
    const bool go_on = TRY(f(record));
    if (!go_on) break;
  }
  return {};
}

class Scrubber {
 public:
  Scrubber(const Question& asked, bool dnssec_ok, Bytes reply, std::span<uint8_t> out)
      : asked_(asked), dnssec_ok_(dnssec_ok), reply_(reply), writer_(out) {}

  Result<Scrubbed> run() {
    sections_ = TRY(read_sections(asked_, reply_));
    write_head(writer_, sections_->header.id, 0, asked_);

    Scrubbed result{.rcode =
                        static_cast<uint16_t>(sections_->header.flags & flag::kRcode)};
    const bool complete = TRY(put_chain());
    const bool is_answer =
        result.rcode == rcode::kNoError || result.rcode == rcode::kNxDomain;
    if (is_answer && sections_->header.answers > 0 && answers_ == 0)
      return fail(EBADMSG, "no record is to the question");
    TRY(put_proof(!complete));
    TRY(put_opt(result));
    if (writer_.full()) return fail(ENOSPC, "the reply does not fit");
    constexpr uint16_t kKept = flag::kQr | flag::kTc | flag::kRd | flag::kRa | flag::kAd |
                               flag::kCd | flag::kRcode;
    writer_.patch_u16(2, sections_->header.flags & kKept);
    writer_.patch_u16(6, answers_);
    writer_.patch_u16(8, authorities_);
    writer_.patch_u16(10, additionals_);
    result.size = writer_.size();
    return result;
  }

 private:
  Result<void> put(const Record& r, uint16_t& count) {
    const bool a = r.type == type::kA, aaaa = r.type == type::kAaaa;
    if ((a && r.rdata.size() != 4) || (aaaa && r.rdata.size() != 16))
      return fail(EBADMSG, "not an address");
    const auto rdata = a || aaaa ? std::vector<uint8_t>{} : TRY(expand_rdata(reply_, r));
    writer_.name(r.name.wire());
    writer_.u16(r.type);
    writer_.u16(klass::kIn);
    writer_.u32(r.ttl > kMaxTtl ? 0 : r.ttl);
    write_rdata(writer_, r.type, a || aaaa ? r.rdata : Bytes(rdata));
    ++count;
    return {};
  }

  // The records of one owner and type, and their signatures.
  Result<bool> put_set(const Name& owner, uint16_t t) {
    bool found = false;
    const auto put_member = [&](const Record& r) -> Result<bool> {
      if (r.klass != klass::kIn || r.name != owner) return true;
      const bool wanted = r.type == t || t == type::kAny;
      if (!wanted && !(dnssec_ok_ && r.type == kRrsig && covered(r) == t)) return true;
      if (wanted && t == type::kCname && found) return true;  // there may be only one
      TRY(put(r, answers_));
      found = found || wanted;
      return true;
    };
    TRY(each_answer(put_member));
    return found;
  }

  Result<void> each_answer(auto f) {
    return each(sections_->answers, sections_->header.answers, std::move(f));
  }

  // A DNAME record above the owner explains its CNAME (RFC 6672); validators want it.
  Result<void> put_redirection(const Name& owner) {
    return each_answer([&](const Record& r) -> Result<bool> {
      const bool is_dname =
          r.type == type::kDname || (r.type == kRrsig && covered(r) == type::kDname);
      if (is_dname && r.klass == klass::kIn && r.name != owner &&
          is_within(owner.wire(), r.name.wire()))
        TRY(put(r, answers_));
      return true;
    });
  }

  Result<std::optional<Name>> alias_of(const Name& owner) {
    std::optional<Name> target;
    const auto read_target = [&](const Record& r) -> Result<bool> {
      if (r.klass != klass::kIn || r.type != type::kCname || r.name != owner) return true;
      size_t at = r.rdata_at;
      target = TRY(read_name(reply_.first(at + r.rdata.size()), at));
      return false;
    };
    TRY(each_answer(read_target));
    return target;
  }

  // Whether the set asked for is at the end of it.
  Result<bool> put_chain() {
    end_ = asked_.name;
    for (int i = 0; i <= kMaxChain; ++i) {
      const bool found = TRY(put_set(end_, asked_.type));
      if (found || sections_->header.answers == 0) return found;
      const auto target = TRY(alias_of(end_));
      if (!target) return false;
      if (dnssec_ok_) TRY(put_redirection(end_));
      TRY(put_set(end_, type::kCname));
      end_ = *target;
    }
    return fail(EBADMSG, "the chain of aliases does not end");
  }

  Result<void> put_proof(bool negative) {
    bool soa = false;
    return each(sections_->authorities, sections_->header.authorities,
                [&](const Record& r) -> Result<bool> {
                  if (r.klass != klass::kIn) return true;
                  const uint16_t t = r.type == kRrsig ? covered(r) : r.type;
                  const bool is_soa = negative && t == type::kSoa &&
                                      is_within(end_.wire(), r.name.wire());
                  const bool is_proof = dnssec_ok_ && (t == kNsec || t == kNsec3);
                  if (!is_soa && !is_proof) return true;
                  if (r.type == kRrsig && !dnssec_ok_) return true;
                  if (r.type == type::kSoa && std::exchange(soa, true)) return true;
                  TRY(put(r, authorities_));
                  return true;
                });
  }

  Result<void> put_opt(Scrubbed& result) {
    return each(
        sections_->additionals, sections_->header.additionals,
        [&](const Record& r) -> Result<bool> {
          if (r.type != type::kOpt) return true;
          const uint8_t extended = read_opt(r).extended_rcode;
          result.rcode = static_cast<uint16_t>(result.rcode | extended << 4);
          result.extended_error = read_extended_error(r).code;
          write_opt(writer_, {.extended_rcode = extended}, {result.extended_error, {}});
          ++additionals_;
          return false;
        });
  }

  const Question& asked_;
  bool dnssec_ok_;
  Bytes reply_;
  Writer writer_;
  std::optional<Sections> sections_{};
  Name end_{};  // of the chain
  uint16_t answers_ = 0, authorities_ = 0, additionals_ = 0;
};

}  // namespace

Result<Scrubbed> scrub(const Question& asked, bool dnssec_ok, Bytes reply,
                       std::span<uint8_t> out) {
  return Scrubber(asked, dnssec_ok, reply, out).run();
}

ExtendedError read_extended_error(const Record& opt) {
  ExtendedError found;
  each_option(opt.rdata, [&](uint16_t code, Bytes value) {
    if (code != kExtendedErrorOption || value.size() < 2) return true;
    found = {static_cast<ExtendedError::Code>(load16(value.data())),
             {reinterpret_cast<const char*>(value.data()) + 2, value.size() - 2}};
    return false;
  });
  return found;
}

}  // namespace wigeon::dns
