// SPDX-License-Identifier: GPL-2.0-or-later
// Zones::build. Time is linear in the configuration: nodes are found by hash while they
// are collected and written out in the order of their first appearance, so that look-ups
// of neighbours share cache lines.
#include <arpa/inet.h>

#include <algorithm>
#include <bit>
#include <numeric>

#include "dns/message.hh"
#include "dns/record.hh"
#include "dns/zone.hh"
#include "dns/zone_layout.hh"

namespace wigeon::dns {
namespace {

constexpr uint32_t kNone = 0xffffffff;
constexpr uint32_t kMaxTtl = 0x7fffffff;  // RFC 2181 §8
// Names whose places in the hash table are fetched before the first of them is looked up.
constexpr size_t kAhead = 16;

}  // namespace

class ZoneBuilder {
 public:
  Result<void> add_zones(const std::vector<ZoneView>& configs);
  Result<void> add_overlay(const std::vector<Prefix>& overlay);
  std::shared_ptr<const Zones> finish();

 private:
  // A name with the records collected for it, as a list through records_.
  struct Node {
    uint64_t hash = 0;
    uint32_t name_at = 0;  // in scratch_
    uint32_t first = kNone;
    uint32_t last = kNone;
    uint16_t zone = 0;
    uint8_t name_size = 0;
    uint8_t flags = 0;
  };
  struct Rr {
    uint32_t next = kNone;
    uint32_t ttl = 0;
    uint32_t rdata_at = 0;  // in scratch_
    uint16_t rdata_size = 0;
    uint16_t type = 0;
  };

  [[nodiscard]] Bytes name_of(const Node& n) const {
    return {scratch_.data() + n.name_at, n.name_size};
  }
  [[nodiscard]] Bytes rdata_of(const Rr& r) const {
    return {scratch_.data() + r.rdata_at, r.rdata_size};
  }
  Result<void> make_room(const std::vector<ZoneView>& configs);
  void grow();
  uint32_t find(Bytes name, uint64_t hash) const;
  uint32_t find_or_add(Bytes name, uint64_t hash, uint16_t zone, bool& added);
  uint32_t find_or_add(Bytes name, uint16_t zone, bool& added) {
    return find_or_add(name, hash_name(name), zone, added);
  }
  uint32_t add_with_ancestors(Bytes name, uint64_t hash, uint16_t zone);
  struct Parsed {
    Name name{};
    uint64_t hash = 0;
  };
  Result<void> parse(const RecordView& config, Parsed& into);
  Result<void> add_records(const ZoneView& config, uint16_t zone);
  Result<void> add_record(const RecordView& config, const Parsed& parsed,
                          uint16_t listed_in);
  uint16_t zone_of(Bytes name) const;
  Result<void> write_sets(const Node& node);
  void note_addresses(const Node& node, uint32_t offset);

  std::shared_ptr<Zones> zones_ = std::make_shared<Zones>();
  std::vector<uint8_t> scratch_{};
  std::vector<Node> nodes_{};
  std::vector<Rr> records_{};
  std::vector<uint32_t> index_{};          // hash table of nodes_; kNone: free
  std::vector<uint32_t> apexes_{};         // nodes, by zone
  std::vector<bool> has_zone_below_{};     // by zone
  std::vector<uint32_t> order_{}, set_{};  // of write_sets, kept for their memory
  std::vector<std::pair<Zones::V4, uint32_t>> v4_{};
  std::vector<std::pair<Zones::V6, uint32_t>> v6_{};
};

void ZoneBuilder::grow() {
  if (nodes_.size() * 3 < index_.size() * 2) return;
  index_.assign(std::max<size_t>(64, index_.size() * 2), kNone);
  const size_t mask = index_.size() - 1;
  for (uint32_t n = 0; n < nodes_.size(); ++n) {
    size_t i = nodes_[n].hash & mask;
    while (index_[i] != kNone) i = (i + 1) & mask;
    index_[i] = n;
  }
}

uint32_t ZoneBuilder::find(Bytes name, uint64_t hash) const {
  if (index_.empty()) return kNone;
  const size_t mask = index_.size() - 1;
  for (size_t i = hash & mask; index_[i] != kNone; i = (i + 1) & mask) {
    const Node& n = nodes_[index_[i]];
    if (n.hash == hash && std::ranges::equal(name_of(n), name)) return index_[i];
  }
  return kNone;
}

uint32_t ZoneBuilder::find_or_add(Bytes name, uint64_t hash, uint16_t zone, bool& added) {
  grow();
  const size_t mask = index_.size() - 1;
  size_t i = hash & mask;
  added = false;
  for (; index_[i] != kNone; i = (i + 1) & mask) {
    const Node& n = nodes_[index_[i]];
    if (n.hash == hash && std::ranges::equal(name_of(n), name)) return index_[i];
  }
  added = true;
  index_[i] = static_cast<uint32_t>(nodes_.size());
  nodes_.push_back({.hash = hash,
                    .name_at = static_cast<uint32_t>(scratch_.size()),
                    .zone = zone,
                    .name_size = static_cast<uint8_t>(name.size())});
  scratch_.insert(scratch_.end(), name.begin(), name.end());
  return index_[i];
}

// Names between this one and its apex exist too, without data (RFC 4592 §2.2.2).
uint32_t ZoneBuilder::add_with_ancestors(Bytes name, uint64_t hash, uint16_t zone) {
  const size_t apex_size = nodes_[apexes_[zone]].name_size;
  bool added = false;
  const uint32_t node = find_or_add(name, hash, zone, added);
  bool below_added = added;
  Bytes below = name;
  for (Bytes up = parent(name); below_added && below.size() > apex_size;
       below = up, up = parent(up)) {
    const bool is_apex = up.size() == apex_size;
    const uint32_t above = is_apex ? apexes_[zone] : find_or_add(up, zone, below_added);
    if (is_wildcard(below)) nodes_[above].flags |= layout::kHasWildcard;
  }
  return node;
}

// The longest zone that has the name, which is in one.
uint16_t ZoneBuilder::zone_of(Bytes name) const {
  for (;; name = parent(name)) {
    const uint32_t node = find(name, hash_name(name));
    if (node != kNone && apexes_[nodes_[node].zone] == node) return nodes_[node].zone;
  }
}

Result<void> ZoneBuilder::parse(const RecordView& config, Parsed& into) {
  auto name = Name::parse(config.name);
  if (!name) return within("name", std::move(name).error());
  into.name = name->lowered();
  into.hash = hash_name(into.name.wire());
  __builtin_prefetch(&index_[into.hash & (index_.size() - 1)]);
  return {};
}

Result<void> ZoneBuilder::add_record(const RecordView& config, const Parsed& parsed,
                                     uint16_t listed_in) {
  const Name& name = parsed.name;
  if (!is_within(name.wire(), name_of(nodes_[apexes_[listed_in]])))
    return fail(EINVAL, "the name is not inside the zone");
  if (config.ttl > kMaxTtl)
    return fail(EINVAL, "the TTL is larger than " + std::to_string(kMaxTtl));
  const size_t at = scratch_.size();
  TRY(append_rdata(config.type, config.rdata, scratch_));
  const auto size = static_cast<uint16_t>(scratch_.size() - at);
  // A zone configured below this one owns the name (its apexes are known by now).
  const uint16_t zone = has_zone_below_[listed_in] ? zone_of(name.wire()) : listed_in;
  Node& node = nodes_[add_with_ancestors(name.wire(), parsed.hash, zone)];
  const auto record = static_cast<uint32_t>(records_.size());
  records_.push_back({.ttl = config.ttl,
                      .rdata_at = static_cast<uint32_t>(at),
                      .rdata_size = size,
                      .type = config.type});
  if (node.last == kNone)
    node.first = record;
  else
    records_[node.last].next = record;
  node.last = record;
  return {};
}

Result<void> ZoneBuilder::add_zones(const std::vector<ZoneView>& configs) {
  if (configs.size() > kMaxZones) return fail(E2BIG, "too many zones");
  TRY(make_room(configs));
  std::vector<Name> domains;
  for (const auto& config : configs) {
    auto domain = Name::parse(config.domain);
    if (!domain)
      return within("zone '" + std::string(config.domain) + "'",
                    std::move(domain).error());
    if (domain->is_root())
      return fail(EINVAL, "zone '.': the root cannot be a local zone");
    bool added = false;
    const auto zone = static_cast<uint16_t>(apexes_.size());
    const Name name = domain->lowered();
    const uint32_t node = find_or_add(name.wire(), zone, added);
    if (!added)
      return fail(EEXIST, "zone '" + std::string(config.domain) + "' is there twice");
    apexes_.push_back(node);
    zones_->zones_.push_back({.apex = node, .authoritative = !config.non_authoritative});
    domains.push_back(name);
  }
  has_zone_below_.resize(configs.size());
  // Names between a zone and another zone below it exist as well.
  for (const Name& domain : domains) {
    for (Bytes up = parent(domain.wire()); up.size() > 1; up = parent(up)) {
      const uint32_t node = find(up, hash_name(up));
      if (node == kNone || apexes_[nodes_[node].zone] != node) continue;
      has_zone_below_[nodes_[node].zone] = true;
      bool added = false;
      const Name apex = *Name::from_wire(name_of(nodes_[node]));
      for (Bytes between = parent(domain.wire()); between.size() > apex.wire().size();
           between = parent(between))
        (void)find_or_add(between, nodes_[node].zone, added);
      break;
    }
  }
  for (size_t z = 0; z < configs.size(); ++z)
    TRY(add_records(configs[z], static_cast<uint16_t>(z)));
  return {};
}

Result<void> ZoneBuilder::add_records(const ZoneView& config, uint16_t zone) {
  const auto& records = config.records;
  std::array<Parsed, kAhead> ahead;
  for (size_t begin = 0, end; begin < records.size(); begin = end) {
    end = std::min(begin + kAhead, records.size());
    Result<void> done;
    size_t parsed = begin, i = begin;
    while (done && parsed < end) {
      done = parse(records[parsed], ahead[parsed - begin]);
      if (done) ++parsed;
    }
    Result<void> added;
    while (added && i < parsed) {
      added = add_record(records[i], ahead[i - begin], zone);
      if (added) ++i;
    }
    if (!added) done = std::move(added);
    if (done) continue;
    return within("zone '" + std::string(config.domain) + "': record " +
                      std::to_string(i + 1) + " (" + std::string(records[i].name) + " " +
                      type_text(records[i].type) + ")",
                  std::move(done).error());
  }
  return {};
}

// For a name each: what is not touched costs nothing.
Result<void> ZoneBuilder::make_room(const std::vector<ZoneView>& configs) {
  size_t records = 0, bytes = 0;
  for (const auto& z : configs) {
    records += z.records.size();
    bytes += z.domain.size();
    for (const auto& r : z.records) bytes += r.name.size() + r.rdata.size();
  }
  if (records > kMaxRecords) return fail(E2BIG, "too many records");
  const size_t names = records + configs.size();
  records_.reserve(records);
  nodes_.reserve(names);
  scratch_.reserve(bytes + 2 * names);
  index_.assign(std::bit_ceil(std::max<size_t>(64, names * 3 / 2 + 1)), kNone);
  return {};
}

Result<void> ZoneBuilder::add_overlay(const std::vector<Prefix>& overlay) {
  for (const auto& p : overlay) {
    const int least = p.address().is_v4() ? kMinOverlayBits4 : kMinOverlayBits6;
    if (p.bits() < least)
      return fail(EINVAL, "overlay " + p.text() + ": shorter than " +
                              std::to_string(least) + " bits");
  }
  zones_->overlay_ = overlay;
  std::ranges::stable_sort(zones_->overlay_,
                           [](auto& a, auto& b) { return a.bits() > b.bits(); });
  // Records are written now, when everything that can be refused was.
  auto& arena = zones_->arena_;
  arena.reserve(1 + scratch_.size() + nodes_.size() * layout::kName +
                records_.size() * (layout::kSetHead + 2));
  arena.push_back(0);  // offset 0 means "none"
  std::vector<uint32_t> offsets(nodes_.size());
  for (size_t i = 0; i < nodes_.size(); ++i) {
    offsets[i] = static_cast<uint32_t>(arena.size());
    if (auto written = write_sets(nodes_[i]); !written)
      return within(name_text(name_of(nodes_[i])), std::move(written).error());
  }
  arena.shrink_to_fit();
  for (auto& zone : zones_->zones_) zone.apex = offsets[zone.apex];
  zones_->node_count_ = nodes_.size();
  zones_->table_.resize(std::bit_ceil(nodes_.size() * 3 / 2 + 1));
  const size_t mask = zones_->table_.size() - 1;
  for (size_t n = 0; n < nodes_.size(); ++n) {
    if (n + kAhead < nodes_.size())
      __builtin_prefetch(&zones_->table_[nodes_[n + kAhead].hash & mask], 1);
    size_t i = nodes_[n].hash & mask;
    while (zones_->table_[i].node != 0) i = (i + 1) & mask;
    zones_->table_[i] = {static_cast<uint32_t>(nodes_[n].hash >> 32), offsets[n]};
  }
  return {};
}

void ZoneBuilder::note_addresses(const Node& node, uint32_t offset) {
  if (!zones_->zones_[node.zone].authoritative || is_wildcard(name_of(node))) return;
  for (const uint32_t i : order_) {
    const Rr& r = records_[i];
    if (r.type != type::kA && r.type != type::kAaaa) continue;
    const auto address = *Address::from_bytes(rdata_of(r));
    if (std::ranges::none_of(zones_->overlay_,
                             [&](auto& p) { return p.contains(address); }))
      continue;
    if (address.is_v4()) {
      uint32_t v4;
      std::memcpy(&v4, address.bytes().data(), sizeof v4);
      v4_.emplace_back(ntohl(v4), offset);
    } else {
      Zones::V6 v6;
      std::ranges::copy(address.bytes(), v6.begin());
      v6_.emplace_back(v6, offset);
    }
  }
}

// The node in its final form: records sorted by type, duplicates dropped, the order
// within a set kept. The smallest TTL of a set holds for all of it (RFC 2181 §5.2).
Result<void> ZoneBuilder::write_sets(const Node& node) {
  auto& arena = zones_->arena_;
  const auto offset = static_cast<uint32_t>(arena.size());
  const auto put = [&](auto v) {
    const auto* bytes = reinterpret_cast<const uint8_t*>(&v);
    arena.insert(arena.end(), bytes, bytes + sizeof v);
  };
  put(node.zone);
  arena.push_back(node.flags);
  arena.push_back(0);
  arena.push_back(node.name_size);
  const Bytes name = name_of(node);
  arena.insert(arena.end(), name.begin(), name.end());

  auto& order = order_;
  order.clear();
  for (uint32_t r = node.first; r != kNone; r = records_[r].next) order.push_back(r);
  if (order.size() > 1)
    std::ranges::stable_sort(order, {}, [&](uint32_t r) { return records_[r].type; });
  const auto same = [&](uint32_t a, uint32_t b) {
    return records_[a].type == records_[b].type &&
           std::ranges::equal(rdata_of(records_[a]), rdata_of(records_[b]));
  };
  for (size_t i = 0; i < order.size();) {
    const uint16_t t = records_[order[i]].type;
    auto& set = set_;
    set.clear();
    uint32_t ttl = kMaxTtl;
    const size_t begin = i;
    for (; i < order.size() && records_[order[i]].type == t; ++i) {
      ttl = std::min(ttl, records_[order[i]].ttl);
      if (i - begin == kMaxSetSize)
        return fail(E2BIG, "more than " + std::to_string(kMaxSetSize) + " " +
                               type_text(t) + " records");
      if (std::ranges::none_of(set, [&](uint32_t r) { return same(r, order[i]); }))
        set.push_back(order[i]);
    }
    if ((t == type::kCname || t == type::kSoa) && set.size() > 1)
      return fail(EINVAL, "more than one " + type_text(t) + " record");
    put(t);
    put(static_cast<uint16_t>(set.size()));
    put(ttl);
    put(std::accumulate(
        set.begin(), set.end(), uint32_t{0},
        [&](uint32_t sum, uint32_t r) { return sum + 2 + records_[r].rdata_size; }));
    for (const uint32_t r : set) {
      put(records_[r].rdata_size);
      const Bytes rdata = rdata_of(records_[r]);
      arena.insert(arena.end(), rdata.begin(), rdata.end());
    }
    ++arena[offset + layout::kSets];
  }
  note_addresses(node, offset);
  return {};
}

std::shared_ptr<const Zones> ZoneBuilder::finish() {
  const auto split = [](auto& pairs, auto& addresses, auto& nodes) {
    if (!std::ranges::is_sorted(pairs)) std::ranges::sort(pairs);
    const auto [first, last] = std::ranges::unique(pairs);
    pairs.erase(first, last);
    addresses.reserve(pairs.size());
    nodes.reserve(pairs.size());
    for (const auto& [address, node] : pairs) {
      addresses.push_back(address);
      nodes.push_back(node);
    }
  };
  split(v4_, zones_->v4_, zones_->v4_nodes_);
  split(v6_, zones_->v6_, zones_->v6_nodes_);
  return std::move(zones_);
}

Result<std::shared_ptr<const Zones>> Zones::build_of(const std::vector<ZoneView>& zones,
                                                     const std::vector<Prefix>& overlay) {
  ZoneBuilder builder;
  TRY(builder.add_zones(zones));
  TRY(builder.add_overlay(overlay));
  return builder.finish();
}

}  // namespace wigeon::dns
