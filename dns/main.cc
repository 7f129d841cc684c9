// SPDX-License-Identifier: GPL-2.0-or-later
// wigeon-resolver: started by wigeond with a socket pair as descriptor 3
// (dns/control.hh), ends when that closes. It is nobody's tool on the command line.
#include <malloc.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdio>
#include <string_view>

#include "agent/base/log.hh"
#include "dns/control.hh"
#include "dns/sandbox.hh"
#include "dns/server.hh"
#include "dns/upstream.hh"

namespace wigeon::dns {
namespace {

constexpr int kSocket = 3;

class Program {
 public:
  Program(Loop& loop, UniqueFd socket, std::unique_ptr<Upstream> upstream)
      : loop_(loop),
        socket_(std::move(socket)),
        upstream_(std::move(upstream)),
        service_(*upstream_),
        server_(loop, service_) {}

  Result<void> start(std::string sandbox) {
    TRY(server_.start());
    watch_ = TRY(loop_.watch(socket_.get(), EPOLLIN, [this](uint32_t) { ready(); }));
    tell(Hello{std::move(sandbox)});
    return {};
  }

 private:
  void ready() {
    auto packet = receive_packet(socket_.get());
    if (!packet) {
      if (packet.error().code != EAGAIN)
        log::error("control socket: {}, ignoring", packet.error().what);
      return;
    }
    if (!*packet) return loop_.exit(0);
    auto message = decode_to_resolver((*packet)->bytes);
    if (!message)
      return log::error("control message: {}, ignoring", message.error().what);
    auto& fds = (*packet)->fds;
    if (auto* m = std::get_if<Listen>(&*message))
      listen(*m, std::move(fds));
    else if (auto* c = std::get_if<Configure>(&*message))
      configure(c->generation, fds);
    else
      tell(TellStatistics{server_.statistics()});
  }

  void listen(const Listen& message, std::vector<UniqueFd> fds) {
    ListenerSockets sockets;
    if (fds.size() != message.listeners.size())
      return tell(Listening{"the sockets do not match their list"});
    for (size_t i = 0; i < fds.size(); ++i)
      sockets.push_back({message.listeners[i].transport, message.listeners[i].endpoint,
                         std::move(fds[i])});
    const auto done = server_.listen(std::move(sockets));
    tell(Listening{done ? std::string{} : done.error().what});
  }

  void configure(uint32_t generation, const std::vector<UniqueFd>& fds) {
    auto applied = fds.size() == 1
                       ? apply(fds[0].get())
                       : Result<Applied>(fail(EBADMSG, "no configuration came"));
    // What a large configuration took while it was text goes back to the system.
    ::malloc_trim(0);
    if (!applied) return tell(Refused{generation, std::move(applied).error().what});
    applied->generation = generation;
    tell(std::move(*applied));
  }

  // All or nothing: what can fail comes first.
  Result<Applied> apply(int fd) {
    auto config = TRY(read_sealed_config(fd));
    auto zones = TRY(Zones::build(config.zones, config.overlay));
    Applied applied{.zones = static_cast<uint32_t>(zones->zone_count()),
                    .names = static_cast<uint32_t>(zones->name_count())};
    const auto listeners = server_.endpoints();
    const auto without_loops = [&](std::vector<Endpoint>& servers) {
      auto usable = usable_upstreams(servers, config.own_addresses, listeners);
      servers = std::move(usable.servers);
      for (auto& e : usable.dropped)
        if (applied.dropped_upstreams.size() < kMaxUpstreams &&
            std::ranges::count(applied.dropped_upstreams, e) == 0)
          applied.dropped_upstreams.push_back(e);
    };
    without_loops(config.upstreams);
    for (auto& group : config.groups) without_loops(group.servers);
    TRY(service_.set_upstreams({.groups = std::move(config.groups),
                                .originals = std::move(config.upstreams),
                                .guard = {config.own_addresses, config.overlay}}));
    service_.set_access({std::move(config.own_addresses), std::move(config.allow_from)});
    service_.replace_zones(std::move(zones));
    return applied;
  }

  void tell(const ToDaemon& message) {
    if (auto sent = send_packet(socket_.get(), encode(message), {}); !sent)
      log::warning("telling the daemon: {}, ignoring", sent.error().what);
  }

  Loop& loop_;
  UniqueFd socket_;
  std::unique_ptr<Upstream> upstream_;
  Service service_;
  Server server_;
  Loop::Watch watch_{};
};

Result<int> run() {
  ::prctl(PR_SET_NAME, "wigeon-resolver");
  int kind = 0;
  socklen_t size = sizeof kind;
  if (::getsockopt(kSocket, SOL_SOCKET, SO_TYPE, &kind, &size) != 0 ||
      kind != SOCK_SEQPACKET)
    return fail(EINVAL,
                "descriptor 3 is not wigeond's socket; wigeond starts this program");
  auto loop = TRY(Loop::open());
  auto upstream = TRY(Upstream::open(loop));
  auto sandbox = TRY(enter_sandbox());
  Program program(loop, UniqueFd(kSocket), std::move(upstream));
  TRY(program.start(std::move(sandbox)));
  return loop.run();
}

}  // namespace
}  // namespace wigeon::dns

int main(int argc, char** argv) {
  using namespace wigeon;
  if (argc == 2 && std::string_view(argv[1]) == "--version") {
    std::puts("wigeon-resolver " WIGEON_VERSION);
    return 0;
  }
  log::set_program("wigeon-resolver");
  const auto code = dns::run();
  if (!code) {
    log::error("{}", code.error().what);
    return 1;
  }
  return *code;
}
