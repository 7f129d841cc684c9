// SPDX-License-Identifier: GPL-2.0-or-later
// Any bytes as an upstream server's reply, to a forwarded question and to the end of an
// alias chain, for clients with and without EDNS. What is believed of it hangs on the
// question by a chain of aliases, passes the guard or is withheld, and scrubbing it again
// changes nothing. What reaches the client can be read, fits, and is to its question.
#include <algorithm>
#include <cstdlib>
#include <vector>

#include "dns/answer.hh"
#include "dns/rebinding.hh"
#include "dns/scrub.hh"

using namespace wigeon;
using namespace wigeon::dns;

namespace {

void require(bool good) {
  if (!good) std::abort();
}

const Zones& zones() {
  static const auto built = *Zones::build(
      {{"wigeon.test", {{"out.wigeon.test", type::kCname, 60, "example.com"}}}}, {});
  return *built;
}

// Every owner is the question's name or the target of an alias before it, or a
// redirection above one of these.
void check_chain(const Question& asked, bool dnssec_ok, Bytes reply) {
  Reader in(reply);
  const auto h = in.header();
  require(h && h->questions == 1 && h->additionals <= 1);
  const auto question = in.question();
  require(question && *question == asked);
  std::vector<Name> chain{asked.name};
  for (int left = h->answers; left > 0; --left) {
    const auto r = in.record();
    require(r && r->klass == klass::kIn);
    require(std::ranges::any_of(chain, [&](const Name& n) {
      return n == r->name || (dnssec_ok && is_within(n.wire(), r->name.wire()));
    }));
    if (r->type != type::kCname) continue;
    size_t at = r->rdata_at;
    chain.push_back(*read_name(reply, at));
  }
  for (int left = h->authorities; left > 0; --left) {
    const auto r = in.record();
    require(r && r->type != type::kNs && (dnssec_ok || r->type == type::kSoa));
  }
  if (h->additionals == 1) {
    const auto opt = in.record();
    require(opt && opt->type == type::kOpt);
  }
  require(in.at_end());
}

void check_scrubbing(Bytes reply) {
  static std::vector<uint8_t> out(kMaxMessage), again(kMaxMessage);
  const RebindingGuard guard{{}, {*Prefix::parse("100.64.0.0/10")}};
  for (const bool dnssec_ok : {false, true}) {
    const Question asked{*Name::parse("example.com"), type::kA};
    const auto scrubbed = scrub(asked, dnssec_ok, reply, out);
    if (!scrubbed) continue;
    const Bytes clean = Bytes(out).first(scrubbed->size);
    check_chain(asked, dnssec_ok, clean);
    const auto twice = scrub(asked, dnssec_ok, clean, again);
    require(twice && std::ranges::equal(clean, Bytes(again).first(twice->size)));
    if (!rebinds(guard, clean)) continue;
    const size_t size = withhold(clean, again);
    check_chain(asked, dnssec_ok, Bytes(again).first(size));
    require(!rebinds(guard, Bytes(again).first(size)));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static std::vector<uint8_t> out(kMaxMessage);
  const Bytes reply{data, std::min(size, kMaxMessage)};
  check_scrubbing(reply);
  for (const char* name : {"example.com", "out.wigeon.test"}) {
    for (const uint16_t limit : {kMinUdpPayload, kUdpPayload, uint16_t{0xffff}}) {
      for (const bool edns : {false, true}) {
        const Asked asked{.id = 0x1234,
                          .flags = flag::kRd,
                          .question = {*Name::parse(name), type::kA},
                          .edns = edns,
                          .limit = limit};
        const size_t n = complete(asked, reply, zones(), 0, out);
        require(n >= kHeaderSize && n <= limit);
        Reader in(Bytes(out).first(n));
        const auto h = *in.header();
        require(h.id == 0x1234 && (h.flags & flag::kQr) && !(h.flags & flag::kZ));
        require(h.questions == 1 && *in.question() == asked.question);
        for (int left = h.answers + h.authorities + h.additionals; left > 0; --left) {
          const auto r = in.record();
          require(r.has_value());
          require(edns || r->type != type::kOpt);
        }
        require(in.at_end());
      }
    }
  }
  return 0;
}
