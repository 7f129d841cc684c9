// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/model/peer_list.hh"

namespace wigeon {
namespace {

template <class T>
uint32_t index_in(const std::vector<T>& pool) {
  return static_cast<uint32_t>(pool.size());
}

}  // namespace

std::string text(const Place& place) {
  return std::visit([](const auto& p) { return p.text(); }, place);
}

DomainName PeerView::fqdn() const {
  const auto s = list_->text_at(list_->entries_[index_].fqdn);
  return s.empty() ? DomainName() : *DomainName::parse(s);
}

std::vector<Place> PeerView::endpoints() const {
  std::vector<Place> all;
  for (const auto& p : list_->part(list_->places_, &PeerList::Entry::places, index_))
    if (p.name == PeerList::kNone)
      all.emplace_back(Endpoint{p.address, p.port});
    else
      all.emplace_back(HostPort{std::string(list_->text_at(p.name)), p.port});
  return all;
}

std::vector<std::string_view> PeerView::groups() const {
  std::vector<std::string_view> all;
  const auto at = list_->entries_[index_].rare;
  if (at == PeerList::kNone) return all;
  const auto& rare = list_->rare_[at];
  for (const auto name : std::span(list_->groups_).subspan(rare.groups, rare.group_count))
    all.push_back(list_->text_at(name));
  return all;
}

template <class T>
std::span<const T> PeerList::part(const std::vector<T>& pool, uint32_t Entry::*from,
                                  size_t i) const {
  const size_t begin = entries_[i].*from;
  const size_t end = i + 1 < entries_.size() ? entries_[i + 1].*from : pool.size();
  return std::span(pool).subspan(begin, end - begin);
}

PeerView PeerList::operator[](size_t i) const {
  const auto& e = entries_[i];
  PeerView v;
  v.key = e.key;
  v.allowed_ips = part(prefixes_, &Entry::prefixes, i);
  v.agent_version = text_at(e.agent_version);
  if (e.has_keepalive) v.keepalive = e.keepalive;
  if (e.rare != kNone && !rare_[e.rare].preshared_key.is_zero())
    v.preshared_key = &rare_[e.rare].preshared_key;
  v.list_ = this;
  v.index_ = i;
  return v;
}

size_t PeerList::bytes() const {
  const auto of = [](const auto& pool) { return pool.capacity() * sizeof(pool[0]); };
  return of(entries_) + of(prefixes_) + of(places_) + of(rare_) + of(groups_) +
         of(texts_);
}

uint32_t PeerList::keep(std::string_view s) {
  if (texts_.empty()) texts_.push_back('\0');
  if (s.empty()) return 0;
  const auto at = index_in(texts_);
  texts_.insert(texts_.end(), s.begin(), s.end());
  texts_.push_back('\0');
  return at;
}

uint32_t PeerList::keep_once(std::string_view s) {
  if (const auto known = once_.find(s); known != once_.end()) return known->second;
  const auto at = keep(s);
  once_.emplace(s, at);
  return at;
}

void PeerList::push_back(const RemotePeer& p) {
  Entry e{.key = p.key,
          .prefixes = index_in(prefixes_),
          .places = index_in(places_),
          .fqdn = keep(p.fqdn.text()),
          .agent_version = keep_once(p.agent_version),
          .keepalive = p.keepalive.value_or(0),
          .has_keepalive = p.keepalive.has_value()};
  prefixes_.insert(prefixes_.end(), p.allowed_ips.begin(), p.allowed_ips.end());
  for (const auto& place : p.endpoints)
    if (const auto* literal = std::get_if<Endpoint>(&place))
      places_.push_back({.address = literal->address, .port = literal->port});
    else if (const auto* name = std::get_if<HostPort>(&place))
      places_.push_back({.port = name->port, .name = keep(name->host)});
  if (!p.preshared_key.is_zero() || !p.groups.empty()) {
    e.rare = index_in(rare_);
    rare_.push_back({.preshared_key = p.preshared_key,
                     .groups = index_in(groups_),
                     .group_count = index_in(p.groups)});
    for (const auto& g : p.groups) groups_.push_back(keep_once(g));
  }
  entries_.push_back(e);
}

RemotePeer& PeerList::draft() {
  if (draft_) push_back(*draft_);
  return draft_.emplace();
}

void PeerList::settle() {
  if (draft_) push_back(*draft_);
  draft_.reset();
  once_.clear();
  entries_.shrink_to_fit();
  prefixes_.shrink_to_fit();
  places_.shrink_to_fit();
  rare_.shrink_to_fit();
  groups_.shrink_to_fit();
  texts_.shrink_to_fit();
}

}  // namespace wigeon
