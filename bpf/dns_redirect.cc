// SPDX-License-Identifier: GPL-2.0-or-later
#include "bpf/dns_redirect.hh"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <fmt/format.h>

#include "bpf/clsact.hh"
#include "bpf/libbpf_log.hh"
#include "bpf/reuse.hh"
#include "dns_redirect.skel.h"

namespace wigeon::bpf {
namespace {

using Skeleton = Owned<dns_redirect_bpf, dns_redirect_bpf__destroy>;

const pin::Redirect& pins_of(Hook hook) {
  return hook == Hook::xdp ? pin::kRedirectXdp : pin::kRedirectTc;
}

UniqueFd duplicate(int fd) { return UniqueFd(::fcntl(fd, F_DUPFD_CLOEXEC, 3)); }

Result<void> detach_pinned(const PinDirectory& pins, const char* name) {
  const auto link = TRY(pins.get(name));
  // ENOLINK: its device went first
  if (link && ::bpf_link_detach(link->get()) != 0 && errno != ENOLINK)
    return fail_errno("detaching the BPF link");
  return pins.remove(name);
}

}  // namespace

struct PortRedirect::Loaded {
  UniqueFd program, addresses, settings, counts;
};

std::string_view text(dns_redirect_reason reason) {
  switch (reason) {
    case DNS_REDIRECTED_UDP:
      return "redirected UDP";
    case DNS_REDIRECTED_TCP:
      return "redirected TCP";
    case DNS_ANSWERED_UDP:
      return "answered UDP";
    case DNS_ANSWERED_TCP:
      return "answered TCP";
    case DNS_NO_LISTENER:
      return "no listener";
    case DNS_DRAINING:
      return "draining";
    case DNS_OTHER_CONNECTION:
      return "other connection";
    case DNS_NOT_OURS:
      return "not ours";
    case DNS_ASKED_DIRECTLY:
      return "asked directly";
    case DNS_ANSWERED_DIRECTLY:
      return "answered directly";
    case DNS_MALFORMED:
      return "malformed";
    case DNS_TOO_DEEP:
      return "too many headers";
    case DNS_NO_ROOM:
      return "flow not noted";
    case DNS_NOT_WRITTEN:
      return "not written";
    case DNS_REDIRECT_REASONS:
      break;
  }
  return "?";
}

PortRedirect::PortRedirect(Loaded loaded, Attachment attachment)
    : program_(std::move(loaded.program)),
      addresses_(std::move(loaded.addresses)),
      settings_(std::move(loaded.settings)),
      counts_(std::move(loaded.counts)),
      attachment_(std::move(attachment)) {}

Result<PortRedirect> PortRedirect::open(const Place& place, const PinDirectory* pins) {
  if (place.hook == Hook::tc_egress)
    return fail(EINVAL, "dns_redirect is for what arrives");
  LibbpfLog log;
  const Skeleton s(dns_redirect_bpf__open());
  if (!s) return log.fail("opening dns_redirect", errno);
  const bool xdp = place.hook == Hook::xdp;
  ::bpf_program__set_autoload(s->progs.dns_redir_xdp, xdp);
  ::bpf_program__set_autoload(s->progs.dns_redir_tc, !xdp);
  const pin::Redirect& names = pins_of(place.hook);
  std::array<PinnedMap, 5> maps = {
      PinnedMap{.map = s->maps.dns_addresses, .pin = names.addresses},
      PinnedMap{.map = s->maps.dns_settings, .pin = names.settings},
      PinnedMap{.map = s->maps.dns_flows_udp, .pin = names.udp},
      PinnedMap{.map = s->maps.dns_flows_tcp, .pin = names.tcp},
      PinnedMap{.map = s->maps.dns_counts, .pin = names.counts}};
  if (pins) TRY(reuse(maps, *pins));
  if (const int code = dns_redirect_bpf__load(s.get()); code < 0)
    return log.fail("loading dns_redirect", -code);
  Loaded loaded{.program = duplicate(::bpf_program__fd(xdp ? s->progs.dns_redir_xdp
                                                           : s->progs.dns_redir_tc)),
                .addresses = duplicate(::bpf_map__fd(s->maps.dns_addresses)),
                .settings = duplicate(::bpf_map__fd(s->maps.dns_settings)),
                .counts = duplicate(::bpf_map__fd(s->maps.dns_counts))};
  if (!loaded.program || !loaded.addresses || !loaded.settings || !loaded.counts)
    return fail_errno("keeping dns_redirect");
  auto attachment = pins
                        ? Attachment::open(loaded.program.get(), place, *pins, names.link)
                        : Attachment::open(loaded.program.get(), place);
  if (!attachment) return std::unexpected(std::move(attachment).error());
  if (pins) TRY(pin_new(maps, *pins));
  return PortRedirect(std::move(loaded), std::move(*attachment));
}

Result<void> PortRedirect::remove(IfIndex device, Hook hook, const PinDirectory* pins) {
  if (hook == Hook::tc_ingress) TRY(clsact::remove({device, hook, Way::clsact_filter}));
  if (!pins) return {};
  const pin::Redirect& names = pins_of(hook);
  TRY(detach_pinned(*pins, names.link));
  for (const char* name :
       {names.addresses, names.settings, names.udp, names.tcp, names.counts})
    TRY(pins->remove(name));
  return {};
}

Result<void> PortRedirect::set(const Settings& settings) const {
  if (settings.port == 0 || settings.port == DNS_PORT)
    return fail(EINVAL,
                fmt::format("DNS cannot be redirected to port {}", settings.port));
  TRY(addresses_.set(settings.own));
  return settings_.update(0, {.port = ::htons(settings.port),
                              .draining = static_cast<__u16>(settings.draining)});
}

Result<PortRedirect::Counts> PortRedirect::counters() const {
  Counts sums{};
  for (__u32 reason = 0; reason < DNS_REDIRECT_REASONS; ++reason)
    for (const __u64 cpu : TRY(counts_.lookup(reason))) sums[reason] += cpu;
  return sums;
}

}  // namespace wigeon::bpf
