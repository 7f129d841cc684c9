// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/model/peer_list.hh"

#include <algorithm>
#include <array>
#include <cstring>

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
  const auto s = fqdn_text();
  return s.empty() ? DomainName() : *DomainName::parse(s);
}

std::string PeerView::fqdn_text() const {
  return list_->name_at(list_->entries_[index_].fqdn);
}

std::vector<Place> PeerView::endpoints() const {
  std::vector<Place> all;
  auto rest = list_->part(list_->places_, &PeerList::Entry::places, index_);
  while (!rest.empty()) {
    const auto port = static_cast<uint16_t>(rest[0] << 8 | rest[1]);
    const auto bytes = rest.subspan(3, rest[2] == PeerList::kIsName ? 4u : rest[2]);
    if (rest[2] == PeerList::kIsName) {
      uint32_t at = 0;
      std::memcpy(&at, bytes.data(), sizeof at);
      all.emplace_back(HostPort{std::string(list_->text_at(at)), port});
    } else {
      all.emplace_back(Endpoint{*Address::from_bytes(bytes), port});
    }
    rest = rest.subspan(3 + bytes.size());
  }
  return all;
}

std::optional<Endpoint> PeerView::only_endpoint() const {
  const auto place = list_->part(list_->places_, &PeerList::Entry::places, index_);
  if (place.empty() || place[2] == PeerList::kIsName || place.size() != 3u + place[2])
    return std::nullopt;
  return Endpoint{*Address::from_bytes(place.subspan(3)),
                  static_cast<uint16_t>(place[0] << 8 | place[1])};
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

std::vector<uint32_t> PeerList::by_key() const {
  // The first eight bytes of a key nearly always decide.
  struct Item {
    uint64_t head = 0;
    uint32_t index = 0;
  };
  std::vector<Item> places(size());
  for (uint32_t i = 0; i < places.size(); ++i) {
    uint64_t head = 0;
    for (const auto byte : key(i).bytes().first<8>()) head = head << 8 | byte;
    places[i] = {head, i};
  }
  std::ranges::sort(places, [this](const Item& a, const Item& b) {
    if (a.head != b.head) return a.head < b.head;
    const auto keys = key(a.index) <=> key(b.index);
    return keys != 0 ? keys < 0 : a.index < b.index;
  });
  std::vector<uint32_t> order;
  order.reserve(places.size());
  for (const auto& p : places) order.push_back(p.index);
  return order;
}

size_t PeerList::bytes() const {
  const auto of = [](const auto& pool) { return pool.capacity() * sizeof(pool[0]); };
  return of(entries_) + of(prefixes_) + of(places_) + of(rare_) + of(groups_) +
         of(texts_) + of(domains_);
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

uint32_t PeerList::keep_name(std::string_view name) {
  const auto dot = name.find('.');
  if (dot == name.npos || dot == 0) return keep(name);
  const auto domain = name.substr(dot);
  const auto same = [&](uint32_t at) { return text_at(at) == domain; };
  auto known = std::ranges::find_if(domains_, same);
  if (known == domains_.end()) {
    if (domains_.size() == kMaxDomains) return keep(name);
    domains_.push_back(keep(domain));
    known = std::prev(domains_.end());
  }
  const auto at = keep(name.substr(0, dot));
  texts_.back() = static_cast<char>(1 + (known - domains_.begin()));
  texts_.push_back('\0');
  return at;
}

std::string PeerList::name_at(uint32_t at) const {
  std::string name(text_at(at));
  if (name.empty() || name.back() >= ' ') return name;
  const auto domain = domains_[static_cast<size_t>(name.back() - 1)];
  name.pop_back();
  return name += text_at(domain);
}

void PeerList::keep_place(const Place& place) {
  const auto add = [this](uint16_t port, uint8_t kind, std::span<const uint8_t> bytes) {
    places_.push_back(static_cast<uint8_t>(port >> 8));
    places_.push_back(static_cast<uint8_t>(port & 0xff));
    places_.push_back(kind);
    places_.insert(places_.end(), bytes.begin(), bytes.end());
  };
  if (const auto* literal = std::get_if<Endpoint>(&place)) {
    const auto bytes = literal->address.bytes();
    return add(literal->port, static_cast<uint8_t>(bytes.size()), bytes);
  }
  const auto& name = std::get<HostPort>(place);
  std::array<uint8_t, sizeof(uint32_t)> bytes{};
  const uint32_t at = keep(name.host);
  std::memcpy(bytes.data(), &at, sizeof at);
  add(name.port, kIsName, bytes);
}

void PeerList::push_back(const RemotePeer& p) {
  Entry e{.key = p.key,
          .prefixes = index_in(prefixes_),
          .places = index_in(places_),
          .fqdn = keep_name(p.fqdn.text()),
          .agent_version = keep_once(p.agent_version),
          .keepalive = p.keepalive.value_or(0),
          .has_keepalive = p.keepalive.has_value()};
  prefixes_.insert(prefixes_.end(), p.allowed_ips.begin(), p.allowed_ips.end());
  for (const auto& place : p.endpoints) keep_place(place);
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
  if (drafting_) push_back(*draft_);
  drafting_ = true;
  if (!draft_) return draft_.emplace();
  auto& d = *draft_;
  d.key = {};
  d.allowed_ips.clear();
  d.fqdn = {};
  d.agent_version.clear();
  d.endpoints.clear();
  d.keepalive.reset();
  d.preshared_key = {};
  d.groups.clear();
  return d;
}

void PeerList::settle() {
  if (drafting_) push_back(*draft_);
  drafting_ = false;
  draft_.reset();
  once_.clear();
  entries_.shrink_to_fit();
  prefixes_.shrink_to_fit();
  places_.shrink_to_fit();
  rare_.shrink_to_fit();
  groups_.shrink_to_fit();
  texts_.shrink_to_fit();
  domains_.shrink_to_fit();
}

}  // namespace wigeon
