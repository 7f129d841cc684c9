// SPDX-License-Identifier: GPL-2.0-or-later
// Asks our own resolver as the host will, before the host is pointed at it and for ever
// after: a name that only the resolver just started knows, at the very addresses and port
// that the host is told, over UDP and TCP.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "agent/base/ip.hh"
#include "agent/base/loop.hh"
#include "dns/answer.hh"
#include "dns/config.hh"

namespace wigeon::dns::os {

// What a probe asks: the TXT record of a name that nobody can guess. Its zone is given to
// the resolver with the others.
struct ProbeRecord {
  std::string name{};  // "0123456789abcdef.wigeon.invalid"
  std::string text{};

  static ProbeRecord make();  // new random ones
  [[nodiscard]] ZoneConfig zone() const;
  friend bool operator==(const ProbeRecord&, const ProbeRecord&) = default;
};

struct ProbeResult {
  Transport transport = Transport::udp;
  Endpoint server{};
  std::string failure{};  // "no reply within 2 s"; empty: our resolver answered
};

class Probe {
 public:
  using Done = std::move_only_function<void(const std::vector<ProbeResult>&)>;

  // Every server over both transports at the same time. done is called once, from the
  // loop, with all results; destroying the probe cancels it.
  static Result<std::unique_ptr<Probe>> start(Loop& loop, const ProbeRecord& record,
                                              const std::vector<Endpoint>& servers,
                                              std::chrono::milliseconds limit, Done done);
  ~Probe();

 private:
  class Attempt;
  Probe();
  void ended();

  std::vector<std::unique_ptr<Attempt>> attempts_;
  size_t open_ = 0;
  Done done_{};
  Loop::Watch limit_{}, finish_{};
};

// "udp 100.64.0.1:53: no reply", the first failure and how many more there are; empty
// when all is well.
std::string summary(const std::vector<ProbeResult>& results);

}  // namespace wigeon::dns::os
