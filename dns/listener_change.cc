// SPDX-License-Identifier: GPL-2.0-or-later
#include "dns/listener_change.hh"

namespace wigeon::dns {

std::pair<Listen, std::vector<int>> listen_packet(const ListenerChange& change) {
  Listen message{.keep = change.keep,
                 .reply_v4 = static_cast<bool>(change.replies.v4),
                 .reply_v6 = static_cast<bool>(change.replies.v6),
                 .keep_replies = change.keep_replies};
  std::vector<int> fds;
  for (const auto& s : change.open) {
    message.open.push_back(s.info());
    fds.push_back(s.fd.get());
  }
  for (const auto* fd : {&change.replies.v4, &change.replies.v6})
    if (*fd) fds.push_back(fd->get());
  return {std::move(message), std::move(fds)};
}

Result<ListenerChange> listener_change(const Listen& message, std::vector<UniqueFd> fds) {
  if (fds.size() != message.open.size() + message.reply_v4 + message.reply_v6)
    return fail(EBADMSG, "the sockets do not match their list");
  ListenerChange change{.keep = message.keep, .keep_replies = message.keep_replies};
  auto fd = fds.begin();
  for (const auto& l : message.open)
    change.open.push_back({l.transport, l.endpoint, std::move(*fd++)});
  if (message.reply_v4) change.replies.v4 = std::move(*fd++);
  if (message.reply_v6) change.replies.v6 = std::move(*fd++);
  return change;
}

}  // namespace wigeon::dns
