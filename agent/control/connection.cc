// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/control/connection.hh"

#include <sys/socket.h>

#include <array>

namespace wigeon {
namespace {

constexpr size_t kChunk = size_t{64} << 10;

}  // namespace

Connection::Connection(Loop& loop, UniqueFd fd, const Caller& caller,
                       const ControlLimits& limits, BufferBudget& budget, Events events)
    : loop_(loop),
      fd_(std::move(fd)),
      caller_(caller),
      limits_(limits),
      budget_(budget),
      events_(std::move(events)) {}

Result<void> Connection::start() {
  watch_ = TRY(loop_.watch(fd_.get(), EPOLLIN, [this](uint32_t e) { ready(e); }));
  timer_ = TRY(loop_.after(limits_.first_request, [this] { late(); }));
  return {};
}

void Connection::respond(std::string line) {
  if (state_ != State::working) return;
  const auto self = shared_from_this();
  state_ = State::writing;
  out_ = std::move(line);
  written_ = 0;
  if (!account()) return close();
  arm(limits_.reading);
  write();
}

void Connection::refuse(Failure failure) {
  if (!open()) return;
  last_ = true;
  state_ = State::working;
  in_ = {};
  respond(encode(Response{.id = 0, .result = std::unexpected(std::move(failure))}));
}

void Connection::close() {
  if (!open()) return;
  const auto self = shared_from_this();
  state_ = State::closed;
  resume_.reset();
  timer_.reset();
  watch_.reset();
  fd_.reset();
  in_ = {};
  out_ = {};
  (void)account();  // it only shrinks
  events_.closed(*this);
}

void Connection::ready(uint32_t events) {
  const auto self = shared_from_this();
  // Not EPOLLRDHUP: a client that only shut down its writing side still reads.
  if (events & (EPOLLHUP | EPOLLERR)) return close();
  if (state_ == State::reading) read();
  if (state_ == State::writing && (events & EPOLLOUT)) write();
}

void Connection::read() {
  const size_t had = in_.size();
  in_.resize(had + kChunk);
  const ssize_t n = ::recv(fd_.get(), in_.data() + had, kChunk, MSG_DONTWAIT);
  in_.resize(had + (n > 0 ? static_cast<size_t>(n) : 0));
  if (n < 0) {
    if (errno != EAGAIN && errno != EINTR) close();
    return;
  }
  if (n == 0) end_of_input_ = true;
  take_line();
}

void Connection::take_line() {
  if (state_ != State::reading) return;
  const size_t newline = in_.find('\n', scanned_);
  scanned_ = newline == in_.npos ? in_.size() : 0;
  const size_t length = newline == in_.npos ? in_.size() : newline;
  const size_t limit = caller_.root ? limits_.request : limits_.small_request;
  if (length > limit)
    return refuse({Code::usage, "the request is longer than " + std::to_string(limit) +
                                    " bytes" +
                                    (caller_.root ? "" : "; root may send more")});
  if (!account())
    return refuse(
        {Code::busy, "too many bytes are on their way to the daemon; try again"});
  if (newline == in_.npos) {
    if (end_of_input_) close();
    return;
  }
  std::string line;
  if (newline + 1 == in_.size()) {
    line = std::exchange(in_, {});
    line.pop_back();
  } else {
    line = in_.substr(0, newline);
    in_.erase(0, newline + 1);
  }
  state_ = State::working;
  timer_.reset();
  want(0);
  if (open()) events_.line(*this, std::move(line));
}

void Connection::write() {
  while (written_ < out_.size()) {
    const ssize_t n = ::send(fd_.get(), out_.data() + written_, out_.size() - written_,
                             MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) return want(EPOLLOUT);
    if (n < 0) return close();
    written_ += static_cast<size_t>(n);
  }
  if (last_) return close();
  out_ = {};
  (void)account();  // it only shrinks
  state_ = State::reading;
  arm(limits_.idle);
  want(end_of_input_ ? 0u : EPOLLIN);
  if (!open() || (in_.empty() && !end_of_input_)) return;
  // Lines that came with the last one: in the next round, so that others have theirs
  // before.
  auto resume = loop_.defer([this] {
    const auto self = shared_from_this();
    take_line();
  });
  if (!resume) return close();
  resume_ = *std::move(resume);
}

void Connection::late() {
  const auto self = shared_from_this();
  if (state_ == State::reading && !in_.empty())
    return refuse(
        {Code::timeout, "no whole request came in time; a request is one line"});
  close();
}

void Connection::arm(std::chrono::milliseconds after) {
  auto timer = loop_.after(after, [this] { late(); });
  if (!timer) return close();
  timer_ = *std::move(timer);
}

void Connection::want(uint32_t events) {
  if (open() && !watch_.change(events)) close();
}

// False when the buffers of all connections hold too much with ours as they are now.
bool Connection::account() {
  budget_.used += in_.size() + out_.size() - accounted_;
  accounted_ = in_.size() + out_.size();
  return budget_.used <= budget_.max;
}

}  // namespace wigeon
