// SPDX-License-Identifier: GPL-2.0-or-later
#include "bpf/map.hh"

#include <bpf/bpf.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "tests/bpf/own_namespace.hh"

using namespace wigeon;
using namespace wigeon::bpf;

namespace {

struct Key {
  __u32 a, b;
};

UniqueFd make(bpf_map_type type, __u32 key, __u32 value, __u32 entries) {
  UniqueFd fd(::bpf_map_create(type, "test", key, value, entries, nullptr));
  REQUIRE(fd);
  return fd;
}

}  // namespace

TEST_CASE("a map gives back what was put in") {
  const Map<Key, __u64> map(make(BPF_MAP_TYPE_HASH, 8, 8, 2));
  CHECK(map.lookup({1, 2}).error().code == ENOENT);
  REQUIRE(map.update({1, 2}, 7));
  CHECK(map.update({1, 2}, 8, BPF_NOEXIST).error().code == EEXIST);
  CHECK(map.lookup({1, 2}).value() == 7);
  REQUIRE(map.update({3, 4}, 9));
  CHECK(map.update({5, 6}, 9).error().code == E2BIG);
  REQUIRE(map.remove({1, 2}));
  CHECK(map.remove({1, 2}).error().code == ENOENT);
}

TEST_CASE("a per-CPU map has a value for each CPU") {
  const PerCpuMap<__u32, __u64> map(make(BPF_MAP_TYPE_PERCPU_ARRAY, 4, 8, 1));
  CHECK(map.lookup(0).value() == std::vector<__u64>(possible_cpus().value()));
  CHECK(map.lookup(1).error().code == ENOENT);
}

TEST_CASE("a found map of another shape is refused with both shapes in the message") {
  const auto array = [] { return make(BPF_MAP_TYPE_ARRAY, 4, 8, 3); };
  CHECK((Map<__u32, __u64>::adopt(array())));
  CHECK((Map<__u32, __u64>::adopt(array(), 3)));
  CHECK((Map<__u32, __u64>::adopt(array(), 4)).error().code == EPROTO);
  CHECK((Map<__u32, __u32>::adopt(array())).error().code == EPROTO);
  CHECK((Map<__u64, __u64>::adopt(array())).error().code == EPROTO);
  // A per-CPU lookup would write past a single value.
  CHECK(
      (Map<__u32, __u64>::adopt(make(BPF_MAP_TYPE_PERCPU_ARRAY, 4, 8, 3))).error().code ==
      EPROTO);
  CHECK((PerCpuMap<__u32, __u64>::adopt(array())).error().code == EPROTO);
  CHECK((Map<__u32, __u32>::adopt(array())).error().what ==
        "BPF map test: type 2, 4-byte keys, 8-byte values, 3 entries; expected shared, "
        "4-byte keys, 4-byte values, 3 entries");
}

TEST_CASE("a map of our own whose sizes differ from the kernel's aborts the program") {
  UniqueFd fd = make(BPF_MAP_TYPE_ARRAY, 4, 8, 1);
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(STDERR_FILENO);
    ::signal(SIGABRT, SIG_DFL);
    const Map<__u32, __u32> wrong(std::move(fd));
    ::_exit(0);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGABRT);
}
