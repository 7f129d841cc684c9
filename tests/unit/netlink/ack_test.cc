// SPDX-License-Identifier: GPL-2.0-or-later
#include "netlink/ack.hh"

#include <catch2/catch.hpp>

#include "netlink/message.hh"

using namespace wigeon;
using namespace wigeon::netlink;

namespace {

// An acknowledgement as the kernel lays it out: code, the request (or its header only),
// and the sentence.
std::vector<uint8_t> payload(int code, size_t request_bytes, bool capped,
                             const char* sentence) {
  auto m = new_message(0, 0, 4096);
  nlmsghdr request{};
  request.nlmsg_len = static_cast<uint32_t>(sizeof request + request_bytes);
  REQUIRE(nlmsg_append(m.get(), &code, sizeof code, 0) == 0);
  REQUIRE(nlmsg_append(m.get(), &request, sizeof request, 0) == 0);
  std::vector<uint8_t> body(request_bytes, 0xee);
  if (!capped)
    REQUIRE(nlmsg_append(m.get(), body.data(), body.size(), NLMSG_ALIGNTO) == 0);
  REQUIRE(put(m.get(), NLMSGERR_ATTR_OFFS, uint32_t{24}));
  REQUIRE(put_text(m.get(), NLMSGERR_ATTR_MSG, sentence, 1000));
  const Bytes all = bytes(m.get());
  return {all.begin() + NLMSG_HDRLEN, all.end()};
}

Error refused(uint16_t type, int flags, Bytes payload) {
  const auto r =
      outcome({.type = type, .flags = static_cast<uint16_t>(flags), .payload = payload});
  REQUIRE_FALSE(r);
  return r.error();
}

}  // namespace

TEST_CASE("the kernel's own sentence is told, with and without the request before it") {
  const auto whole =
      payload(-EINVAL, 21, false, "Invalid prefix for given prefix length");
  const auto e = refused(NLMSG_ERROR, NLM_F_ACK_TLVS, whole);
  CHECK(e.code == EINVAL);
  CHECK(e.what == "EINVAL: Invalid prefix for given prefix length");
  const auto capped = payload(-EINVAL, 21, true, "Unknown device type");
  CHECK(refused(NLMSG_ERROR, NLM_F_ACK_TLVS | NLM_F_CAPPED, capped).what ==
        "EINVAL: Unknown device type");
}

TEST_CASE("without a sentence the errno is put in words") {
  const auto bytes = payload(-EPERM, 0, true, "not looked at without NLM_F_ACK_TLVS");
  CHECK(refused(NLMSG_ERROR, 0, bytes).what == "EPERM: Operation not permitted");
}

TEST_CASE("code 0 is success, whatever the kernel remarks") {
  const auto bytes = payload(0, 0, true, "a warning");
  CHECK(outcome({.type = NLMSG_ERROR, .flags = NLM_F_ACK_TLVS, .payload = bytes}));
}

TEST_CASE("the end of a dump carries a code too") {
  const int code = -ENODEV;
  const Bytes bytes(reinterpret_cast<const uint8_t*>(&code), sizeof code);
  CHECK(refused(NLMSG_DONE, 0, bytes).code == ENODEV);
  CHECK(outcome({.type = NLMSG_DONE}));
}

TEST_CASE("malformed acknowledgements are errors, not successes") {
  const std::vector<uint8_t> two(2, 0);
  CHECK(refused(NLMSG_ERROR, 0, two).code == EBADMSG);
  for (const int code : {1, -100000}) {
    const Bytes bytes(reinterpret_cast<const uint8_t*>(&code), sizeof code);
    CHECK(refused(NLMSG_ERROR, 0, bytes).code == EBADMSG);
  }
}

TEST_CASE("a sentence without an end, or an endless one, stays within bounds") {
  auto bytes = payload(-EINVAL, 0, true, std::string(900, 'x').c_str());
  CHECK(refused(NLMSG_ERROR, NLM_F_ACK_TLVS | NLM_F_CAPPED, bytes).what.size() < 300);
  for (size_t n = sizeof(int); n < bytes.size(); ++n)
    CHECK(refused(NLMSG_ERROR, NLM_F_ACK_TLVS | NLM_F_CAPPED,
                  std::vector<uint8_t>(bytes.begin(),
                                       bytes.begin() + static_cast<ptrdiff_t>(n)))
              .code == EINVAL);
}
