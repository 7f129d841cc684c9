// SPDX-License-Identifier: GPL-2.0-or-later
// One client of the daemon: a line in, a line out, one at a time. While a request is at
// work nothing more is read, so a client can queue no more than its socket's buffer.
// Whatever the client does, the callbacks return at once. Close it before limits and
// budget go.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "agent/base/loop.hh"
#include "agent/control/caller.hh"
#include "agent/control/limits.hh"

namespace wigeon {

// Bytes buffered for all connections of a server.
struct BufferBudget {
  size_t used = 0;
  size_t max = 0;
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  struct Events {
    std::function<void(Connection&, std::string line)> line{};
    std::function<void(Connection&)> closed{};  // the last call
  };

  Connection(Loop& loop, UniqueFd fd, const Caller& caller, const ControlLimits& limits,
             BufferBudget& budget, Events events);

  Result<void> start();
  // Answers the line that was handed out last. The connection may be closed when it
  // returns.
  void respond(std::string line);
  // Says what is wrong (id 0) and ends the connection.
  void refuse(Failure failure);
  void close();

  [[nodiscard]] bool open() const { return state_ != State::closed; }
  [[nodiscard]] const Caller& caller() const { return caller_; }

 private:
  enum class State { reading, working, writing, closed };

  void ready(uint32_t events);
  void read();
  void take_line();
  void write();
  void late();
  void arm(std::chrono::milliseconds after);
  void want(uint32_t events);
  bool account();

  Loop& loop_;
  UniqueFd fd_;
  const Caller caller_;
  const ControlLimits& limits_;
  BufferBudget& budget_;
  Events events_;

  State state_ = State::reading;
  std::string in_{};
  size_t scanned_ = 0;  // of in_, without a newline in it
  bool end_of_input_ = false;
  std::string out_{};
  size_t written_ = 0;
  bool last_ = false;     // close when out_ is written
  size_t accounted_ = 0;  // our share of the budget
  Loop::Watch watch_{};   // after fd_
  Loop::Watch timer_{};
  Loop::Watch resume_{};
};

}  // namespace wigeon
