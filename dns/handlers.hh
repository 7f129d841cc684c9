// SPDX-License-Identifier: GPL-2.0-or-later
// Who is asked for a name that our own zones leave open: the groups of its longest match
// domain, else the primary groups, else the host's original servers. Groups of one
// handler race. A pure function of the configuration.
#pragma once

#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "dns/config.hh"

namespace wigeon::dns {

struct Handler {
  enum class Kind : uint8_t { match, primary, original };
  Kind kind = Kind::original;
  std::vector<uint32_t> groups{};  // places in the configuration, ascending
  // One number for each kind and list of servers; a later configuration that has the same
  // keeps the number, and no other ever gets it. What these groups said may be kept by
  // it.
  uint32_t source = 0;
};

class Handlers {
 public:
  // The original servers are one more group, behind the others. "*.corp.example" owns
  // what is below corp.example; the root as a domain makes a group primary. EINVAL names
  // the group and the domain that is no name. previous: to keep its sources.
  static Result<Handlers> build(const std::vector<GroupConfig>& groups,
                                const std::vector<Endpoint>& originals,
                                const Handlers& previous);

  // name: wire form, lower case. Without groups in it, nobody is to be asked.
  [[nodiscard]] const Handler& of(Bytes name) const;
  // The match domain that the name is in; empty when it is in none. Inside the name.
  [[nodiscard]] Bytes domain_of(Bytes name) const { return matching(name).domain; }
  [[nodiscard]] const Handler& originals() const { return all_[kOriginals]; }

 private:
  static constexpr uint32_t kOriginals = 0, kPrimaries = 1;
  // Places in all_; kOriginals: none.
  struct Domain {
    uint32_t itself = kOriginals;
    uint32_t below = kOriginals;
  };
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view s) const {
      return std::hash<std::string_view>()(s);
    }
  };
  using Servers = std::vector<std::vector<Endpoint>>;

  uint32_t add(Handler::Kind kind, std::vector<uint32_t> groups, const Servers& servers,
               const Handlers& previous);
  struct Match {
    uint32_t place = kOriginals;
    Bytes domain{};
  };
  [[nodiscard]] Match matching(Bytes name) const;

  std::vector<Handler> all_ = std::vector<Handler>(2);
  std::unordered_map<std::string, Domain, Hash, std::equal_to<>> domains_{};
  std::map<std::pair<Handler::Kind, Servers>, uint32_t> sources_{};
  uint32_t last_source_ = 0;
};

}  // namespace wigeon::dns
