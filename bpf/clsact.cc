// SPDX-License-Identifier: GPL-2.0-or-later
#include "bpf/clsact.hh"

#include <bpf/libbpf.h>

#include <cerrno>

#include "bpf/libbpf_log.hh"

namespace wigeon::bpf::clsact {
namespace {

bpf_tc_hook hook_of(const Place& place) {
  LIBBPF_OPTS(
      bpf_tc_hook, hook, .ifindex = static_cast<int>(place.device),
      .attach_point = place.hook == Hook::tc_egress ? BPF_TC_EGRESS : BPF_TC_INGRESS);
  return hook;
}

bpf_tc_opts ours() {
  LIBBPF_OPTS(bpf_tc_opts, options, .handle = kClsactHandle, .priority = kClsactPriority);
  return options;
}

}  // namespace

Result<void> set(int program, const Place& place) {
  LibbpfLog log;
  bpf_tc_hook hook = hook_of(place);
  int code = ::bpf_tc_hook_create(&hook);
  if (code < 0 && code != -EEXIST) return log.fail("making the clsact qdisc", -code);
  bpf_tc_opts options = ours();
  options.prog_fd = program;
  options.flags = BPF_TC_F_REPLACE;
  code = ::bpf_tc_attach(&hook, &options);
  if (code < 0) return log.fail("setting the clsact filter", -code);
  return {};
}

Result<void> remove(const Place& place) {
  LibbpfLog log;
  const bpf_tc_hook hook = hook_of(place);
  const bpf_tc_opts options = ours();
  const int code = ::bpf_tc_detach(&hook, &options);
  // EINVAL: no clsact qdisc at all. ENODEV: the device took it along.
  if (code < 0 && code != -ENOENT && code != -EINVAL && code != -ENODEV)
    return log.fail("removing the clsact filter", -code);
  return {};
}

Result<std::optional<uint32_t>> program(const Place& place) {
  LibbpfLog log;
  const bpf_tc_hook hook = hook_of(place);
  bpf_tc_opts options = ours();
  const int code = ::bpf_tc_query(&hook, &options);
  if (code == 0) return options.prog_id;
  if (code == -ENOENT || code == -EINVAL) return std::nullopt;
  return log.fail("asking for the clsact filter", -code);
}

}  // namespace wigeon::bpf::clsact
