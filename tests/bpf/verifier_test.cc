// SPDX-License-Identifier: GPL-2.0-or-later
// How many instructions the verifier follows, on this kernel: far from its limit of a
// million, so that another kernel, which prunes less, loads them, too. Read from its own
// log, because bpf_prog_info does not say it before Linux 5.16.
#include <bpf/libbpf.h>

#include <catch2/catch.hpp>
#include <cstdio>
#include <deque>
#include <string>

#include "bpf/libbpf_log.hh"
#include "dns_redirect.skel.h"
#include "dns_steer.skel.h"
#include "tests/bpf/own_namespace.hh"

using namespace wigeon;

namespace {

constexpr unsigned kStatistics = 4;  // BPF_LOG_STATS

unsigned followed(std::string_view log) {
  constexpr std::string_view kBefore = "processed ";
  const size_t at = log.rfind(kBefore);
  REQUIRE(at != log.npos);
  return static_cast<unsigned>(
      std::stoul(std::string(log.substr(at + kBefore.size(), 9))));
}

// Loads the object and gives the number for each of its programs.
template <class Skeleton>
void check(Skeleton* skeleton, unsigned most) {
  const bpf::LibbpfLog log;
  REQUIRE(skeleton);
  std::deque<std::string> logs;  // which stay where they are
  bpf_program* program = nullptr;
  while ((program = ::bpf_object__next_program(skeleton->obj, program))) {
    std::string& words = logs.emplace_back(64 * 1024, 0);
    REQUIRE(::bpf_program__set_log_level(program, kStatistics) == 0);
    REQUIRE(::bpf_program__set_log_buf(program, words.data(), words.size()) == 0);
  }
  const int code = ::bpf_object__load(skeleton->obj);
  INFO(log.line());
  REQUIRE(code == 0);
  size_t n = 0;
  while ((program = ::bpf_object__next_program(skeleton->obj, program))) {
    const unsigned instructions = followed(logs[n++].c_str());
    std::printf("%s: %u instructions verified\n", ::bpf_program__name(program),
                instructions);
    CHECK(instructions > 0);
    CHECK(instructions < most);
  }
}

}  // namespace

TEST_CASE("the verifier follows few of the instructions it would") {
  const Owned<dns_steer_bpf, dns_steer_bpf__destroy> steer(dns_steer_bpf__open());
  check(steer.get(), 1'000);
  const Owned<dns_redirect_bpf, dns_redirect_bpf__destroy> redirect(
      dns_redirect_bpf__open());
  check(redirect.get(), 20'000);
}
