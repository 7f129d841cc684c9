// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/redirect_walk.hh"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace wigeon {
namespace {

std::string_view text(dns::Transport t) {
  return t == dns::Transport::udp ? "udp" : "tcp";
}

// What the rung counted meanwhile: of this transport, and what is of neither.
std::string counted(const DnsStatus& before, const DnsStatus& after,
                    dns::Transport transport) {
  const std::string_view other = transport == dns::Transport::udp ? "TCP" : "UDP";
  std::string all;
  for (const auto& [what, n] : after.redirect_counters) {
    const auto at = before.redirect_counters.find(what);
    const uint64_t was = at == before.redirect_counters.end() ? 0 : at->second;
    if (n <= was || what.find(other) != what.npos) continue;
    all += fmt::format("{}{} +{}", all.empty() ? "" : ", ", what, n - was);
  }
  return all;
}

}  // namespace

std::vector<RedirectWalk> redirect_walks(
    const WalkInput& in, const std::vector<dns::os::ProbeResult>& results) {
  std::vector<RedirectWalk> walks;
  for (const auto& r : results) {
    RedirectWalk w{.transport = std::string(text(r.transport)),
                   .server = r.server.text()};
    const auto step = [&](const char* name, std::string detail, bool failed = false) {
      w.steps.push_back({name, std::move(detail), failed});
    };
    step("Query", fmt::format("TXT {} to {}, the address the host is told", in.name,
                              r.server.text()));
    const auto& now = *in.after;
    const bool attached = !now.redirect_attached.empty();
    step("Redirect",
         now.redirect + (attached ? ": " + now.redirect_attached : std::string()) +
             (now.redirect_program != 0
                  ? fmt::format(", program {}, tag {}", now.redirect_program,
                                now.redirect_tag)
                  : std::string()),
         now.redirect == "off");
    if (attached) {
      const auto more = counted(*in.before, now, r.transport);
      step("Counters", more.empty() ? "nothing was counted" : more, more.empty());
    }
    step("Listener",
         now.listen.empty() ? "no resolver runs"
                            : fmt::format("{}", fmt::join(now.listen, ", ")),
         now.listen.empty());
    step("Reply",
         r.failure.empty() ? "from " + r.server.text() + ", by our resolver" : r.failure,
         !r.failure.empty());
    walks.push_back(std::move(w));
  }
  return walks;
}

}  // namespace wigeon
