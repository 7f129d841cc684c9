// SPDX-License-Identifier: GPL-2.0-or-later
#include "bpf/dns_steer.hh"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "bpf/libbpf_log.hh"
#include "bpf/reuse.hh"
#include "dns_steer.skel.h"

namespace wigeon::bpf {
namespace {

using Skeleton = Owned<dns_steer_bpf, dns_steer_bpf__destroy>;

UniqueFd duplicate(int fd) { return UniqueFd(::fcntl(fd, F_DUPFD_CLOEXEC, 3)); }

Result<UniqueFd> own_network() {
  UniqueFd fd(::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
  if (!fd) return fail_errno("/proc/self/ns/net");
  return fd;
}

// The number of the namespace is 0 when it ended.
Result<bool> attached_at(int link, int network) {
  bpf_link_info info{};
  __u32 length = sizeof(info);
  if (::bpf_obj_get_info_by_fd(link, &info, &length) != 0) return fail_errno("BPF link");
  struct stat st {};
  if (::fstat(network, &st) != 0) return fail_errno("/proc/self/ns/net");
  return info.type == BPF_LINK_TYPE_NETNS && info.netns.attach_type == BPF_SK_LOOKUP &&
         info.netns.netns_ino == st.st_ino;
}

Result<UniqueFd> attach(int program, const PinDirectory* pins) {
  const UniqueFd network = TRY(own_network());
  if (pins)
    if (auto old = TRY(pins->get(pin::kSteer));
        old && TRY(attached_at(old->get(), network.get()))) {
      if (::bpf_link_update(old->get(), program, nullptr) != 0)
        return fail_errno("updating the link of dns_steer");
      return std::move(*old);
    }
  UniqueFd link(::bpf_link_create(program, network.get(), BPF_SK_LOOKUP, nullptr));
  if (!link) return fail_errno("attaching dns_steer to the network namespace");
  if (pins) TRY(pins->put(link.get(), pin::kSteer));
  return link;
}

Result<void> check(int socket, int family, int protocol, std::string_view place) {
  int is = 0;
  socklen_t length = sizeof(is);
  if (::getsockopt(socket, SOL_SOCKET, SO_DOMAIN, &is, &length) != 0)
    return fail_errno(place);
  if (is != family)
    return fail(EINVAL, fmt::format("{}: of address family {}", place, is));
  if (::getsockopt(socket, SOL_SOCKET, SO_PROTOCOL, &is, &length) != 0)
    return fail_errno(place);
  if (is != protocol) return fail(EINVAL, fmt::format("{}: of protocol {}", place, is));
  if (::getsockopt(socket, SOL_SOCKET, SO_ACCEPTCONN, &is, &length) != 0)
    return fail_errno(place);
  if (protocol == IPPROTO_TCP && !is)
    return fail(EINVAL, fmt::format("{}: does not listen", place));
  return {};
}

}  // namespace

struct DnsSteer::Loaded {
  UniqueFd program, addresses, listeners, counts;
};

std::string_view text(dns_steer_reason reason) {
  switch (reason) {
    case DNS_STEERED_UDP4:
      return "steered UDP IPv4";
    case DNS_STEERED_UDP6:
      return "steered UDP IPv6";
    case DNS_STEERED_TCP4:
      return "steered TCP IPv4";
    case DNS_STEERED_TCP6:
      return "steered TCP IPv6";
    case DNS_STEER_NO_LISTENER:
      return "no listener";
    case DNS_STEER_REFUSED:
      return "refused by the kernel";
    case DNS_STEER_NOT_OURS:
      return "not ours";
    case DNS_STEER_REASONS:
      break;
  }
  return "?";
}

DnsSteer::DnsSteer(Loaded loaded, UniqueFd link)
    : program_(std::move(loaded.program)),
      addresses_(std::move(loaded.addresses)),
      listeners_(std::move(loaded.listeners)),
      counts_(std::move(loaded.counts)),
      link_(std::move(link)) {}

Result<DnsSteer> DnsSteer::open(const PinDirectory* pins) {
  LibbpfLog log;
  const Skeleton s(dns_steer_bpf__open());
  if (!s) return log.fail("opening dns_steer", errno);
  std::array<PinnedMap, 3> maps = {
      PinnedMap{.map = s->maps.dns_addresses, .pin = pin::kSteerAddresses},
      PinnedMap{.map = s->maps.dns_listeners, .pin = pin::kSteerListeners},
      PinnedMap{.map = s->maps.dns_steer_counts, .pin = pin::kSteerCounts}};
  if (pins) TRY(reuse(maps, *pins));
  if (const int code = dns_steer_bpf__load(s.get()); code < 0)
    return log.fail("loading dns_steer", -code);
  Loaded loaded{.program = duplicate(::bpf_program__fd(s->progs.dns_steer)),
                .addresses = duplicate(::bpf_map__fd(s->maps.dns_addresses)),
                .listeners = duplicate(::bpf_map__fd(s->maps.dns_listeners)),
                .counts = duplicate(::bpf_map__fd(s->maps.dns_steer_counts))};
  if (!loaded.program || !loaded.addresses || !loaded.listeners || !loaded.counts)
    return fail_errno("keeping dns_steer");
  UniqueFd link = TRY(attach(loaded.program.get(), pins));
  if (pins) TRY(pin_new(maps, *pins));
  return DnsSteer(std::move(loaded), std::move(link));
}

Result<void> DnsSteer::remove(const PinDirectory& pins) {
  if (const auto link = TRY(pins.get(pin::kSteer)))
    // ENOLINK: its namespace ended
    if (::bpf_link_detach(link->get()) != 0 && errno != ENOLINK)
      return fail_errno("detaching dns_steer");
  for (const char* name :
       {pin::kSteer, pin::kSteerAddresses, pin::kSteerListeners, pin::kSteerCounts})
    TRY(pins.remove(name));
  return {};
}

Result<void> DnsSteer::set_addresses(std::span<const Address> own) const {
  return addresses_.set(own);
}

Result<void> DnsSteer::set_listeners(const Listeners& listeners) const {
  struct Slot {
    dns_listener key;
    int socket, family, protocol;
    std::string_view name;
  };
  const Slot slots[] = {
      {DNS_UDP4, listeners.udp4, AF_INET, IPPROTO_UDP, "listener for UDP, IPv4"},
      {DNS_UDP6, listeners.udp6, AF_INET6, IPPROTO_UDP, "listener for UDP, IPv6"},
      {DNS_TCP4, listeners.tcp4, AF_INET, IPPROTO_TCP, "listener for TCP, IPv4"},
      {DNS_TCP6, listeners.tcp6, AF_INET6, IPPROTO_TCP, "listener for TCP, IPv6"}};
  for (const Slot& s : slots)
    if (s.socket >= 0) TRY(check(s.socket, s.family, s.protocol, s.name));
  for (const Slot& s : slots) {
    const auto set = s.socket >= 0
                         ? listeners_.update(s.key, static_cast<__u64>(s.socket))
                         : listeners_.remove(s.key);
    // EINVAL, ENOENT by kernel: an empty place cannot be emptied
    if (set ||
        (s.socket < 0 && (set.error().code == EINVAL || set.error().code == ENOENT)))
      continue;
    return within(s.name, set.error());
  }
  return {};
}

Result<bool> DnsSteer::attached() const {
  const UniqueFd network = TRY(own_network());
  return attached_at(link_.get(), network.get());
}

Result<DnsSteer::Counts> DnsSteer::counters() const {
  Counts sums{};
  for (__u32 reason = 0; reason < DNS_STEER_REASONS; ++reason)
    for (const __u64 cpu : TRY(counts_.lookup(reason))) sums[reason] += cpu;
  return sums;
}

}  // namespace wigeon::bpf
