// SPDX-License-Identifier: GPL-2.0-or-later
#include "dns/handlers.hh"

namespace wigeon::dns {
namespace {

std::string_view key(Bytes name) {
  return {reinterpret_cast<const char*>(name.data()), name.size()};
}

void add_once(std::vector<uint32_t>& list, uint32_t group) {
  if (list.empty() || list.back() != group) list.push_back(group);
}

}  // namespace

uint32_t Handlers::add(Handler::Kind kind, std::vector<uint32_t> groups,
                       const Servers& servers, const Handlers& previous) {
  std::pair<Handler::Kind, Servers> identity{kind, {}};
  for (const uint32_t g : groups) identity.second.push_back(servers[g]);
  const auto known = previous.sources_.find(identity);
  const auto [at, fresh] = sources_.try_emplace(std::move(identity), 0);
  if (fresh)
    at->second = known != previous.sources_.end() ? known->second : ++last_source_;
  all_.push_back({kind, std::move(groups), at->second});
  return static_cast<uint32_t>(all_.size() - 1);
}

Result<Handlers> Handlers::build(const std::vector<GroupConfig>& groups,
                                 const std::vector<Endpoint>& originals,
                                 const Handlers& previous) {
  struct Members {
    std::vector<uint32_t> itself{}, below{};
  };
  std::unordered_map<std::string, Members> members;
  std::vector<uint32_t> primaries;
  Servers servers;
  for (uint32_t i = 0; i < groups.size(); ++i) {
    servers.push_back(groups[i].servers);
    if (groups[i].primary) add_once(primaries, i);
    for (const auto& text : groups[i].domains) {
      const auto domain = Name::parse(text);
      if (!domain)
        return fail(EINVAL, "nameserver group " + std::to_string(i + 1) + ": domain '" +
                                text + "': " + domain.error().what);
      const Name lowered = domain->lowered();
      const bool only_below = is_wildcard(lowered.wire());
      const Bytes apex = only_below ? parent(lowered.wire()) : lowered.wire();
      if (apex.size() == 1) {
        add_once(primaries, i);
        continue;
      }
      Members& m = members[std::string(key(apex))];
      add_once(m.below, i);
      if (!only_below) add_once(m.itself, i);
    }
  }
  servers.push_back(originals);

  Handlers h;
  h.all_.clear();
  h.last_source_ = previous.last_source_;
  h.add(Handler::Kind::original, {static_cast<uint32_t>(groups.size())}, servers,
        previous);
  h.add(Handler::Kind::primary, std::move(primaries), servers, previous);
  std::map<std::vector<uint32_t>, uint32_t> places;  // many domains share a set
  const auto place_of = [&](const std::vector<uint32_t>& set) {
    if (set.empty()) return kOriginals;
    const auto [at, fresh] = places.try_emplace(set, 0);
    if (fresh) at->second = h.add(Handler::Kind::match, set, servers, previous);
    return at->second;
  };
  for (auto& [domain, m] : members)
    h.domains_.emplace(domain, Domain{place_of(m.itself), place_of(m.below)});
  return h;
}

Handlers::Match Handlers::matching(Bytes name) const {
  if (domains_.empty()) return {};
  bool itself = true;
  for (Bytes suffix = name; suffix.size() > 1; suffix = parent(suffix), itself = false) {
    const auto at = domains_.find(key(suffix));
    if (at == domains_.end()) continue;
    const uint32_t place = itself ? at->second.itself : at->second.below;
    if (place != kOriginals) return {place, suffix};
  }
  return {};
}

const Handler& Handlers::of(Bytes name) const {
  if (const auto place = matching(name).place; place != kOriginals) return all_[place];
  return all_[kPrimaries].groups.empty() ? all_[kOriginals] : all_[kPrimaries];
}

}  // namespace wigeon::dns
