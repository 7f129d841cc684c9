// SPDX-License-Identifier: GPL-2.0-or-later
// The rules of bpf/abi/dns_redirect.h once more, for frames as byte strings: what the
// programs must do with each.
#pragma once

#include <optional>
#include <set>
#include <span>
#include <tuple>
#include <vector>

#include "bpf/abi/dns_redirect.h"
#include "tests/bpf/frame.hh"

namespace wigeon::test {

class RedirectModel {
 public:
  struct Rules {
    std::vector<Address> own{};
    std::vector<Address> listening{};  // those at whose real port somebody listens
    uint16_t port = 0;
    bool draining = false;
  };

  void set(Rules rules) { rules_ = std::move(rules); }
  void forget() { flows_.clear(); }
  [[nodiscard]] size_t flows() const { return flows_.size(); }
  // Rewrites the frame; the reason it is counted by, if it is.
  std::optional<dns_redirect_reason> judge(Bytes& frame);

 private:
  using Flow = std::tuple<uint8_t, Address, uint16_t, Address>;
  struct Segment;
  std::optional<dns_redirect_reason> judge(Bytes& frame, const Segment& s);
  std::optional<dns_redirect_reason> query(const Segment& s);

  Rules rules_{};
  std::set<Flow> flows_{};
};

}  // namespace wigeon::test
