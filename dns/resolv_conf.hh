// SPDX-License-Identifier: GPL-2.0-or-later
// resolv.conf(5) as people write it: comments behind values, addresses with a zone, lines
// of other systems. What cannot be understood is skipped, as every reader of this file
// does.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/ip.hh"

namespace wigeon::dns {

inline constexpr size_t kMaxNameservers = 16;
inline constexpr size_t kMaxSearch = 32;
inline constexpr size_t kMaxResolvConf = 64 * 1024;  // bytes that are looked at

struct Nameserver {
  Address address{};
  std::string zone{};  // "eth0" of fe80::1%eth0

  friend bool operator==(const Nameserver&, const Nameserver&) = default;
};

struct ResolvConf {
  std::vector<Nameserver> nameservers{};
  std::vector<std::string> search{};  // the last search or domain line counts
  std::vector<std::string> options{};

  friend bool operator==(const ResolvConf&, const ResolvConf&) = default;
};

ResolvConf parse_resolv_conf(std::string_view text);

// Where it is asked, with the interface of its zone as it is now; nothing when that is
// not there, or a link-local address has none.
std::optional<Endpoint> endpoint_of(const Nameserver& server);

// The words of a line, with or without its end, up to a comment, which '#' or ';' begins
// at the start of a word. They point into it.
std::vector<std::string_view> resolv_conf_words(std::string_view line);

}  // namespace wigeon::dns
