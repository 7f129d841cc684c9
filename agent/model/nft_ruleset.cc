// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/model/nft_ruleset.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "agent/model/address_range.hh"
#include "agent/model/judge.hh"

namespace wigeon {
namespace {

constexpr std::array kFamilies{Family::v4, Family::v6};

// What leads out of an exit node is the Internet; what is private behind it is not,
// unless a route of its own says so.
constexpr std::array<std::string_view, 7> kPrivate{
    "10.0.0.0/8",     "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10",
    "169.254.0.0/16", "fc00::/7",      "fe80::/10"};

char digit(Family f) { return f == Family::v4 ? '4' : '6'; }
std::string_view ip(Family f) { return f == Family::v4 ? "ip" : "ip6"; }
std::string_view address_type(Family f) {
  return f == Family::v4 ? "ipv4_addr" : "ipv6_addr";
}

// A last '*' would match every interface that begins so. A quote cannot be written at
// all; a name with one matches no interface then, so nothing of the overlay passes.
std::string quoted(std::string_view link) {
  std::string name(link);
  std::ranges::replace(name, '"', '?');
  if (name.ends_with('*')) name.insert(name.size() - 1, 1, '\\');
  return '"' + name + '"';
}

std::string list(const auto& values, auto to_text) {
  std::string all;
  for (const auto& v : values) {
    if (!all.empty()) all += ", ";
    all += to_text(v);
  }
  return all;
}

template <class T>
std::vector<T> of_family(const std::vector<T>& all, Family f) {
  std::vector<T> some;
  std::ranges::copy_if(all, std::back_inserter(some),
                       [&](const T& t) { return t.family() == f; });
  return some;
}

class Text {
 public:
  explicit Text(const NftTable& table) : t_(table), link_(quoted(table.link)) {
    for (const auto f : kFamilies) {
      auto& e = f == Family::v4 ? v4_ : v6_;
      e.own = list(of_family(t_.own, f), [](const Address& a) { return a.text(); });
      e.routed = ranges(f, [](const RoutedNetwork&) { return true; });
      e.masqueraded = ranges(f, [](const RoutedNetwork& r) { return r.masquerade; });
    }
  }

  std::string all() && {
    out_ = fmt::format("add table inet {0}\ndelete table inet {0}\ntable inet {0} {{\n",
                       t_.name);
    sets();
    spoofed();
    if (t_.reply_mark) replies();
    mss();
    forward();
    if (!t_.dnat.empty()) translate();
    leaving();
    return std::move(out_) + "}\n";
  }

 private:
  template <class... Args>
  void line(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(out_), format, std::forward<Args>(args)...);
    out_ += '\n';
  }
  void chain(std::string_view name, std::string_view type, std::string_view hook,
             int priority) {
    line("\tchain {} {{", name);
    line("\t\ttype {} hook {} priority {}; policy accept;", type, hook, priority);
  }
  void end() { line("\t}}"); }
  // Elements that would be none are no set: rules that use it are left out as well.
  void set(const std::string& name, std::string_view type, const std::string& elements) {
    if (!elements.empty())
      line("\tset {} {{ type {}; flags interval; elements = {{ {} }}; }}", name, type,
           elements);
  }
  void map(const std::string& name, const std::string& type,
           const std::string& elements) {
    if (!elements.empty())
      line("\tmap {} {{ type {}; elements = {{ {} }}; }}", name, type, elements);
  }

  [[nodiscard]] std::vector<Judged> judged(Family f, auto wanted) const {
    std::vector<Judged> all;
    bool exit_node = false;
    for (const auto& r : t_.routed) {
      if (r.network.family() != f) continue;
      all.push_back({r.network, wanted(r)});
      exit_node = exit_node || is_default_like(r.network);
    }
    if (!exit_node) return all;
    for (const auto& p : kPrivate) {
      const auto prefix = *Prefix::parse(p);
      const auto named = [&](const RoutedNetwork& r) {
        return !is_default_like(r.network) && r.network.contains(prefix);
      };
      if (prefix.family() == f && std::ranges::none_of(t_.routed, named))
        all.push_back({prefix, false});
    }
    return all;
  }
  [[nodiscard]] std::string ranges(Family f, auto wanted) const {
    return list(wanted_ranges(judged(f, wanted)),
                [](const AddressRange& r) { return r.text(); });
  }

  // As elements of a set; empty: there are none.
  struct Elements {
    std::string own{}, routed{}, masqueraded{};
  };
  [[nodiscard]] const Elements& of(Family f) const { return f == Family::v4 ? v4_ : v6_; }

  void each_dnat(auto visit) const {
    for (const auto f : kFamilies)
      for (const auto p : {Protocol::tcp, Protocol::udp}) {
        std::vector<Dnat> some;
        std::ranges::copy_if(t_.dnat, std::back_inserter(some), [&](const Dnat& d) {
          return d.protocol == p && d.translated_address.family() == f;
        });
        if (!some.empty()) visit(f, p, std::move(some));
      }
  }

  void sets() {
    for (const auto f : kFamilies) {
      set(fmt::format("routed{}", digit(f)), address_type(f), of(f).routed);
      set(fmt::format("masquerade{}", digit(f)), address_type(f), of(f).masqueraded);
    }
    each_dnat(
        [&](Family f, Protocol p, std::vector<Dnat> some) { dnat_maps(f, p, some); });
  }

  // The kernel picks any port of a translated range; only a map keeps their order. Ports
  // that stay as they are need none.
  void dnat_maps(Family f, Protocol p, std::vector<Dnat>& some) {
    std::ranges::sort(some, {}, [](const Dnat& d) { return d.destination.first; });
    std::string ports, kept, shifted;
    const auto add = [](std::string& to, const std::string& element) {
      if (!to.empty()) to += ", ";
      to += element;
    };
    for (const auto& d : some) {
      const auto range = d.destination.text();
      const auto target = d.translated_address.text();
      add(ports, range);
      if (d.destination == d.translated_port) {
        add(kept, fmt::format("{} : {}", range, target));
        continue;
      }
      for (uint32_t port = d.destination.first; port <= d.destination.last; ++port)
        add(shifted, fmt::format("{} : {} . {}", port, target,
                                 port - d.destination.first + d.translated_port.first));
    }
    const auto suffix = fmt::format("_{}{}", port_protocol(p), digit(f));
    set("ports" + suffix, "inet_service", ports);
    map("kept" + suffix,
        fmt::format("inet_service : {}; flags interval", address_type(f)), kept);
    map("shifted" + suffix,
        fmt::format("inet_service : {} . inet_service", address_type(f)), shifted);
  }

  void spoofed() {
    chain("spoofed", "filter", "prerouting", -300);
    line("\t\tiifname {{ {}, \"lo\" }} accept", link_);
    for (const auto f : kFamilies) {
      const auto clients =
          list(of_family(t_.dns_clients, f), [](const Prefix& p) { return p.text(); });
      if (!clients.empty() && !of(f).own.empty())
        line(
            "\t\t{0} saddr {{ {1} }} {0} daddr {{ {2} }} meta l4proto {{ tcp, udp }} th "
            "dport 53 accept",
            ip(f), clients, of(f).own);
      const auto overlay =
          list(of_family(t_.overlay, f), [](const Prefix& p) { return p.text(); });
      if (!overlay.empty()) line("\t\t{} saddr {{ {} }} counter drop", ip(f), overlay);
      if (!of(f).own.empty())
        line("\t\t{} daddr {{ {} }} counter drop", ip(f), of(f).own);
    }
    end();
  }

  // Marked before dstnat, while the address is still one of this host's.
  void replies() {
    const auto [mark, mask] = *t_.reply_mark;
    chain("replies", "filter", "prerouting", -150);
    line(
        "\t\tiifname != {{ {}, \"lo\" }} ct state new fib daddr type local ct mark set "
        "ct "
        "mark & {:#x} | {:#x}",
        link_, ~mask, mark & mask);
    line(
        "\t\tct direction reply ct mark & {:#x} == {:#x} meta mark set meta mark & {:#x} "
        "| "
        "{:#x}",
        mask, mark & mask, ~mask, mark & mask);
    end();
    // The same for what this host itself answers. Only answers: the other side has begun
    // the connection. A packet that bears somebody's mark is somebody's.
    chain("answers", "route", "output", -150);
    line(
        "\t\tmeta mark 0 ct direction reply ct mark & {:#x} == {:#x} meta mark set {:#x}",
        mask, mark & mask, mark & mask);
    end();
  }

  void mss() {
    chain("mss", "filter", "forward", -150);
    for (const auto side : {"iifname", "oifname"})
      line("\t\t{} {} tcp flags syn tcp option maxseg size set rt mtu", side, link_);
    end();
  }

  // Others' interfaces are no way to each other because a peer may go through them.
  void shut(Family f, const std::vector<std::string>& interfaces) {
    if (interfaces.empty()) return;
    line(
        "\t\tmeta nfproto ipv{} iifname {{ {} }} oifname != {} ct direction original "
        "counter drop",
        digit(f), list(interfaces, quoted), link_);
  }

  void forward() {
    chain("forward", "filter", "forward", 0);
    shut(Family::v4, t_.opened_v4);
    if (t_.opened_all_v6)
      line(
          "\t\tmeta nfproto ipv6 iifname != {0} oifname != {0} ct direction original "
          "counter drop",
          link_);
    else
      shut(Family::v6, t_.opened_v6);
    line("\t\tiifname != {} accept", link_);
    line("\t\tct state established,related ct direction reply accept");
    for (const auto f : kFamilies)
      if (!of(f).own.empty())
        line("\t\tct status dnat ct original {} daddr {{ {} }} accept", ip(f), of(f).own);
    for (const auto f : kFamilies)
      if (!of(f).routed.empty())
        line("\t\toifname != {} {} daddr @routed{} accept", link_, ip(f), digit(f));
    line("\t\tcounter drop");
    end();
  }

  void translate() {
    // Before what others translate at the same hook, so that leaving() knows whose it is.
    chain("translate", "nat", "prerouting", -110);
    each_dnat([&](Family f, Protocol p, const std::vector<Dnat>& some) {
      const auto kept = [](const Dnat& d) { return d.destination == d.translated_port; };
      for (const bool same : {false, true})
        if (std::ranges::any_of(some, [&](const Dnat& d) { return kept(d) == same; }))
          line(
              "\t\tiifname != {{ {}, \"lo\" }} fib daddr type local dnat {} to {} dport "
              "map @{}_{}{}",
              link_, ip(f), port_protocol(p), same ? "kept" : "shifted", port_protocol(p),
              digit(f));
    });
    end();
  }

  void leaving() {
    bool any = !t_.dnat.empty();
    for (const auto f : kFamilies) any = any || !of(f).masqueraded.empty();
    if (!any) return;
    // Before what others masquerade.
    chain("leaving", "nat", "postrouting", 90);
    each_dnat([&](Family f, Protocol p, const std::vector<Dnat>&) {
      line(
          "\t\tiifname != {0} oifname {0} meta nfproto {1} meta l4proto {2} ct status "
          "dnat ct original proto-dst @ports_{2}{3} masquerade",
          link_, f == Family::v4 ? "ipv4" : "ipv6", port_protocol(p), digit(f));
    });
    for (const auto f : kFamilies)
      if (!of(f).masqueraded.empty())
        line("\t\tiifname {0} oifname != {0} {1} daddr @masquerade{2} masquerade", link_,
             ip(f), digit(f));
    end();
  }

  const NftTable& t_;
  std::string link_;
  Elements v4_{}, v6_{};
  std::string out_{};
};

}  // namespace

std::string ruleset(const NftTable& table) { return Text(table).all(); }

// Its lines inside chains, but for the one that says what the chain is.
uint64_t rules_in(const std::string& ruleset) {
  uint64_t rules = 0;
  for (size_t at = ruleset.find("\n\t\t"); at != ruleset.npos;
       at = ruleset.find("\n\t\t", at + 1))
    rules += ruleset.compare(at + 3, 5, "type ") != 0 ? 1 : 0;
  return rules;
}

}  // namespace wigeon
