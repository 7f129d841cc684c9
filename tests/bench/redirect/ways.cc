// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/bench/redirect/ways.hh"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <lo_pass.skel.h>
#include <lo_udp.skel.h>
#include <net/if.h>

#include "agent/model/dns_ruleset.hh"
#include "bpf/dns_redirect.hh"
#include "bpf/probe.hh"
#include "netlink/nftables.hh"

namespace wigeon::bench {
namespace {

using Held = Result<std::shared_ptr<void>>;
constexpr IfIndex kLo{1};
constexpr const char* kTable = "bench_dns";

Held nothing(const Port53&) { return nullptr; }

Held steer(const Port53& p) {
  auto steer = std::make_shared<bpf::DnsSteer>(TRY(bpf::DnsSteer::open(nullptr)));
  TRY(steer->set_listeners(p.listeners));
  TRY(steer->set_addresses(std::span(&p.own, 1)));
  return steer;
}

Held redirect(const Port53& p, bpf::Hook hook) {
  const auto place = TRY(bpf::place(kLo, hook, bpf::probe()));
  auto redirect =
      std::make_shared<bpf::PortRedirect>(TRY(bpf::PortRedirect::open(place, nullptr)));
  TRY(redirect->set({.own = std::span(&p.own, 1), .port = p.port}));
  // A clsact filter stays until it is detached.
  return std::shared_ptr<void>(
      redirect.get(), [redirect](void*) { (void)std::move(*redirect).detach(); });
}
Held tc(const Port53& p) { return redirect(p, bpf::Hook::tc_ingress); }
Held xdp(const Port53& p) { return redirect(p, bpf::Hook::xdp); }

Held nft(const Port53& p) {
  auto nft = std::make_shared<netlink::Nftables>(TRY(netlink::Nftables::open()));
  TRY(nft->apply(ruleset(DnsRuleset{.name = kTable, .resolver = {{p.own, p.port}}})));
  return std::shared_ptr<void>(nft.get(),
                               [nft](void*) { (void)nft->delete_table("inet", kTable); });
}

// Attached by a link, as all of ours.
template <class Skeleton>
Held generic_xdp(Skeleton* skeleton, void (*destroy)(Skeleton*), int program) {
  if (!skeleton) return fail_errno("loading a program");
  std::shared_ptr<Skeleton> held(skeleton, destroy);
  LIBBPF_OPTS(bpf_link_create_opts, options, .flags = XDP_FLAGS_SKB_MODE);
  const int link = ::bpf_link_create(program, static_cast<int>(kLo), BPF_XDP, &options);
  if (link < 0) return fail_errno("attaching a program");
  return std::shared_ptr<void>(held.get(), [held, link](void*) { ::close(link); });
}

Held empty_xdp(const Port53&) {
  auto* s = lo_pass_bpf__open_and_load();
  return generic_xdp(s, lo_pass_bpf__destroy, s ? bpf_program__fd(s->progs.lo_pass) : -1);
}

Held udp_xdp(const Port53& p) {
  auto* s = lo_udp_bpf__open();
  if (!s) return fail_errno("opening a program");
  s->rodata->own = ::inet_addr(p.own.text().c_str());
  s->rodata->port = htons(p.port);
  if (lo_udp_bpf__load(s) != 0) {
    lo_udp_bpf__destroy(s);
    return fail_errno("loading a program");
  }
  return generic_xdp(s, lo_udp_bpf__destroy, bpf_program__fd(s->progs.lo_udp));
}

}  // namespace

const std::vector<Way>& ways() {
  static const std::vector<Way> all = {{"none", false, nothing},
                                       {"sk_lookup", true, steer},
                                       {"tc", true, tc},
                                       {"nftables", true, nft},
                                       {"xdp", true, xdp},
                                       {"empty xdp", false, empty_xdp},
                                       {"udp-only xdp", false, udp_xdp}};
  return all;
}

}  // namespace wigeon::bench
