// SPDX-License-Identifier: GPL-2.0-or-later
// The zones we hold ourselves, as one immutable snapshot: built from the configuration,
// then only read. A new configuration makes a new snapshot; answers in progress keep the
// old one.
//
// Look-up follows RFC 1034 §4.3.2 and RFC 4592 (wildcards, empty non-terminals). NS
// records are plain data: there are no delegations inside our zones. Names below the
// overlay's reverse zones are not stored; they are computed from the addresses of the A
// and AAAA records.
//
// Memory: one byte arena of nodes (name, then its RRsets) and a hash table of (tag,
// offset), about 80 bytes for a name with one address, its reverse entry included.
#pragma once

#include <array>
#include <cstring>
#include <memory>
#include <optional>
#include <vector>

#include "dns/config.hh"
#include "dns/name.hh"

namespace wigeon::dns {

inline constexpr uint32_t kNegativeTtl = 30;  // of SOA records that we make up
inline constexpr size_t kMaxSetSize = 1000;   // records of one name and type
// Shorter overlay prefixes would take reverse zones away from the rest of the world.
inline constexpr int kMinOverlayBits4 = 8;
inline constexpr int kMinOverlayBits6 = 16;

// The reverse zones that an overlay prefix makes ours, "64.100.in-addr.arpa"; a prefix
// that ends inside an octet or nibble is several, at most 128. None for prefixes that are
// too short.
std::vector<std::string> reverse_zones(const Prefix& overlay);

class Zones {
 public:
  // EINVAL with "zone Z: record N (name type): reason" for the first thing that is wrong.
  static Result<std::shared_ptr<const Zones>> build_of(
      const std::vector<ZoneView>& zones, const std::vector<Prefix>& overlay);
  static Result<std::shared_ptr<const Zones>> build(const std::vector<ZoneConfig>& zones,
                                                    const std::vector<Prefix>& overlay) {
    return build_of(views_of(zones), overlay);
  }

  // The records of one name and type. Valid as long as the snapshot.
  struct Set {
    uint16_t type = 0;
    uint16_t count = 0;
    uint32_t ttl = 0;
    const uint8_t* data = nullptr;     // count times: length (native u16), rdata
    const Zones* zones = nullptr;      // for generated PTR records instead of data:
    const uint32_t* owners = nullptr;  // the nodes they point to

    // Calls f(rdata) for each record, beginning with number `turn` modulo their count.
    template <class F>
    void each(uint32_t turn, F f) const;
  };

  struct Found {
    enum class Kind : uint8_t {
      outside,  // no zone of ours has this name
      set,      // the records asked for
      alias,    // a CNAME record; the set holds it
      no_data,  // the name exists, the type does not
      no_name,
    };
    Kind kind = Kind::outside;
    bool authoritative = true;
    bool at_apex = false;
    Bytes apex{};  // of the zone; inside the snapshot or inside the name asked for
    Set set{};
    uint32_t apex_node = 0;  // 0 in generated zones
  };
  // name is lower case. For type ANY the first set of the name is found (RFC 8482).
  [[nodiscard]] Found find(Bytes name, uint16_t type) const;

  // For many look-ups at once: bring their memory close, in two steps. hash: of the name.
  void fetch_slot(uint64_t hash) const {
    if (!table_.empty()) __builtin_prefetch(&table_[hash & (table_.size() - 1)]);
  }
  void fetch_node(uint64_t hash) const {
    if (table_.empty()) return;
    const uint8_t* node = arena_.data() + table_[hash & (table_.size() - 1)].node;
    __builtin_prefetch(node);
    __builtin_prefetch(node +
                       63);  // a node with one address is mostly longer than a line
  }

  // The SOA record the zone was configured with; count 0 when it has none.
  [[nodiscard]] Set soa_of(const Found& found) const;

  [[nodiscard]] size_t zone_count() const { return zones_.size(); }
  [[nodiscard]] size_t name_count() const { return node_count_; }
  [[nodiscard]] size_t memory() const;

 private:
  friend class ZoneBuilder;
  struct Slot {
    uint32_t tag = 0;
    uint32_t node = 0;  // offset in arena_; 0: free
  };
  struct Zone {
    uint32_t apex = 0;  // node
    bool authoritative = true;
  };
  using V4 = uint32_t;  // host order, so that comparison is numeric
  using V6 = std::array<uint8_t, 16>;

  [[nodiscard]] uint32_t node_of(Bytes name) const;
  [[nodiscard]] Bytes node_name(uint32_t node) const;
  [[nodiscard]] std::optional<Set> set_of(uint32_t node, uint16_t type) const;
  [[nodiscard]] Found at_node(uint32_t node, uint16_t type) const;
  [[nodiscard]] Found in_zone(uint32_t node) const;
  [[nodiscard]] std::optional<Found> find_reverse(Bytes name, uint16_t type) const;

  // Node: u16 zone, u8 flags, u8 number of sets, u8 name length, name; sets: u16 type,
  // u16 count, u32 ttl, u32 bytes that follow, then the records as in Set::data.
  std::vector<uint8_t> arena_{};
  std::vector<Slot> table_{};  // a power of two, at most two thirds full
  std::vector<Zone> zones_{};
  std::vector<Prefix> overlay_{};  // longest first
  // Sorted; the nodes beside the addresses, so that Set::owners is a plain array.
  std::vector<V4> v4_{};
  std::vector<uint32_t> v4_nodes_{};
  std::vector<V6> v6_{};
  std::vector<uint32_t> v6_nodes_{};
  size_t node_count_ = 0;
};

template <class F>
void Zones::Set::each(uint32_t turn, F f) const {
  if (count == 0) return;
  const uint32_t first = turn % count;
  if (owners) {
    for (uint32_t i = 0; i < count; ++i) f(zones->node_name(owners[(first + i) % count]));
    return;
  }
  const auto walk = [&](uint32_t from, uint32_t to) {
    const uint8_t* at = data;
    for (uint32_t i = 0; i < to; ++i) {
      uint16_t size;
      std::memcpy(&size, at, sizeof size);
      if (i >= from) f(Bytes{at + sizeof size, size});
      at += sizeof size + size;
    }
  };
  walk(first, count);
  walk(0, first);
}

}  // namespace wigeon::dns
