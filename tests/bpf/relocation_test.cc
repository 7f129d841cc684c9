// SPDX-License-Identifier: GPL-2.0-or-later
// CO-RE: one object, built without this kernel's headers, finds this kernel's fields.
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <string_view>

#include "bpf/libbpf_log.hh"
#include "relocation.skel.h"
#include "tests/bpf/own_namespace.hh"

using namespace wigeon;

namespace {

// In bytes, as the kernel's own description has it.
uint32_t offset_in_kernel(const btf* kernel, const char* type, std::string_view field) {
  const int id = ::btf__find_by_name_kind(kernel, type, BTF_KIND_STRUCT);
  REQUIRE(id > 0);
  const btf_type* t = ::btf__type_by_id(kernel, static_cast<__u32>(id));
  for (__u32 i = 0; i < ::btf_vlen(t); ++i)
    if (::btf__name_by_offset(kernel, ::btf_members(t)[i].name_off) == field)
      return ::btf_member_bit_offset(t, i) / 8;
  return 0;
}

}  // namespace

TEST_CASE("a field is read where the running kernel has it") {
  if (::access("/sys/kernel/btf/vmlinux", R_OK) != 0)
    test::skip("/sys/kernel/btf/vmlinux");
  const bpf::LibbpfLog log;
  const Owned<relocation_bpf, relocation_bpf__destroy> s(relocation_bpf__open_and_load());
  INFO(log.line());
  REQUIRE(s);
  const unsigned char packet[64] = {};
  LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = packet, .data_size_in = sizeof(packet));
  REQUIRE(::bpf_prog_test_run_opts(::bpf_program__fd(s->progs.relocation), &run) == 0);

  const Owned<btf, btf__free> kernel(::btf__load_vmlinux_btf());
  REQUIRE(kernel);
  const uint32_t expected = offset_in_kernel(kernel.get(), "net_device", "ifindex");
  REQUIRE(expected > 0);  // our declaration has it at 0
  CHECK(run.retval == expected);
}
