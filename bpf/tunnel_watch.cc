// SPDX-License-Identifier: GPL-2.0-or-later
#include "bpf/tunnel_watch.hh"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/owned.hh"
#include "bpf/libbpf_log.hh"
#include "bpf/map.hh"
#include "wg_set.skel.h"

namespace wigeon::bpf {
namespace {

using Skeleton = Owned<wg_set_bpf, wg_set_bpf__destroy>;
using Ring = Owned<ring_buffer, ring_buffer__free>;
using Counts = Map<__u32, __u64>;

constexpr const char* kBtf = "/sys/kernel/btf/vmlinux";

Result<struct stat> stat_of(const char* path) {
  struct stat st {};
  if (::stat(path, &st) != 0) return fail_errno(path);
  return st;
}

TunnelWatch::Who who(const wg_set_event& event) {
  TunnelWatch::Who w{.process = event.process};
  for (const char c : event.command) {
    if (c == 0) break;
    w.command += c < ' ' || c > '~' ? '?' : c;
  }
  return w;
}

}  // namespace

struct TunnelWatch::State {
  Skeleton skeleton;
  Counts counts;
  Ring ring{};
  uint64_t drained = 0;
  std::optional<Who> last{};

  static int take(void* state, void* record, size_t size) {
    wg_set_event event{};
    if (size < sizeof(event)) return 0;  // our own program writes no such record
    std::memcpy(&event, record, sizeof(event));
    static_cast<State*>(state)->last = who(event);
    return 0;
  }
};

TunnelWatch::TunnelWatch(std::unique_ptr<State> state) : state_(std::move(state)) {}
TunnelWatch::TunnelWatch(TunnelWatch&&) noexcept = default;
TunnelWatch& TunnelWatch::operator=(TunnelWatch&&) noexcept = default;
TunnelWatch::~TunnelWatch() = default;

Result<TunnelWatch> TunnelWatch::open(uint16_t family) {
  const struct stat pids = TRY(stat_of("/proc/self/ns/pid"));
  const struct stat network = TRY(stat_of("/proc/self/ns/net"));
  if (::access(kBtf, R_OK) != 0)
    return fail(ENOTSUP, std::string(kBtf) + ": " + ::strerror(errno));
  LibbpfLog log;
  Skeleton s(wg_set_bpf__open());
  if (!s) return log.fail("opening wg_set", errno);
  s->rodata->own_process = static_cast<__u32>(::getpid());
  s->rodata->own_pids_device = pids.st_dev;
  s->rodata->own_pids_inode = pids.st_ino;
  s->rodata->own_network = static_cast<__u32>(network.st_ino);
  s->bss->family = family;
  if (const int code = wg_set_bpf__load(s.get()); code < 0)
    // ESRCH: the function is not in the kernel's BTF
    return log.fail("loading wg_set", code == -ESRCH ? ENOTSUP : -code);

  UniqueFd counts(::fcntl(::bpf_map__fd(s->maps.wg_set_counts), F_DUPFD_CLOEXEC, 3));
  if (!counts) return fail_errno("keeping wg_set_counts");
  auto state = std::make_unique<State>(std::move(s), Counts(std::move(counts)));
  const Skeleton& kept = state->skeleton;
  state->ring.reset(::ring_buffer__new(::bpf_map__fd(kept->maps.wg_set_events),
                                       State::take, state.get(), nullptr));
  if (!state->ring) return log.fail("mapping wg_set_events", errno);
  if (const int code = wg_set_bpf__attach(kept.get()); code < 0)
    return log.fail("attaching wg_set", -code);
  return TunnelWatch(std::move(state));
}

void TunnelWatch::set_family(uint16_t family) { state_->skeleton->bss->family = family; }

int TunnelWatch::fd() const { return ::ring_buffer__epoll_fd(state_->ring.get()); }

// The records first: a change that ends between the two is counted now, and its record
// wakes us once more for nothing. The other way round its record would be gone,
// uncounted.
Result<TunnelWatch::Changes> TunnelWatch::drain() {
  state_->last.reset();
  if (const int code = ::ring_buffer__consume(state_->ring.get()); code < 0)
    return fail_errno("reading wg_set_events", -code);
  const uint64_t total = TRY(count(WG_SET_FOREIGN));
  Changes changes{.count = total - state_->drained,
                  .last = std::exchange(state_->last, std::nullopt)};
  state_->drained = total;
  return changes;
}

Result<uint64_t> TunnelWatch::count(wg_set_reason reason) const {
  return state_->counts.lookup(reason);
}

}  // namespace wigeon::bpf
