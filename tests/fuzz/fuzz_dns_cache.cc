// SPDX-License-Identifier: GPL-2.0-or-later
// Any bytes as an upstream server's reply that is kept, and given again later. At once it
// is the same reply to the byte, as long as no TTL was too long; later it can be read,
// fits, and its TTLs have become less. The records of a set only change places.
#include <algorithm>
#include <cstdlib>
#include <vector>

#include "dns/answer.hh"
#include "dns/cache.hh"
#include "dns/scrub.hh"

using namespace wigeon;
using namespace wigeon::dns;
using namespace std::chrono_literals;

namespace {

void require(bool good) {
  if (!good) std::abort();
}

// The TTLs of all records but OPT, the least first.
std::vector<uint32_t> ttls_of(Bytes message) {
  Reader in(message);
  const auto h = *in.header();
  require(h.questions == 1 && in.question().has_value());
  std::vector<uint32_t> ttls;
  for (int left = h.answers + h.authorities + h.additionals; left > 0; --left) {
    const auto r = in.record();
    require(r.has_value());
    if (r->type != type::kOpt) ttls.push_back(r->ttl);
  }
  require(in.at_end());
  std::ranges::sort(ttls);
  return ttls;
}

void check(const Question& question, Bytes clean) {
  static std::vector<uint8_t> first(kMaxMessage), again(kMaxMessage);
  static const auto zones = *Zones::build({}, {});
  const Keeping what = keep(question, clean);
  if (what.as == Keeping::As::nothing) return;
  Cache cache({.bytes = 32 << 10, .entries = 2});
  cache.set_serve_stale(60s);
  const CacheKey key(1, question, flag::kRd, false);
  cache.store(key, what, 1s);
  for (const uint16_t limit : {kMinUdpPayload, uint16_t{0xffff}}) {
    const Asked asked{
        .flags = flag::kRd, .question = question, .edns = true, .limit = limit};
    const size_t n = complete(asked, clean, *zones, 0, first);
    const Bytes direct = Bytes(first).first(n);
    auto hit = cache.find(key, 1s);
    require(hit.has_value());
    const auto say = [&](uint32_t turn) {
      const size_t size = complete(asked, hit->kept, hit->aging, turn, again);
      require(size <= limit);
      return Bytes(again).first(size);
    };
    const auto before = ttls_of(direct);
    if (what.as == Keeping::As::answer && (before.empty() || before.back() <= what.most))
      require(std::ranges::equal(direct, say(0)));
    for (uint32_t turn = 0; turn < 3; ++turn)
      require(ttls_of(say(turn)).size() == before.size());
    hit->aging = {.age = what.ttl > 0 ? what.ttl - 1 : 0};
    const auto after = ttls_of(say(1));
    if (what.as == Keeping::As::answer && !after.empty()) require(after.front() == 1);
  }
  if (what.as != Keeping::As::answer) return;
  const auto hit = cache.stand_in(key, 1s + std::chrono::seconds(what.ttl));
  require(hit && hit->aging.is_stale);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static std::vector<uint8_t> out(kMaxMessage);
  const Bytes reply{data, std::min(size, kMaxMessage)};
  const Question question{*Name::parse("example.com"), type::kA};
  (void)keep(question, reply);  // also what scrub() has not seen
  for (const bool dnssec_ok : {false, true}) {
    const auto scrubbed = scrub(question, dnssec_ok, reply, out);
    if (scrubbed) check(question, Bytes(out).first(scrubbed->size));
  }
  return 0;
}
