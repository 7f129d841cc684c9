// SPDX-License-Identifier: GPL-2.0-or-later
#include "bpf/about.hh"

#include <bpf/bpf.h>
#include <fmt/format.h>

namespace wigeon::bpf {

Result<About> about(int program) {
  bpf_prog_info info{};
  __u32 length = sizeof(info);
  if (::bpf_obj_get_info_by_fd(program, &info, &length) != 0)
    return fail_errno("BPF program");
  About a{.id = info.id, .verified = info.verified_insns};
  for (const __u8 byte : info.tag) a.tag += fmt::format("{:02x}", byte);
  for (const char c : info.name) {
    if (c == 0) break;
    a.name += c < ' ' || c > '~' ? '?' : c;
  }
  return a;
}

}  // namespace wigeon::bpf
