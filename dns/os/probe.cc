// SPDX-License-Identifier: GPL-2.0-or-later
#include "dns/os/probe.hh"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>

#include "agent/base/owned.hh"
#include "dns/framing.hh"
#include "dns/message.hh"
#include "dns/random.hh"

namespace wigeon::dns::os {
namespace {

constexpr std::chrono::milliseconds kRepeat{500};  // of a query over UDP
constexpr uint32_t kProbeTtl = 0;

std::string random_hex() {
  Random random;
  return fmt::format("{:04x}{:04x}{:04x}{:04x}", random.u16(), random.u16(), random.u16(),
                     random.u16());
}

// Why it is not our resolver's answer; empty when it is.
std::string judge(Bytes reply, const Name& name, const std::string& text) {
  Reader in(reply);
  const auto header = in.header();
  if (!header || !(header->flags & flag::kQr)) return "not a reply";
  if (const int code = header->flags & flag::kRcode; code != 0)
    return fmt::format("another server answers there: rcode {}", code);
  const auto question =
      header->questions == 1 ? in.question() : Result<Question>(fail(EBADMSG, ""));
  if (!question || !(question->name == name)) return "a reply to another question";
  const auto record =
      header->answers == 1 ? in.record() : Result<Record>(fail(EBADMSG, ""));
  const bool same = record && record->rdata.size() == text.size() + 1 &&
                    std::equal(text.begin(), text.end(), record->rdata.begin() + 1);
  return same ? "" : "another server answers there";
}

}  // namespace

ProbeRecord ProbeRecord::make() {
  return {random_hex() + ".wigeon.invalid", random_hex()};
}

ZoneConfig ProbeRecord::zone() const {
  return {.domain = name, .records = {{name, type::kTxt, kProbeTtl, '"' + text + '"'}}};
}

class Probe::Attempt {
 public:
  Attempt(Probe& owner, Loop& loop, const ProbeRecord& record, Transport transport,
          const Endpoint& server)
      : result{transport, server, {}},
        owner_(owner),
        loop_(loop),
        name_(*Name::parse(record.name)),
        text_(record.text) {}

  void start() {
    if (auto begun = begin(); !begun) end(begun.error().what);
  }
  void end(std::string failure) {
    if (ended_) return;
    ended_ = true;
    result.failure = std::move(failure);
    watch_.reset();
    repeat_.reset();
    owner_.ended();
  }

  ProbeResult result;

 private:
  Result<void> begin() {
    const bool udp = result.transport == Transport::udp;
    const int kind = udp ? SOCK_DGRAM : SOCK_STREAM;
    fd_ = UniqueFd(::socket(static_cast<int>(result.server.address.family()),
                            kind | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd_) return fail_errno("socket");
    sockaddr_storage to{};
    const socklen_t size = to_sockaddr(result.server, to);
    if (::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&to), size) != 0 &&
        errno != EINPROGRESS)
      return fail_errno("connect");
    Random random;
    const auto query =
        make_query(random.u16(), flag::kRd, {name_, type::kTxt}, std::nullopt);
    if (udp)
      query_ = query;
    else
      append_framed(query_, query);
    id_ = {query[0], query[1]};
    watch_ = TRY(loop_.watch(fd_.get(), udp ? EPOLLIN : EPOLLOUT,
                             [this](uint32_t events) { ready(events); }));
    if (!udp) return {};
    repeat_ = TRY(loop_.after(kRepeat, [this] {
      (void)::send(fd_.get(), query_.data(), query_.size(), MSG_NOSIGNAL);
      (void)repeat_.restart(kRepeat);
    }));
    if (::send(fd_.get(), query_.data(), query_.size(), MSG_NOSIGNAL) < 0)
      return fail_errno("send");
    return {};
  }

  void ready(uint32_t events) {
    if (events & EPOLLOUT) {  // connected, or not
      const ssize_t n = ::send(fd_.get(), query_.data(), query_.size(), MSG_NOSIGNAL);
      if (n != static_cast<ssize_t>(query_.size())) return end(error_text("send", errno));
      if (auto changed = watch_.change(EPOLLIN); !changed) end(changed.error().what);
      return;
    }
    if (result.transport == Transport::tcp) return read_stream();
    std::array<uint8_t, kUdpPayload> bytes{};
    const ssize_t n = ::recv(fd_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n < 0) return end(error_text("receive", errno));
    take(Bytes(bytes).first(static_cast<size_t>(n)));
  }

  void read_stream() {
    const auto space = framer_.space(kUdpPayload);
    const ssize_t n = ::recv(fd_.get(), space.data(), space.size(), MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n < 0) return end(error_text("receive", errno));
    if (n == 0) return end("the connection was closed");
    framer_.commit(static_cast<size_t>(n));
    if (const auto message = framer_.next())
      take(*message);
    else if (framer_.buffered() > kMaxMessage)
      end("not a reply");
  }

  void take(Bytes reply) {
    // Somebody else's datagram, or a late one: the right one may still come.
    if (reply.size() < kHeaderSize || reply[0] != id_[0] || reply[1] != id_[1]) return;
    end(judge(reply, name_, text_));
  }

  static std::string error_text(const char* doing, int code) {
    return fmt::format("{}: {}", doing, std::strerror(code));
  }

  Probe& owner_;
  Loop& loop_;
  Name name_;
  std::string text_;
  UniqueFd fd_{};
  std::vector<uint8_t> query_{};
  std::array<uint8_t, 2> id_{};
  Framer framer_{};
  bool ended_ = false;
  Loop::Watch watch_{}, repeat_{};
};

Probe::Probe() = default;
Probe::~Probe() = default;

Result<std::unique_ptr<Probe>> Probe::start(Loop& loop, const ProbeRecord& record,
                                            const std::vector<Endpoint>& servers,
                                            std::chrono::milliseconds limit, Done done) {
  std::unique_ptr<Probe> p(new Probe);
  p->done_ = std::move(done);
  for (const auto& server : servers)
    for (const auto transport : {Transport::udp, Transport::tcp})
      p->attempts_.push_back(
          std::make_unique<Attempt>(*p, loop, record, transport, server));
  p->open_ = p->attempts_.size() + 1;  // one for this function: done comes later
  p->limit_ = TRY(loop.after(limit, [self = p.get(), limit] {
    ++self->open_;  // so that the last one's end is not ours
    for (auto& a : self->attempts_)
      a->end(fmt::format("no reply within {} ms", limit.count()));
    self->ended();
  }));
  p->finish_ = TRY(loop.defer([self = p.get()] { self->ended(); }));
  for (auto& a : p->attempts_) a->start();
  return p;
}

void Probe::ended() {
  if (--open_ > 0) return;
  limit_.reset();
  std::vector<ProbeResult> results;
  for (const auto& a : attempts_) results.push_back(a->result);
  auto done = std::move(done_);
  done(results);  // may destroy this
}

std::string summary(const std::vector<ProbeResult>& results) {
  const auto failed = [](const ProbeResult& r) { return !r.failure.empty(); };
  const auto first = std::ranges::find_if(results, failed);
  if (first == results.end()) return {};
  const auto more = std::ranges::count_if(results, failed) - 1;
  return fmt::format("{} {}: {}{}", first->transport == Transport::udp ? "udp" : "tcp",
                     first->server.text(), first->failure,
                     more > 0 ? fmt::format(" (and {} more)", more) : "");
}

}  // namespace wigeon::dns::os
