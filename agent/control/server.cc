// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/control/server.hh"

#include <sys/socket.h>

#include <algorithm>
#include <deque>
#include <map>
#include <set>

#include "agent/control/connection.hh"
#include "agent/control/listener.hh"

namespace wigeon {
namespace {

constexpr int kAcceptsInARow = 16;
// accept(2) without descriptors or memory would wake us for ever.
constexpr std::chrono::milliseconds kAcceptPause{200};

// To somebody who gets no connection. What does not fit in the empty socket is lost.
void turn_away(const UniqueFd& fd, Failure failure) {
  const auto line =
      encode(Response{.id = 0, .result = std::unexpected(std::move(failure))});
  (void)!::send(fd.get(), line.data(), line.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
}

}  // namespace

struct Server::Reply::Call {
  std::weak_ptr<State> server{};
  std::weak_ptr<Connection> connection{};
  uint64_t id = 0;
  Caller caller{};
  bool holds_turn = false;  // of the changes
};

struct Server::State : std::enable_shared_from_this<State> {
  struct Method {
    Permission permission;
    Handler handler;
  };
  struct Waiting {
    Method* method;
    Request request;
    Reply reply;
  };

  State(Loop& l, Options o, Listener&& on)
      : loop(l), options(std::move(o)), listener(std::move(on)) {
    budget.max = options.limits.buffered;
  }
  State(const State&) = delete;
  ~State() {
    while (!connections.empty()) (*connections.begin())->close();
  }

  Result<void> start() {
    accepting = TRY(loop.watch(listener.fd(), EPOLLIN, [this](uint32_t) { accept(); }));
    pause = TRY(loop.after(kAcceptPause, [this] { (void)accepting.change(EPOLLIN); }));
    return {};
  }

  void accept() {
    for (int i = 0; i < kAcceptsInARow; ++i) {
      UniqueFd fd(
          ::accept4(listener.fd(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (fd) {
        admit(std::move(fd));
      } else if (errno != EINTR && errno != ECONNABORTED) {
        if (errno != EAGAIN) pause_accepting();
        return;
      }
    }
  }

  void pause_accepting() {
    // Made at the start: a new timer may need a descriptor.
    if (pause.restart(kAcceptPause)) (void)accepting.change(0);  // else busy, not deaf
  }

  void admit(UniqueFd fd) {
    const auto caller = identify(fd.get(), options.group);
    if (!caller || !caller->may(Permission::read))
      return turn_away(fd, {Code::not_permitted,
                            "only root and members of the socket's "
                            "group may talk to the daemon"});
    const auto& limits = options.limits;
    const size_t kept = caller->root ? 0 : limits.kept_for_root;
    const auto of_uid = static_cast<size_t>(std::ranges::count_if(
        connections, [&](const auto& c) { return c->caller().uid == caller->uid; }));
    if (connections.size() + kept >= limits.connections ||
        of_uid >= limits.connections_of_uid)
      return turn_away(fd, {Code::busy, "too many connections to the daemon; try again"});
    const auto connection = std::make_shared<Connection>(
        loop, std::move(fd), *caller, options.limits, budget,
        Connection::Events{
            .line = [this](Connection& c, const std::string& line) { request(c, line); },
            .closed =
                [this](Connection& c) { connections.erase(c.shared_from_this()); }});
    if (connection->start()) connections.insert(connection);
  }

  void request(Connection& connection, const std::string& line) {
    const auto self = shared_from_this();  // the handler may destroy the server
    auto decoded = decode_request(line);
    if (!decoded)
      return connection.refuse({Code::usage, std::move(decoded).error().what});
    auto call = std::make_unique<Reply::Call>();
    call->server = weak_from_this();
    call->connection = connection.weak_from_this();
    call->id = decoded->id;
    call->caller = connection.caller();
    Reply reply(std::move(call));

    const auto found = methods.find(decoded->method);
    if (found == methods.end())
      return reply.fail(Code::usage,
                        "unknown method \"" + decoded->method.substr(0, 64) + "\"");
    Method& method = found->second;
    if (!connection.caller().may(method.permission))
      return reply.fail(Code::not_permitted, decoded->method + " is for root only");
    if (!is_change(method.permission))
      return method.handler(*std::move(decoded), std::move(reply));
    if (waiting.size() >= options.limits.waiting_changes && changing)
      return reply.fail(Code::busy, "other changes are at work; try again");
    waiting.push_back({&method, *std::move(decoded), std::move(reply)});
    next_change();
  }

  void next_change() {
    const auto self = shared_from_this();  // the handler may destroy the server
    if (changing) return;
    while (!waiting.empty() && waiting.front().reply.abandoned()) waiting.pop_front();
    if (waiting.empty()) return;
    changing = true;
    auto turn = std::move(waiting.front());
    waiting.pop_front();
    turn.reply.call_->holds_turn = true;
    turn.method->handler(std::move(turn.request), std::move(turn.reply));
  }

  // In the next round: the handler that ended this change may still be on the stack.
  void end_change() {
    changing = false;
    if (waiting.empty()) return;
    auto deferred = loop.defer([this] { next_change(); });
    if (deferred) turn_over = *std::move(deferred);
  }

  Loop& loop;
  const Options options;
  Listener listener;
  BufferBudget budget{};
  std::map<std::string, Method> methods{};
  std::set<std::shared_ptr<Connection>> connections{};
  bool changing = false;
  std::deque<Waiting> waiting{};
  Loop::Watch turn_over{};
  Loop::Watch pause{};
  Loop::Watch accepting{};  // after listener
};

Server::Reply::Reply(std::unique_ptr<Call> call) : call_(std::move(call)) {}
Server::Reply::Reply(Reply&&) noexcept = default;
Server::Reply& Server::Reply::operator=(Reply&& other) noexcept {
  if (this != &other) {
    Reply old(std::move(*this));
    call_ = std::move(other.call_);
  }
  return *this;
}

Server::Reply::~Reply() {
  if (call_) fail(Code::error, "the daemon gave the request up");
}

void Server::Reply::result(std::string json_object) { answer(std::move(json_object)); }

void Server::Reply::fail(Code code, std::string message) {
  answer(std::unexpected(Failure{code, std::move(message)}));
}

const Caller& Server::Reply::caller() const {
  static const Caller nobody{};
  return call_ ? call_->caller : nobody;
}

void Server::Reply::end_turn() {
  if (!call_ || !std::exchange(call_->holds_turn, false)) return;
  if (const auto server = call_->server.lock()) server->end_change();
}

bool Server::Reply::abandoned() const {
  const auto connection = call_ ? call_->connection.lock() : nullptr;
  return !connection || !connection->open();
}

void Server::Reply::answer(Outcome<std::string> result) {
  end_turn();
  const auto call = std::exchange(call_, nullptr);
  if (!call) return;
  const auto server = call->server.lock();
  if (!server) return;
  const auto connection = call->connection.lock();
  if (!connection) return;
  if (result && result->size() > server->options.limits.response)
    result = std::unexpected(Failure{Code::error, "the answer is too long to be sent"});
  connection->respond(encode(Response{.id = call->id, .result = std::move(result)}));
}

Server::Server(std::shared_ptr<State> state) : state_(std::move(state)) {}
Server::Server(Server&&) noexcept = default;
Server& Server::operator=(Server&&) noexcept = default;
Server::~Server() = default;

Result<Server> Server::open(Loop& loop, Options options, const Lock& lock) {
  Listener listener = TRY(Listener::open(options.path, options.group, lock));
  auto state = std::make_shared<State>(loop, std::move(options), std::move(listener));
  TRY(state->start());
  return Server(std::move(state));
}

void Server::on(std::string method, Permission permission, Handler handler) {
  state_->methods.insert_or_assign(std::move(method),
                                   State::Method{permission, std::move(handler)});
}

size_t Server::connections() const { return state_->connections.size(); }

}  // namespace wigeon
