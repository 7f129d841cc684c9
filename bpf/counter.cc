// SPDX-License-Identifier: GPL-2.0-or-later
#include "bpf/counter.hh"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>

#include <optional>

#include "bpf/clsact.hh"
#include "bpf/libbpf_log.hh"
#include "wt0_count.skel.h"

namespace wigeon::bpf {
namespace {

using Skeleton = Owned<wt0_count_bpf, wt0_count_bpf__destroy>;

const char* link_pin(Hook hook) {
  return hook == Hook::xdp ? pin::kCountXdp : pin::kCountTc;
}

UniqueFd duplicate(int fd) { return UniqueFd(::fcntl(fd, F_DUPFD_CLOEXEC, 3)); }

}  // namespace

struct Counter::Loaded {
  UniqueFd program;
  Map counts;
};

std::string_view text(wt0_reason reason) {
  switch (reason) {
    case WT0_PASS_V4:
      return "passed IPv4";
    case WT0_PASS_V6:
      return "passed IPv6";
    case WT0_SHORT:
      return "short";
    case WT0_BAD_VERSION:
      return "bad version";
    case WT0_BAD_LENGTH:
      return "bad length";
    case WT0_REASONS:
      break;
  }
  return "?";
}

Counter::Counter(Loaded loaded, Attachment attachment)
    : program_(std::move(loaded.program)),
      counts_(std::move(loaded.counts)),
      attachment_(std::move(attachment)) {}

Result<Counter::Loaded> Counter::load(Hook hook, const Map* counts) {
  if (hook == Hook::tc_egress) return fail(EINVAL, "wt0_count counts what arrives");
  LibbpfLog log;
  const Skeleton s(wt0_count_bpf__open());
  if (!s) return log.fail("opening wt0_count", errno);
  const bool xdp = hook == Hook::xdp;
  ::bpf_program__set_autoload(s->progs.wt0_count_xdp, xdp);
  ::bpf_program__set_autoload(s->progs.wt0_count_tc, !xdp);
  if (counts)
    if (const int code = ::bpf_map__reuse_fd(s->maps.wt0_counts, counts->fd()); code < 0)
      return log.fail("reusing the counters", -code);
  if (const int code = wt0_count_bpf__load(s.get()); code < 0)
    return log.fail("loading wt0_count", -code);

  UniqueFd program =
      duplicate(::bpf_program__fd(xdp ? s->progs.wt0_count_xdp : s->progs.wt0_count_tc));
  UniqueFd map = duplicate(::bpf_map__fd(s->maps.wt0_counts));
  if (!program || !map) return fail_errno("keeping wt0_count");
  return Loaded{std::move(program), Map(std::move(map))};
}

Result<Counter> Counter::open(const Place& place) {
  Loaded loaded = TRY(load(place.hook, nullptr));
  Attachment attachment = TRY(Attachment::open(loaded.program.get(), place));
  return Counter(std::move(loaded), std::move(attachment));
}

Result<Counter> Counter::open(const Place& place, const PinDirectory& pins) {
  std::optional<Map> old;
  if (auto fd = TRY(pins.get(pin::kCountCounts)))
    if (auto map = Map::adopt(std::move(*fd), WT0_REASONS)) old = std::move(*map);
  Loaded loaded = TRY(load(place.hook, old ? &*old : nullptr));
  auto attachment =
      Attachment::open(loaded.program.get(), place, pins, link_pin(place.hook));
  if (!attachment) return std::unexpected(std::move(attachment).error());
  if (!old) TRY(pins.put(loaded.counts.fd(), pin::kCountCounts));
  return Counter(std::move(loaded), std::move(*attachment));
}

Result<void> Counter::remove(IfIndex device, const PinDirectory& pins) {
  TRY(clsact::remove({device, Hook::tc_ingress, Way::clsact_filter}));
  for (const char* name : {pin::kCountXdp, pin::kCountTc}) {
    const auto link = TRY(pins.get(name));
    // ENOLINK: its device went first
    if (link && ::bpf_link_detach(link->get()) != 0 && errno != ENOLINK)
      return fail_errno("detaching the BPF link");
    TRY(pins.remove(name));
  }
  return pins.remove(pin::kCountCounts);
}

Result<Counts> Counter::counters() const {
  Counts sums{};
  for (__u32 reason = 0; reason < WT0_REASONS; ++reason)
    for (const wt0_count& cpu : TRY(counts_.lookup(reason))) {
      sums[reason].packets += cpu.packets;
      sums[reason].bytes += cpu.bytes;
    }
  return sums;
}

Result<void> Counter::detach() && { return std::move(attachment_).detach(); }

}  // namespace wigeon::bpf
