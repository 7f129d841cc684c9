// SPDX-License-Identifier: GPL-2.0-or-later
// The input is a recipe for a message: containers and values as it likes, with keys that
// the readers look for among them. (That the bytes are a message is checked by sd-bus.)
// Readers of replies never crash; what they read stays in its limits; a connection that
// was read can be written, and reads as wished then.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "dns/os/bus_network_manager.hh"
#include "dns/os/bus_resolved.hh"
#include "tests/harness/bus_message.hh"

using namespace wigeon;
using namespace wigeon::dns::os;

namespace {

constexpr const char* kTexts[] = {
    "DNS",          "DNSEx",      "Domains",        "DefaultRoute",
    "DNSSEC",       "LLMNR",      "FallbackDNS",    "dns",
    "dns-data",     "dns-search", "method",         "manual",
    "ipv4",         "ipv6",       "dns-priority",   "interface",
    "wt0",          "Mode",       "RcManager",      "Configuration",
    "nameservers",  "domains",    "priority",       "vpn",
    "192.0.2.1",    "fe80::1",    "~x.example",     "route-metric",
    "wireguard",    "peers",      "addresses",      "",
    "corp.example", "dnsmasq",    "1.1.1.1#dns+tls"};
constexpr const char* kTypes[] = {
    "s",         "i",         "u",     "b",       "as",     "au",    "aay",
    "a(iay)",    "a(iayqs)",  "a(sb)", "a(iiay)", "aa{sv}", "a{sv}", "v",
    "a(iiayqs)", "a{sa{sv}}", "t",     "q",       "x",      "ay",    "o"};

class Recipe {
 public:
  Recipe(const uint8_t* data, size_t size) : left_(data, size) {}
  uint8_t next() {
    if (left_.empty()) return 0;
    const uint8_t byte = left_.front();
    left_ = left_.subspan(1);
    return byte;
  }
  [[nodiscard]] bool empty() const { return left_.empty(); }
  const char* text() { return kTexts[next() % std::size(kTexts)]; }
  const char* type() { return kTypes[next() % std::size(kTypes)]; }

 private:
  std::span<const uint8_t> left_;
};

// Length of the first complete type.
size_t length(std::string_view type) {
  if (type[0] == 'a') return 1 + length(type.substr(1));
  if (type[0] != '(' && type[0] != '{') return 1;
  int depth = 0;
  for (size_t i = 0;; ++i) {
    if (type[i] == '(' || type[i] == '{') ++depth;
    if (type[i] == ')' || type[i] == '}')
      if (--depth == 0) return i + 1;
  }
}

bool put(sd_bus_message* m, Recipe& r, std::string_view types, int depth) {
  while (!types.empty()) {
    const auto type = types.substr(0, length(types));
    types.remove_prefix(type.size());
    const std::string inside(type.substr(1));
    uint64_t number = r.next();
    if (number > 0x80) number |= uint64_t{0xffffff00};
    int e = 0;
    switch (type[0]) {
      case 's':
        e = sd_bus_message_append_basic(m, 's', r.text());
        break;
      case 'o':
        e = sd_bus_message_append_basic(m, 'o', "/a");
        break;
      case 'b': {
        const int is = number & 1;
        e = sd_bus_message_append_basic(m, 'b', &is);
        break;
      }
      case 'v': {
        const std::string chosen = depth > 6 ? "s" : r.type();
        e = sd_bus_message_open_container(m, 'v', chosen.c_str());
        if (e < 0 || !put(m, r, chosen, depth + 1)) return false;
        e = sd_bus_message_close_container(m);
        break;
      }
      case 'a': {
        if (inside == "y") {
          uint8_t bytes[20];
          const size_t size = number % 3 == 0 ? 4 : number % 3 == 1 ? 16 : number % 20;
          for (auto& b : bytes) b = r.next();
          e = sd_bus_message_append_array(m, 'y', bytes, size);
          break;
        }
        e = sd_bus_message_open_container(m, 'a', inside.c_str());
        for (size_t n = number % 8; e >= 0 && n > 0 && !r.empty(); --n)
          if (!put(m, r, inside, depth + 1)) return false;
        if (e >= 0) e = sd_bus_message_close_container(m);
        break;
      }
      case '(':
      case '{': {
        const std::string members(type.substr(1, type.size() - 2));
        e = sd_bus_message_open_container(m, type[0] == '(' ? 'r' : 'e', members.c_str());
        if (e < 0 || !put(m, r, members, depth + 1)) return false;
        e = sd_bus_message_close_container(m);
        break;
      }
      default:
        e = sd_bus_message_append_basic(m, type[0], &number);
    }
    if (e < 0) return false;
  }
  return true;
}

bool again(const BusMessage& m) { return sd_bus_message_rewind(m.get(), 1) >= 0; }

// Texts that are no addresses come back as they were, addresses in their own spelling.
void check_rewriting(const MessageMaker& maker, const BusMessage& m, NmApplied is) {
  NmApplied wish = is;
  wish.v4 = {.servers = {"100.64.0.1"}, .search = {"~corp.example"}, .priority = -500};
  wish.v6 = {};
  wish.v6_ignored = true;
  const auto out = maker.begin();
  if (put_nm_settings(out.get(), m.get(), wish) < 0) return;
  if (sd_bus_message_append(out.get(), "t", is.version) < 0 || !MessageMaker::end(out))
    std::abort();
  const auto read = read_nm_applied(out.get());
  if (!read || !nm_says(*read, wish) || read->v6_takes_dns) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const MessageMaker maker;
  Recipe recipe(data, size);
  const uint8_t kind = recipe.next();
  const auto m = maker.begin();
  const char* types = kind % 4 == 0   ? "a{sa{sv}}t"
                      : kind % 4 == 3 ? recipe.type()
                                      : "a{sv}";
  if (!put(m.get(), recipe, types, 0) || !MessageMaker::end(m)) return 0;
  if (const auto link = read_resolved_link(m.get())) {
    if (link->servers->size() > kMaxBusItems) std::abort();
    if (!std::ranges::is_sorted(*link->domains, {}, &HostDomain::name)) std::abort();
  }
  again(m);
  if (const auto manager = read_resolved_manager(m.get()))
    for (const auto& s : manager->servers)
      if (!can_be_asked(s.endpoint.address) || s.endpoint.port == 0) std::abort();
  again(m);
  if (const auto manager = read_nm_dns_manager(m.get())) {
    for (const auto& s : nm_originals(*manager, "wt0", {}).servers)
      if (!can_be_asked(s.address)) std::abort();
    (void)nm_obstacle(*manager, {}, "wt0");
  }
  again(m);
  if (const auto applied = read_nm_applied(m.get())) {
    const NmNote note{"wt0", applied->v4, applied->v6};
    if (!NmNote::parse(note.text())) std::abort();
    check_rewriting(maker, m, *applied);
  }
  (void)NmNote::parse({reinterpret_cast<const char*>(data), size});
  return 0;
}
