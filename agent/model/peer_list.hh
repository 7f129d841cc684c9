// SPDX-License-Identifier: GPL-2.0-or-later
// The peers of a map, in little memory: one entry of fixed size each, and pools for what
// varies. 10,000 peers with two allowed IPs, a name and an endpoint take about 110 bytes
// each.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "agent/base/ip.hh"
#include "agent/base/key.hh"
#include "agent/model/name.hh"

namespace wigeon {

// Where a peer may be reached: an address, or a name that stands for some.
using Place = std::variant<Endpoint, HostPort>;
std::string text(const Place& place);

// A peer by itself, as it is decoded.
struct RemotePeer {
  Key key{};
  std::vector<Prefix> allowed_ips{};
  DomainName fqdn{};
  std::string agent_version{};
  // Not NetBird's: it has a signal server instead.
  std::vector<Place> endpoints{};  // "endpoint", then "endpoints": in order of preference
  std::optional<uint16_t> keepalive{};
  SecretKey preshared_key{};
  std::vector<std::string> groups{};
};

class PeerList;

// A peer in a list, as long as the list lives unchanged.
class PeerView {
 public:
  Key key{};
  std::span<const Prefix> allowed_ips{};
  std::string_view agent_version{};
  std::optional<uint16_t> keepalive{};
  const SecretKey* preshared_key = nullptr;  // null: none

  [[nodiscard]] DomainName fqdn() const;
  [[nodiscard]] std::string fqdn_text() const;
  [[nodiscard]] std::vector<Place> endpoints() const;
  // The endpoint of a peer that has one place, and that an address: as nearly all have.
  [[nodiscard]] std::optional<Endpoint> only_endpoint() const;
  [[nodiscard]] std::vector<std::string_view> groups() const;

 private:
  friend class PeerList;
  const PeerList* list_ = nullptr;
  size_t index_ = 0;
};

class PeerList {
 public:
  class Iterator {
   public:
    Iterator(const PeerList& list, size_t index) : list_(&list), index_(index) {}
    PeerView operator*() const { return (*list_)[index_]; }
    Iterator& operator++() {
      ++index_;
      return *this;
    }
    bool operator==(const Iterator&) const = default;

   private:
    const PeerList* list_;
    size_t index_;
  };

  [[nodiscard]] size_t size() const { return entries_.size(); }
  [[nodiscard]] bool empty() const { return entries_.empty(); }
  PeerView operator[](size_t i) const;
  [[nodiscard]] const Key& key(size_t i) const { return entries_[i].key; }
  // The indices in order of the keys; of equal keys the lower index first.
  [[nodiscard]] std::vector<uint32_t> by_key() const;
  [[nodiscard]] size_t bytes() const;  // of memory, the list object left out
  [[nodiscard]] Iterator begin() const { return {*this, 0}; }
  [[nodiscard]] Iterator end() const { return {*this, size()}; }

  void push_back(const RemotePeer& p);
  void clear() { *this = {}; }

  // For a decoder: an empty peer to fill in. The next call of draft() or settle() adds
  // it.
  RemotePeer& draft();
  void drop_draft() { drafting_ = false; }
  // Nothing more is to come: gives back what was only for adding.
  void settle();

 private:
  friend class PeerView;
  static constexpr uint32_t kNone = std::numeric_limits<uint32_t>::max();
  static constexpr uint8_t kIsName = 0;
  static constexpr size_t kMaxDomains = ' ' - 1;

  // An index into a pool is where this peer's part begins; it ends where the next peer's
  // does. Texts end with a NUL, which none of them holds. A place is its port (two bytes,
  // the higher one first), how many bytes of address follow, and these; or kIsName and
  // four bytes, the index of the name's text.
  // Names share what is behind their first label: a last byte below ' ', which no name
  // has, is one more than the index of that in domains_.
  struct Entry {
    Key key{};
    uint32_t prefixes = 0, places = 0;
    uint32_t fqdn = 0, agent_version = 0;
    uint32_t rare = kNone;
    uint16_t keepalive = 0;
    bool has_keepalive = false;
  };
  // What few peers have.
  struct Rare {
    SecretKey preshared_key{};
    uint32_t groups = 0, group_count = 0;
  };

  uint32_t keep(std::string_view s);
  uint32_t keep_once(std::string_view s);
  uint32_t keep_name(std::string_view name);
  void keep_place(const Place& place);
  [[nodiscard]] std::string name_at(uint32_t at) const;
  [[nodiscard]] std::string_view text_at(uint32_t at) const { return &texts_[at]; }
  template <class T>
  [[nodiscard]] std::span<const T> part(const std::vector<T>& pool, uint32_t Entry::*from,
                                        size_t i) const;

  std::vector<Entry> entries_{};
  std::vector<Prefix> prefixes_{};
  std::vector<uint8_t> places_{};
  std::vector<Rare> rare_{};
  std::vector<uint32_t> groups_{};
  std::vector<char> texts_{};
  std::vector<uint32_t> domains_{};  // in texts_: ".example.net"; at most kMaxDomains
  std::map<std::string, uint32_t, std::less<>> once_{};  // only while peers are added
  // The latest draft, or one that was added already, for its memory's sake.
  std::optional<RemotePeer> draft_{};
  bool drafting_ = false;
};

}  // namespace wigeon
