// SPDX-License-Identifier: GPL-2.0-or-later
// Keeps queries for port 53 of our addresses coming to our resolver: stands on a rung of
// the ladder, asks as the host asks, and goes to another rung when that fails.
//
//   want() ─▶ rung() ─▶ the resolver opens sockets for it ─▶ opened(): attached
//        ─▶ ready(): asked ─ fails ─▶ put right, asked again ─▶ another rung
//
// The rung that is left takes no new queries, and goes when replies under way have had
// time to leave.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/base/loop.hh"
#include "agent/control/status.hh"
#include "agent/daemon/ladder.hh"
#include "agent/daemon/redirect.hh"
#include "dns/os/probe.hh"

namespace wigeon {

inline constexpr std::chrono::seconds kRedirectDrain{12};  // > a forwarded query takes
inline constexpr std::chrono::milliseconds kAskAgain{500};
inline constexpr std::chrono::seconds kReadyLimit{5};
// When nobody else asks: a little later than who asks every minute.
inline constexpr std::chrono::seconds kAskEvery{65};
inline constexpr std::chrono::seconds kProbeLimit{2};

class RedirectKeeper {
 public:
  using Notes = std::vector<std::string>;

  struct Events {
    // Durable before it is done, and gone again.
    std::move_only_function<Result<void>(const std::string& note)> changing{};
    std::move_only_function<void(const std::string& note)> undone{};
    // rung() is another one: the resolver shall listen for that. From the loop.
    std::move_only_function<void()> another_rung{};
    // The resolver does not answer where it listens, though it runs.
    std::move_only_function<void(const std::string& why)> hangs{};
    std::move_only_function<void()> changed{};  // what fill() and degraded() say
  };
  // The effects, so that tests put others in their place.
  struct Parts {
    std::function<Result<std::unique_ptr<Redirect>>(Rung)> make{};
    std::function<std::string(Rung)> note{};
    std::function<Result<void>(const std::string& note)> undo{};
    // Calls done once, later. What it returns cancels it.
    using ProbeDone =
        std::move_only_function<void(const std::vector<dns::os::ProbeResult>&)>;
    std::function<std::shared_ptr<void>(const std::vector<Endpoint>&, ProbeDone)> probe{};
  };

  // left: notes of an earlier run; what they say is taken over or away.
  RedirectKeeper(Loop& loop, Parts parts, const Notes& left, Events events);

  // Idempotent. own: the addresses the host is told.
  void want(DnsRedirect setting, std::vector<Address> own);
  // Nothing of ours shall be left; false: see degraded().
  bool withdraw();
  // Where the resolver shall be reached; nothing: there is no way.
  [[nodiscard]] std::optional<Rung> rung() const;

  // The sockets for this rung, which the resolver is about to get. Nothing happens when
  // that has been left meanwhile.
  void opened(Rung rung, const dns::ListenerSockets& sockets);
  // They cannot be what the rung needs.
  void refuse(const std::string& why);
  // It has them, and answers.
  void ready();

  // Asks these servers; done is called once, later, with "" or why no rung makes them
  // answer. One at a time: another one takes its place. What is returned cancels it.
  using Asked = std::move_only_function<void(const std::string& failure)>;
  std::shared_ptr<void> ask(std::vector<Endpoint> servers, Asked done);

  // Asks where the host asks, once, without a judgement.
  using Walked =
      std::move_only_function<void(const std::vector<dns::os::ProbeResult>& results)>;
  std::shared_ptr<void> walk(Walked done);

  // Asked since anything changed, with what result ever.
  [[nodiscard]] bool settled() const { return setting_ == DnsRedirect::off || judged_; }
  void fill(DnsStatus& status) const;
  [[nodiscard]] std::vector<Degraded> degraded() const;

 private:
  struct Held {
    std::unique_ptr<Redirect> redirect{};
    bool noted = false;
    bool draining = false;
    std::string failure{};  // why it could not be removed
    Loop::Watch gone{};
  };
  Result<void> lead(Rung rung, const dns::ListenerSockets& sockets);
  void leave_others();
  bool remove(Rung rung);
  void go_to_another_rung();
  void await_climb();
  void probe();
  void on_results(const std::vector<dns::os::ProbeResult>& results);
  void again_in(std::chrono::milliseconds wait);
  void answer(const std::string& failure);
  [[nodiscard]] std::string no_way() const;

  Loop& loop_;
  Parts parts_;
  Events events_;
  DnsRedirect setting_ = DnsRedirect::off;
  std::vector<Address> own_{};
  Ladder ladder_{};
  std::map<Rung, Held> held_{};
  std::vector<Endpoint> listening_{};  // for rung()

  std::vector<Endpoint> servers_{};  // to ask
  std::weak_ptr<Asked> asked_{};
  std::shared_ptr<void> probing_{};
  std::optional<Rung> led_{};  // whose sockets were opened; attached
  bool judged_ = false;
  bool asks_both_ = false;  // the last probe failed: where it listens is asked too
  std::string failure_{};   // of the last probe
  Loop::Watch next_{}, climb_{}, defer_{};
};

}  // namespace wigeon
