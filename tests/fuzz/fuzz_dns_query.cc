// SPDX-License-Identifier: GPL-2.0-or-later
// Any bytes as a query, over both transports. A reply has the query's id and the QR bit,
// can be read, fits its limit and repeats the question; replies are never replied to. The
// short way gives the same bytes as the long one. A reply that is truncated on its way is
// one too, and so is what any bytes become by that.
#include <algorithm>
#include <cstdlib>

#include "dns/answer.hh"
#include "dns/quick.hh"
#include "dns/truncate.hh"

using namespace wigeon;
using namespace wigeon::dns;

namespace {

void require(bool good) {
  if (!good) std::abort();
}

const Zones& zones() {
  static const auto built =
      *Zones::build({{"wigeon.test",
                      {{"a.wigeon.test", type::kA, 60, "100.64.0.1"},
                       {"a.wigeon.test", type::kAaaa, 60, "fd00::1"},
                       {"www.wigeon.test", type::kCname, 60, "a.wigeon.test"},
                       {"out.wigeon.test", type::kCname, 60, "example.com"},
                       {"l1.wigeon.test", type::kCname, 60, "l2.wigeon.test"},
                       {"l2.wigeon.test", type::kCname, 60, "l1.wigeon.test"},
                       {"*.w.wigeon.test", type::kTxt, 60, std::string(2000, 'x')},
                       {"wigeon.test", type::kMx, 60, "10 a.wigeon.test"}}},
                     {"soft.test", {{"x.soft.test", type::kA, 60, "100.64.0.2"}}, true}},
                    {*Prefix::parse("100.64.0.0/10"), *Prefix::parse("fd00::/48")});
  return *built;
}

void check(Bytes query, Bytes reply, size_t limit, bool whole) {
  require(reply.size() >= kHeaderSize && reply.size() <= limit);
  require(reply[0] == query[0] && reply[1] == query[1]);
  require(reply[2] & 0x80);
  Reader in(reply);
  const auto h = *in.header();
  if (h.questions == 1) {
    Reader q(query);
    require(q.header().has_value());
    const auto asked = q.question(), repeated = in.question();
    require(asked && repeated && *asked == *repeated);
  }
  if (!whole) return;  // an upstream's records are passed on as they came
  for (int left = h.answers + h.authorities + h.additionals; left > 0; --left)
    require(in.record().has_value());
  require(in.at_end());
}

void check_truncated(Bytes query, Bytes reply) {
  std::vector<uint8_t> cut(reply.begin(), reply.end());
  cut.resize(truncate(cut));
  check(query, cut, reply.size(), true);
  require(cut[2] & flag::kTc >> 8);
  require(cut.size() <= kHeaderSize + kMaxName + 4 + kOptSize);
}

void truncate_anything(Bytes bytes) {
  std::vector<uint8_t> cut(bytes.begin(), bytes.end());
  cut.resize(truncate(cut));
  if (cut.empty()) return;
  require(cut.size() <= bytes.size());
  auto again = cut;
  again.resize(truncate(again));
  require(again == cut);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static std::vector<uint8_t> out(kMaxMessage), other(kMaxMessage);
  const Bytes query{data, std::min(size, kMaxMessage)};
  truncate_anything(query);
  for (const Transport transport : {Transport::udp, Transport::tcp}) {
    Asked asked;
    Question wanted;
    const size_t limit = transport == Transport::udp ? kUdpPayload : kMaxMessage;
    const auto room = std::span(out).first(limit);
    const auto a = answer(query, transport, Asker::host, zones(), 1, room, asked, wanted);
    const size_t quick = quick_answer(query, transport, Asker::host, zones(), 1,
                                      std::span(other).first(limit));
    require(quick == 0 ||
            (a.kind == Answer::Kind::reply && a.size == quick &&
             std::equal(out.begin(), out.begin() + static_cast<ptrdiff_t>(quick),
                        other.begin())));
    switch (a.kind) {
      case Answer::Kind::drop:
        require(query.size() < kHeaderSize || (query[2] & 0x80));
        break;
      case Answer::Kind::reply:
        check(query, Bytes(out).first(a.size), limit, true);
        check_truncated(query, Bytes(out).first(a.size));
        break;
      case Answer::Kind::ask: {
        require(wanted.type == asked.question.type);
        const size_t n =
            give_up(asked, {ExtendedError::Code::other, "why"}, zones(), 1, out);
        check(query, Bytes(out).first(n), limit, true);
        break;
      }
    }
  }
  return 0;
}
