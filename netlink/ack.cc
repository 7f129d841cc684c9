// SPDX-License-Identifier: GPL-2.0-or-later
#include "netlink/ack.hh"

#include <linux/rtnetlink.h>

namespace wigeon::netlink {
namespace {

constexpr size_t kMaxSentence = 256;

// Where the ext-ack attributes begin: behind the code, or behind as much of the request
// as the kernel sent back (only its header when NLM_F_CAPPED).
Bytes ext_ack(const Message& m) {
  if (!(m.flags & NLM_F_ACK_TLVS)) return {};
  if (m.type == NLMSG_DONE) return behind(m.payload, sizeof(int));
  nlmsgerr e;
  if (!copy_front(m.payload, e)) return {};
  size_t skip = sizeof e;
  if (!(m.flags & NLM_F_CAPPED) && e.msg.nlmsg_len >= sizeof e.msg)
    skip += e.msg.nlmsg_len - sizeof e.msg;
  return behind(m.payload, skip);
}

}  // namespace

Result<void> outcome(const Message& m) {
  int code = 0;
  if (m.type == NLMSG_DONE && m.payload.empty()) return {};
  if (!copy_front(m.payload, code)) return fail(EBADMSG, "acknowledgement cut short");
  if (code == 0) return {};
  if (code > 0 || code < -4095)
    return fail(EBADMSG, "acknowledgement with code " + std::to_string(code));
  code = -code;

  std::string sentence;
  (void)for_each_attr(ext_ack(m),
                      [&](const Attr& a) {  // without a sentence we have a code
                        return a.type != NLMSGERR_ATTR_MSG || a.read(sentence);
                      });
  if (sentence.size() > kMaxSentence) sentence.resize(kMaxSentence);
  if (sentence.empty()) sentence = ::strerror(code);
  const char* name = ::strerrorname_np(code);
  return fail(code, (name ? name : std::to_string(code)) + ": " + sentence);
}

std::string_view request_name(uint16_t rtnetlink_type) {
  switch (rtnetlink_type) {
    case RTM_NEWLINK:
      return "RTM_NEWLINK";
    case RTM_DELLINK:
      return "RTM_DELLINK";
    case RTM_GETLINK:
      return "RTM_GETLINK";
    case RTM_NEWADDR:
      return "RTM_NEWADDR";
    case RTM_DELADDR:
      return "RTM_DELADDR";
    case RTM_GETADDR:
      return "RTM_GETADDR";
    case RTM_NEWROUTE:
      return "RTM_NEWROUTE";
    case RTM_DELROUTE:
      return "RTM_DELROUTE";
    case RTM_GETROUTE:
      return "RTM_GETROUTE";
    case RTM_NEWRULE:
      return "RTM_NEWRULE";
    case RTM_DELRULE:
      return "RTM_DELRULE";
    case RTM_GETRULE:
      return "RTM_GETRULE";
    default:
      return {};
  }
}

}  // namespace wigeon::netlink
