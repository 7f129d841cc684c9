// SPDX-License-Identifier: GPL-2.0-or-later
// Any bytes as an upstream server's reply, to a forwarded question and to the end of an
// alias chain, for clients with and without EDNS. What reaches the client can be read,
// fits, and is to its question.
#include <cstdlib>

#include "dns/answer.hh"

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

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static std::vector<uint8_t> out(kMaxMessage);
  const Bytes reply{data, std::min(size, kMaxMessage)};
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
