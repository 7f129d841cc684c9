// SPDX-License-Identifier: GPL-2.0-or-later
#include "netlink/message.hh"

#include <cstdlib>
#include <string>

namespace wigeon::netlink {

void wipe_and_free(nl_msg* m) {
  ::explicit_bzero(nlmsg_hdr(m), nlmsg_get_max_size(m));
  nlmsg_free(m);
}

Msg new_message(int type, int flags, size_t capacity) {
  Msg m(nlmsg_alloc_size(capacity));
  if (!m) std::abort();  // as any other allocation here
  nlmsg_hdr(m.get())->nlmsg_type = static_cast<uint16_t>(type);
  nlmsg_hdr(m.get())->nlmsg_flags = static_cast<uint16_t>(flags | NLM_F_REQUEST);
  return m;
}

Bytes bytes(const nl_msg* m) {
  const nlmsghdr* h = nlmsg_hdr(const_cast<nl_msg*>(m));
  return {reinterpret_cast<const uint8_t*>(h), h->nlmsg_len};
}

bool put_text(nl_msg* m, int type, std::string_view text, size_t max) {
  if (text.size() > max || text.contains('\0')) return false;
  return nla_put_string(m, type, std::string(text).c_str()) == 0;
}

}  // namespace wigeon::netlink
