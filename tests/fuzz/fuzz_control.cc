// SPDX-License-Identifier: GPL-2.0-or-later
// A client's bytes mean the same whether they come at once or in pieces, and every
// request that can be read can be written and read again. The first byte chooses the
// pieces.
#include <sys/socket.h>

#include <cstdlib>

#include "agent/control/connection.hh"

using namespace wigeon;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

const ControlLimits kLimits{.request = 2000};

std::string answer(const std::string& line) {
  const auto request = decode_request(line);
  if (!request) return {};
  require(decode_request(std::string_view(encode(*request))
                             .substr(0, encode(*request).size() - 1)) == *request);
  if (const auto up = decode_up(request->params)) require(*decode_up(encode(*up)) == *up);
  if (const auto level = decode_log_level(request->params))
    require(*decode_log_level(encode(*level)) == *level);
  if (const auto networks = decode_networks(request->params))
    require(*decode_networks(encode(*networks)) == *networks);
  if (const auto list = decode_networks_list(request->params))
    require(*decode_networks_list(encode(*list)) == *list);
  if (const auto rules = decode_forwarding(request->params))
    require(*decode_forwarding(encode(*rules)) == *rules);
  if (const auto walks = decode_redirect(request->params))
    require(*decode_redirect(encode(*walks)) == *walks);
  if (const auto flush = decode_dns_flush(request->params))
    require(*decode_dns_flush(encode(*flush)) == *flush);
  if (const auto query = decode_dns_query(request->params))
    require(*decode_dns_query(encode(*query)) == *query);
  if (const auto queried = decode_dns_queried(request->params))
    require(*decode_dns_queried(encode(*queried)) == *queried);
  return encode(Response{.id = request->id, .result = request->params});
}

// Everything a connection answers to these bytes.
std::string talk(Loop& loop, std::string_view bytes, size_t piece) {
  int fds[2];
  require(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0);
  const UniqueFd client(fds[0]);
  BufferBudget budget{.max = kLimits.buffered};
  bool closed = false;
  const auto connection = std::make_shared<Connection>(
      loop, UniqueFd(fds[1]), Caller{.root = true}, kLimits, budget,
      Connection::Events{.line =
                             [](Connection& c, const std::string& line) {
                               auto a = answer(line);
                               if (a.empty()) return c.refuse({Code::usage, "no"});
                               c.respond(std::move(a));
                             },
                         .closed = [&](Connection&) { closed = true; }});
  require(connection->start().has_value());
  std::string out;
  const auto pump = [&] {
    for (bool more = true; more;) {
      more = *loop.run_once(std::chrono::microseconds(0));
      char chunk[4096];
      for (ssize_t n; (n = ::recv(client.get(), chunk, sizeof chunk, 0)) > 0; more = true)
        out.append(chunk, static_cast<size_t>(n));
    }
  };
  for (size_t at = 0; at < bytes.size() && !closed; at += piece) {
    const auto part = bytes.substr(at, piece);
    (void)!::send(client.get(), part.data(), part.size(), MSG_NOSIGNAL);
    pump();
  }
  ::shutdown(client.get(), SHUT_WR);
  pump();
  require(closed && budget.used == 0);
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0 || size > 16384) return 0;
  static Loop loop = *Loop::open();
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const size_t piece = std::max<size_t>(data[0], bytes.size() / 500 + 1);
  require(talk(loop, bytes, bytes.size() + 1) == talk(loop, bytes, piece));
  (void)decode_response(bytes);  // a crash is all that could go wrong
  return 0;
}
