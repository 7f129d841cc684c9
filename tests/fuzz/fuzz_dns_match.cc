// SPDX-License-Identifier: GPL-2.0-or-later
// Any bytes as a datagram from an upstream server. Taken for a reply, it has the query's
// id and question, letter by letter when they were mixed, and reads as one to what was
// asked once it is restored.
#include <algorithm>
#include <cstdlib>
#include <vector>

#include "dns/upstream_query.hh"

using namespace wigeon::dns;

namespace {

void require(bool good) {
  if (!good) std::abort();
}

UpstreamQuery make(const UpstreamQuery::Form& form) {
  std::vector<uint8_t> bytes(kMaxUpstreamQuery);
  Writer w(bytes);
  for (const uint16_t n : std::initializer_list<uint16_t>{7, flag::kRd, 1, 0, 0, 1})
    w.u16(n);
  w.name(Name::parse("Example.com")->wire());
  w.u16(type::kA);
  w.u16(klass::kIn);
  write_opt(w, {});
  bytes.resize(w.size());
  UpstreamQuery query;
  require(query.set(bytes));
  Random random;
  query.shape(form, random);
  return query;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const UpstreamQuery queries[] = {make({.id = 0x1234}),
                                          make({.id = 0x1234, .with_opt = false}),
                                          make({.id = 0x1234, .mixed = true})};
  const Question asked{*Name::parse("example.com"), type::kA};
  for (const auto& query : queries) {
    std::vector<uint8_t> reply(data, data + size);
    const Match match = query.match(reply);
    if (match != Match::reply && match != Match::truncated) continue;
    require(reply[0] == 0x12 && reply[1] == 0x34 && (reply[2] & 0xf8) == 0x80);
    if (&query == &queries[2])
      require(
          std::equal(reply.begin() + 12, reply.begin() + 29, query.sent().begin() + 12));
    query.restore(reply);
    Reader in(reply);
    const auto header = in.header();
    require(header && header->id == 7 && header->questions == 1);
    const auto question = in.question();
    require(question && *question == asked);
    require(reply[13] == 'E');
    const std::vector<uint8_t> rest(reply.begin() + 25, reply.end());
    require(std::equal(rest.begin(), rest.end(), data + 25));
  }
  return 0;
}
