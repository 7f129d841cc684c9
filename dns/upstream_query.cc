// SPDX-License-Identifier: GPL-2.0-or-later
#include "dns/upstream_query.hh"

#include <cstring>

#include "dns/big_endian.hh"
#include "dns/mixed_case.hh"

namespace wigeon::dns {
namespace {

constexpr size_t kAdditionalsAt = 10;  // in the header

}  // namespace

bool UpstreamQuery::set(Bytes query) {
  if (query.size() > kMaxUpstreamQuery) return false;
  Reader in(query);
  const auto header = in.header();
  if (!header || header->questions != 1 || header->answers || header->authorities)
    return false;
  // Replies are compared byte by byte, and a name is compressed nowhere before its end.
  size_t at = kHeaderSize;
  while (at < query.size() && query[at] != 0) {
    if (query[at] > kMaxLabel) return false;
    at += 1u + query[at];
  }
  if (at + 5 > query.size() || at + 1 - kHeaderSize > kMaxName) return false;
  at += 5;
  const size_t rest = query.size() - at;
  if (header->additionals == 1 ? rest != kOptSize : rest + header->additionals != 0)
    return false;
  question_end_ = static_cast<uint16_t>(at);
  asked_size_ = static_cast<uint16_t>(query.size());
  std::memcpy(asked_.data(), query.data(), query.size());
  return true;
}

void UpstreamQuery::shape(const Form& form, Random& random) {
  std::memcpy(sent_.data(), asked_.data(), asked_size_);
  store16(sent_.data(), form.id);
  sent_size_ = asked_size_;
  if (!form.with_opt) {
    sent_size_ = question_end_;
    store16(sent_.data() + kAdditionalsAt, 0);
  }
  mixed_ = form.mixed;
  if (mixed_)
    mix_case(std::span(sent_).subspan(kHeaderSize, question_end_ - kHeaderSize - 4u),
             random);
}

Match UpstreamQuery::match(Bytes reply) const {
  if (reply.size() < kHeaderSize || std::memcmp(reply.data(), sent_.data(), 2) != 0)
    return Match::mismatch;
  const uint16_t flags = load16(reply.data() + 2);
  if (!(flags & flag::kQr) || (flags & flag::kOpcode)) return Match::mismatch;
  const uint16_t code = flags & flag::kRcode;
  const bool no_edns = sent_size_ > question_end_ &&
                       (code == rcode::kFormErr || code == rcode::kNotImp) &&
                       load16(reply.data() + kAdditionalsAt) == 0;
  const uint16_t questions = load16(reply.data() + 4);
  // Servers older than EDNS may send no more than a header.
  if (questions == 0 && reply.size() == kHeaderSize && no_edns) return Match::no_edns;
  if (questions != 1 || reply.size() < question_end_) return Match::mismatch;
  const size_t name = question_end_ - kHeaderSize - 4u;
  const uint8_t* ours = sent_.data() + kHeaderSize;
  const uint8_t* theirs = reply.data() + kHeaderSize;
  if (std::memcmp(ours, theirs, name + 4) != 0) {
    if (std::memcmp(ours + name, theirs + name, 4) != 0) return Match::mismatch;
    for (size_t i = 0; i < name; ++i)
      if (lower(ours[i]) != lower(theirs[i])) return Match::mismatch;
    if (mixed_) return Match::other_case;
  }
  if (no_edns) return Match::no_edns;
  return flags & flag::kTc ? Match::truncated : Match::reply;
}

void UpstreamQuery::restore(std::span<uint8_t> reply) const {
  std::memcpy(reply.data(), asked_.data(), 2);
  std::memcpy(reply.data() + kHeaderSize, asked_.data() + kHeaderSize,
              question_end_ - kHeaderSize - 4u);
}

}  // namespace wigeon::dns
