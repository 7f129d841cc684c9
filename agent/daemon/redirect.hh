// SPDX-License-Identifier: GPL-2.0-or-later
// One rung, attached: what leads queries for port 53 to our resolver's sockets.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "agent/base/ip.hh"
#include "agent/base/result.hh"
#include "agent/daemon/rung.hh"
#include "dns/listeners.hh"

namespace wigeon {

// "This note takes it away": for the journal, under this kind.
inline constexpr const char* kRedirectJournalKind = "redirect";

// The table of the rung nftables; of the family inet.
inline constexpr const char* kNftDnsTable = "wigeon_dns";

struct RedirectAbout {
  std::string attached{};   // "tcx on lo", "table inet wigeon_dns"
  uint32_t program_id = 0;  // of the BPF program; 0: there is none
  std::string tag{};        // its digest as the kernel has it, 16 hexadecimal digits
  std::map<std::string, uint64_t> counters{};  // by reason
};

class Redirect {
 public:
  virtual ~Redirect() = default;  // what is attached stays so
  Redirect() = default;
  Redirect(const Redirect&) = delete;
  Redirect& operator=(const Redirect&) = delete;

  // From now on queries for port 53 of these addresses come to the sockets, which the
  // resolver gets right after. Empty: to those of the last time. Puts back what somebody
  // took away. Ends drain().
  virtual Result<void> lead(const std::vector<Address>& own,
                            const dns::ListenerSockets& sockets) = 0;
  // Takes no new queries; the replies of earlier ones still leave as they must.
  virtual Result<void> drain() = 0;
  virtual Result<void> remove() = 0;
  [[nodiscard]] virtual Result<RedirectAbout> about() = 0;
};

// Attaches nothing yet. pins: a folder in bpffs; without one the rung ends with us.
Result<std::unique_ptr<Redirect>> make_redirect(Rung rung, const std::string& pins);

// What the journal keeps for it, and what takes it away without a daemon; absent is fine.
std::string redirect_note(Rung rung, const std::string& pins);
// All there can be, should the journal be lost.
std::vector<std::string> redirect_notes(const std::string& pins);
std::optional<Rung> rung_of_note(const std::string& note);
Result<void> undo_redirect(const std::string& note);

}  // namespace wigeon
