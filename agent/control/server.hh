// SPDX-License-Identifier: GPL-2.0-or-later
// The daemon's side of the control socket. A handler gets its Request when the caller may
// ask for it and, for changes, when no other change is at work; it answers now or later:
//   server.on("status", Permission::read, [&](Request, Server::Reply reply) {
//     reply.result(to_json(status()));
//   });
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "agent/base/loop.hh"
#include "agent/control/caller.hh"
#include "agent/control/limits.hh"
#include "agent/control/lock.hh"
#include "agent/control/protocol.hh"

namespace wigeon {

class Server {
 public:
  // The promise of one answer. Destroyed without one, it answers an error. A change is at
  // work until its Reply has answered, also when the client has gone.
  class Reply {
   public:
    struct Call;
    explicit Reply(std::unique_ptr<Call> call);
    Reply(Reply&&) noexcept;
    Reply& operator=(Reply&&) noexcept;
    ~Reply();

    void result(std::string json_object);
    void fail(Code code, std::string message);
    void fail(Failure failure) { fail(failure.code, std::move(failure.message)); }

    [[nodiscard]] const Caller& caller() const;
    // The change is made and only the answer is still to come (`up --wait`): the next
    // change may begin. Nothing to do for calls that are no change.
    void end_turn();
    // The client has gone: nobody will read the answer.
    [[nodiscard]] bool abandoned() const;

   private:
    friend Server;
    void answer(Outcome<std::string> result);
    std::unique_ptr<Call> call_;
  };
  using Handler = std::move_only_function<void(Request, Reply)>;

  struct Options {
    std::string path{};
    std::optional<gid_t> group{};  // find_group()
    ControlLimits limits{};
  };

  // Listens at once; calls are dispatched when the loop runs. The loop outlives the
  // server.
  static Result<Server> open(Loop& loop, Options options, const Lock& lock);
  Server(Server&&) noexcept;
  Server& operator=(Server&&) noexcept;
  ~Server();  // closes every connection and removes the socket; also from inside a
              // handler

  void on(std::string method, Permission permission, Handler handler);

  [[nodiscard]] size_t connections() const;

 private:
  struct State;
  explicit Server(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace wigeon
