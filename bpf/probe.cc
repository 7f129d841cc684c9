// SPDX-License-Identifier: GPL-2.0-or-later
#include "bpf/probe.hh"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstring>

#include "agent/base/owned.hh"
#include "bpf/attach.hh"
#include "bpf/libbpf_log.hh"

namespace wigeon::bpf {
namespace {

Found no(int code) {
  std::string why = ::strerror(code);
  if (code == EPERM || code == EACCES)
    why += ": needs CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON";
  if (code == EINVAL) why += ": not known to this kernel";
  if (code == ENOSYS) why += ": kernel built without bpf(2)";
  return {false, why};
}

// return 1: SK_PASS; the others never run
UniqueFd load(bpf_prog_type type, bpf_attach_type expected) {
  const bpf_insn code[] = {
      {.code = BPF_ALU64 | BPF_MOV | BPF_K,
       .dst_reg = BPF_REG_0,
       .src_reg = 0,
       .off = 0,
       .imm = 1},
      {.code = BPF_JMP | BPF_EXIT, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0},
  };
  LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = expected);
  return UniqueFd(
      ::bpf_prog_load(type, "wigeon_probe", "GPL", code, std::size(code), &options));
}

Found loads(const UniqueFd& program, int code) {
  return program ? Found{true, "loads"} : no(code);
}

Found tcx(const UniqueFd& classifier) {
  if (!classifier) return {false, "no classifier loads"};
  // No device has this index: a kernel with tcx looks for it, one without does not get
  // there.
  const UniqueFd link(::bpf_link_create(classifier.get(), INT_MAX, kTcxIngress, nullptr));
  if (errno == ENODEV) return {true, "link type known"};
  return no(errno);
}

}  // namespace

std::string_view name(Feature feature) {
  switch (feature) {
    case Feature::tc:
      return "tc";
    case Feature::tcx:
      return "tcx";
    case Feature::xdp:
      return "xdp";
    case Feature::sk_lookup:
      return "sk_lookup";
    case Feature::ring_buffer:
      return "ring buffer";
    case Feature::btf:
      return "BTF";
    case Feature::memcg:
      return "memcg accounting";
  }
  return "?";
}

Features probe() {
  const LibbpfLog quiet;
  Features f;
  const auto put = [&f](Feature which, Found found) {
    f.found_[static_cast<size_t>(which)] = std::move(found);
  };

  const UniqueFd classifier = load(BPF_PROG_TYPE_SCHED_CLS, {});
  put(Feature::tc, loads(classifier, errno));
  put(Feature::tcx, tcx(classifier));
  const UniqueFd xdp = load(BPF_PROG_TYPE_XDP, BPF_XDP);
  put(Feature::xdp, loads(xdp, errno));
  const UniqueFd lookup = load(BPF_PROG_TYPE_SK_LOOKUP, BPF_SK_LOOKUP);
  put(Feature::sk_lookup, loads(lookup, errno));

  const auto page = static_cast<__u32>(::sysconf(_SC_PAGESIZE));
  const UniqueFd ring(
      ::bpf_map_create(BPF_MAP_TYPE_RINGBUF, "wigeon_probe", 0, 0, page, nullptr));
  put(Feature::ring_buffer, ring ? Found{true, "map made"} : no(errno));

  constexpr const char* kBtf = "/sys/kernel/btf/vmlinux";
  put(Feature::btf, ::access(kBtf, R_OK) == 0
                        ? Found{true, kBtf}
                        : Found{false, std::string(kBtf) + ": " + ::strerror(errno)});

  // The helper came with the same release as the accounting.
  const int helper = ::libbpf_probe_bpf_helper(BPF_PROG_TYPE_SCHED_CLS,
                                               BPF_FUNC_ktime_get_coarse_ns, nullptr);
  put(Feature::memcg, helper == 1 ? Found{true, "Linux 5.11 or later"}
                      : helper == 0
                          ? Found{false, "Linux before 5.11: RLIMIT_MEMLOCK counts"}
                          : no(-helper));
  return f;
}

}  // namespace wigeon::bpf
