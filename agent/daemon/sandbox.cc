// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/sandbox.hh"

#include <cap-ng.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <array>

namespace wigeon {
namespace {

// SETUID and SETGID start the resolver under its own uid; CHOWN gives the socket to its
// group; DAC_OVERRIDE reads a configuration that belongs to somebody else.
constexpr std::array kKept = {CAP_NET_ADMIN, CAP_NET_RAW, CAP_NET_BIND_SERVICE,
                              CAP_BPF,       CAP_PERFMON, CAP_SETUID,
                              CAP_SETGID,    CAP_CHOWN,   CAP_DAC_OVERRIDE};

// capng_type_t is an enum of bits that are meant to be combined.
// NOLINTNEXTLINE(clang-analyzer-optin.core.EnumCastOutOfRange)
constexpr auto kSets =
    static_cast<capng_type_t>(CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_BOUNDING_SET);

}  // namespace

Result<void> require_net_admin() {
  if (capng_get_caps_process() == 0 &&
      capng_have_capability(CAPNG_EFFECTIVE, CAP_NET_ADMIN) == 1)
    return {};
  return fail(EPERM, "CAP_NET_ADMIN is missing; run it as root or from its systemd unit");
}

Result<void> shed_privileges() {
  const rlimit no_core{0, 0};
  if (::setrlimit(RLIMIT_CORE, &no_core) != 0) return fail_errno("setrlimit RLIMIT_CORE");
  if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return fail_errno("PR_SET_DUMPABLE");
  // Before Linux 5.11 maps of BPF programs count against it; afterwards it is a limit of
  // nothing that we do. Without CAP_SYS_RESOURCE it stays as the unit set it.
  const rlimit unlimited{RLIM_INFINITY, RLIM_INFINITY};
  (void)::setrlimit(RLIMIT_MEMLOCK, &unlimited);
  if (capng_get_caps_process() != 0) return fail(EINVAL, "reading our capabilities");
  std::array<bool, kKept.size()> have{};
  for (size_t i = 0; i < kKept.size(); ++i)
    have[i] =
        capng_have_capability(CAPNG_EFFECTIVE, static_cast<unsigned>(kKept[i])) == 1;
  capng_clear(CAPNG_SELECT_BOTH);
  for (size_t i = 0; i < kKept.size(); ++i)
    if (have[i] && capng_update(CAPNG_ADD, kSets, static_cast<unsigned>(kKept[i])) != 0)
      return fail(EINVAL, "choosing capabilities");
  // The bounding set cannot be changed without CAP_SETPCAP; then it stays as the unit set
  // it.
  if (capng_apply(CAPNG_SELECT_BOUNDS) != 0) (void)capng_apply(CAPNG_SELECT_CAPS);
  if (capng_apply(CAPNG_SELECT_CAPS) != 0) return fail(EPERM, "giving up capabilities");
  return {};
}

}  // namespace wigeon
