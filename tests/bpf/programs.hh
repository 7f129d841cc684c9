// SPDX-License-Identifier: GPL-2.0-or-later
// Programs of other people, for tests.
#pragma once

#include <bpf/bpf.h>
#include <linux/bpf.h>

#include <catch2/catch.hpp>
#include <iterator>

#include "agent/base/owned.hh"

namespace wigeon::test {

// Returns the same verdict for every packet.
inline UniqueFd always(bpf_prog_type type, int verdict, const char* name = "foreign") {
  bpf_insn code[2] = {};
  code[0].code = BPF_ALU64 | BPF_MOV | BPF_K;
  code[0].dst_reg = BPF_REG_0;
  code[0].imm = verdict;
  code[1].code = BPF_JMP | BPF_EXIT;
  LIBBPF_OPTS(bpf_prog_load_opts, options,
              .expected_attach_type =
                  type == BPF_PROG_TYPE_SK_LOOKUP ? BPF_SK_LOOKUP : bpf_attach_type{});
  UniqueFd program(::bpf_prog_load(type, name, "GPL", code, std::size(code), &options));
  REQUIRE(program);
  return program;
}

}  // namespace wigeon::test
