// SPDX-License-Identifier: GPL-2.0-or-later
#include "dns/resolv_conf.hh"

#include <net/if.h>

#include <algorithm>

#include "dns/name.hh"

namespace wigeon::dns {
namespace {

constexpr std::string_view kBlanks = " \t\r\f\v";
constexpr uint16_t kDnsPort = 53;
constexpr size_t kMaxZone = 15;  // IFNAMSIZ without the NUL
constexpr size_t kMaxOption = 64;

void add_nameserver(ResolvConf& conf, std::string_view word) {
  const auto percent = word.find('%');
  const auto address = Address::parse(word.substr(0, percent));
  if (!address || conf.nameservers.size() == kMaxNameservers) return;
  Nameserver server{*address, {}};
  if (percent != word.npos) server.zone = word.substr(percent + 1);
  if (server.zone.size() > kMaxZone) return;
  if (std::ranges::find(conf.nameservers, server) == conf.nameservers.end())
    conf.nameservers.push_back(std::move(server));
}

}  // namespace

std::vector<std::string_view> resolv_conf_words(std::string_view line) {
  std::vector<std::string_view> words;
  line = line.substr(0, line.find('\n'));
  for (;;) {
    const auto begin = line.find_first_not_of(kBlanks);
    if (begin == line.npos || line[begin] == '#' || line[begin] == ';') return words;
    line.remove_prefix(begin);
    const auto end = std::min(line.find_first_of(kBlanks), line.size());
    words.push_back(line.substr(0, end));
    line.remove_prefix(end);
  }
}

ResolvConf parse_resolv_conf(std::string_view text) {
  ResolvConf conf;
  text = text.substr(0, kMaxResolvConf);
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto words = resolv_conf_words(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (words.size() < 2) continue;
    const std::span values(words.begin() + 1, words.end());
    if (words[0] == "nameserver") {
      add_nameserver(conf, values[0]);
    } else if (words[0] == "search" || words[0] == "domain") {
      conf.search.clear();
      for (const auto word : values.first(words[0] == "domain" ? 1 : values.size()))
        if (conf.search.size() < kMaxSearch && Name::parse(word))
          conf.search.emplace_back(word);
    } else if (words[0] == "options") {
      for (const auto word : values)
        if (conf.options.size() < kMaxSearch && word.size() <= kMaxOption)
          conf.options.emplace_back(word);
    }
  }
  return conf;
}

std::optional<Endpoint> endpoint_of(const Nameserver& server) {
  Endpoint e{server.address, kDnsPort};
  if (!e.address.needs_scope()) return e;
  // By name or, as libc takes it too, by number.
  e.scope = ::if_nametoindex(server.zone.c_str());
  if (e.scope == 0)
    e.scope = static_cast<uint32_t>(parse_number(server.zone, INT32_MAX).value_or(0));
  if (e.scope == 0) return std::nullopt;
  return e;
}

}  // namespace wigeon::dns
