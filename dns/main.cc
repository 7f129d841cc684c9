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
#include "dns/inquiry.hh"
#include "dns/loader.hh"
#include "dns/sandbox.hh"
#include "dns/server.hh"
#include "dns/upstream.hh"

namespace wigeon::dns {
namespace {

constexpr int kSocket = 3;
// Blocks from here on are mappings of their own, which go back to the system when freed.
// Left alone, the C library raises this with the size of what is freed.
constexpr int kMapped = 128 << 10;

// Changes of the listeners before the first configuration.
constexpr size_t kMaxWaiting = 16;

class Program {
 public:
  Program(Loop& loop, UniqueFd socket, std::unique_ptr<Upstream> upstream)
      : loop_(loop),
        socket_(std::move(socket)),
        upstream_(std::move(upstream)),
        service_(*upstream_),
        server_(loop, service_) {}

  // What needs system calls that the sandbox takes away.
  Result<void> prepare() {
    loader_ = TRY(Loader::start(loop_, [this](uint32_t generation, auto loaded) {
      configured(generation, std::move(loaded));
    }));
    return {};
  }

  Result<void> start(std::string sandbox) {
    TRY(server_.start());
    watch_ = TRY(loop_.watch(socket_.get(), EPOLLIN, [this](uint32_t) { ready(); }));
    say(Hello{std::move(sandbox)});
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
      configure(c->generation, std::move(fds));
    else if (auto* f = std::get_if<Flush>(&*message))
      flush(*f);
    else if (auto* q = std::get_if<Query>(&*message))
      inquire(service_, *q, Loop::now(), [this](const Traced& t) { say(t); });
    else
      say_statistics();
  }

  void say_statistics() {
    TellStatistics message{server_.statistics()};
    message.statistics.upstream = upstream_->statistics();
    say(message);
  }

  void flush(const Flush& message) {
    const auto name = Name::parse(message.name.empty() ? "." : message.name);
    if (!name) return say(Flushed{message.id, 0, name.error().what});
    say(Flushed{message.id, service_.flush(*name), {}});
  }

  // Queries wait in the sockets until there is something to answer them with.
  void listen(const Listen& message, std::vector<UniqueFd> fds) {
    if (waiting_.size() == kMaxWaiting)
      return say(Listening{"too many changes before the first configuration"});
    auto change = listener_change(message, std::move(fds));
    if (!change) return tell_listening(std::move(change).error().what);
    waiting_.push_back(std::move(*change));
    if (is_configured_) serve();
  }

  void serve() {
    for (auto& change : std::exchange(waiting_, {})) {
      const auto done = server_.listen(std::move(change));
      tell_listening(done ? std::string{} : done.error().what);
    }
  }

  void tell_listening(std::string failure) {
    auto listening = server_.listening();
    listening.failure = std::move(failure);
    say(listening);
  }

  void configure(uint32_t generation, std::vector<UniqueFd> fds) {
    if (fds.size() != 1) return say(Refused{generation, "no configuration came"});
    loader_->load(generation, std::move(fds[0]));
  }

  void configured(uint32_t generation, Result<Loaded> loaded) {
    auto applied = loaded ? apply(std::move(*loaded))
                          : Result<Applied>(std::unexpected(std::move(loaded).error()));
    is_configured_ = true;
    serve();
    if (!applied) return say(Refused{generation, std::move(applied).error().what});
    applied->generation = generation;
    say(std::move(*applied));
  }

  [[nodiscard]] std::vector<Endpoint> listeners() const {
    auto all = server_.endpoints();
    for (const auto& change : waiting_)
      for (const auto& s : change.open) all.push_back(s.endpoint);
    return all;
  }

  // All or nothing: what can fail comes first.
  Result<Applied> apply(Loaded loaded) {
    auto& config = loaded.config;
    Applied applied{.zones = static_cast<uint32_t>(loaded.zones->zone_count()),
                    .names = static_cast<uint32_t>(loaded.zones->name_count())};
    const auto listening = listeners();
    const auto without_loops = [&](std::vector<Endpoint>& servers) {
      auto usable = usable_upstreams(servers, config.own_addresses, listening);
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
    service_.set_access({std::move(config.own_addresses), std::move(config.allow_from),
                         std::move(config.interfaces)});
    loader_->discard(service_.replace_zones(std::move(loaded.zones)));
    service_.set_serve_stale(std::chrono::seconds(config.serve_stale));
    return applied;
  }

  void say(const ToDaemon& message) {
    if (auto sent = tell(socket_.get(), message); !sent)
      log::warning("telling the daemon: {}, ignoring", sent.error().what);
  }

  Loop& loop_;
  UniqueFd socket_;
  std::unique_ptr<Upstream> upstream_;
  Service service_;
  Server server_;
  std::vector<ListenerChange> waiting_{};  // for the first configuration
  bool is_configured_ = false;
  Loop::Watch watch_{};
  std::unique_ptr<Loader> loader_{};
};

Result<int> run() {
  ::prctl(PR_SET_NAME, "wigeon-resolver");
  ::mallopt(M_MMAP_THRESHOLD, kMapped);
  int kind = 0;
  socklen_t size = sizeof kind;
  if (::getsockopt(kSocket, SOL_SOCKET, SO_TYPE, &kind, &size) != 0 ||
      kind != SOCK_SEQPACKET)
    return fail(EINVAL,
                "descriptor 3 is not wigeond's socket; wigeond starts this program");
  auto loop = TRY(Loop::open());
  auto upstream = TRY(Upstream::open(loop));
  Program program(loop, UniqueFd(kSocket), std::move(upstream));
  TRY(program.prepare());
  auto sandbox = TRY(enter_sandbox());
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
