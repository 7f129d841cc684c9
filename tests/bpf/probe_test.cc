// SPDX-License-Identifier: GPL-2.0-or-later
#include "bpf/probe.hh"

#include <bpf/libbpf.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdio>

#include "bpf/attach.hh"
#include "bpf/libbpf_log.hh"
#include "tests/bpf/own_namespace.hh"
#include "tests/bpf/programs.hh"

using namespace wigeon;
using namespace wigeon::bpf;
using namespace wigeon::test;

TEST_CASE("every feature of the kernel is answered with a reason of one line") {
  const Features features = probe();
  for (const Feature f : kFeatures) {
    const Found& found = features[f];
    std::printf("%-17s %-4s %s\n", std::string(name(f)).c_str(),
                found.have ? "yes" : "no", found.why.c_str());
    CHECK(!found.why.empty());
    CHECK(found.why.find('\n') == std::string::npos);
  }
  CHECK(features.have(Feature::tc));
  CHECK(features.have(Feature::xdp));
}

TEST_CASE("the probe for tcx agrees with an attempt to attach") {
  const Tun tun("wt0");
  const UniqueFd program = always(BPF_PROG_TYPE_SCHED_CLS, -1);
  const auto made =
      Attachment::open(program.get(), {tun.index(), Hook::tc_ingress, Way::tcx_link});
  CHECK(made.has_value() == probe().have(Feature::tcx));
}

TEST_CASE("the best place is by link where the kernel has one") {
  const Features features = probe();
  CHECK(place(kLoopback, Hook::xdp, features).value().way == Way::xdp_link);
  CHECK(place(kLoopback, Hook::tc_ingress, features).value().way ==
        (features.have(Feature::tcx) ? Way::tcx_link : Way::clsact_filter));
  const auto none = place(kLoopback, Hook::xdp, Features{});
  REQUIRE(!none);
  CHECK(none.error().code == ENOTSUP);
}

TEST_CASE("libbpf's words become one short line of the error") {
  LibbpfLog log;
  CHECK(log.fail("loading", EACCES).error().what == "loading: Permission denied");
  log.caught("libbpf: prog 'x': BPF program load failed: Permission denied\n");
  log.caught(
      "libbpf: prog 'x': -- BEGIN PROG LOAD LOG --\n0: R1=ctx\nR0 invalid mem access "
      "'scalar'\n"
      "processed 9 insns (limit 1000000)\n-- END PROG LOAD LOG --\n");
  log.caught(
      "libbpf: prog 'x': failed to load: -13\nlibbpf: failed to load object 'x'\n");
  const Error error = log.fail("loading", EACCES).error();
  CHECK(error.code == EACCES);
  CHECK(
      error.what ==
      "loading: Permission denied (prog 'x': BPF program load failed: Permission denied; "
      "R0 invalid mem access 'scalar')");
}

TEST_CASE("what libbpf says is bounded and printable") {
  LibbpfLog log;
  for (int i = 0; i < 100; ++i)
    log.caught("libbpf: \x1b[2J" + std::string(100'000, 'x') + "\n");
  CHECK(log.line().size() <= LibbpfLog::kMaxLine);
  LibbpfLog small;
  small.caught("libbpf: bad\x1bname\n");
  CHECK(small.line() == "bad?name");
}

TEST_CASE("libbpf is caught by the innermost log and prints nothing itself") {
  LibbpfLog outer;
  std::string said;
  {
    LibbpfLog inner;
    REQUIRE(::bpf_object__open_file("/nonexistent.o", nullptr) == nullptr);
    said = inner.line();
  }
  CHECK(said.find("nonexistent") != said.npos);
  CHECK(outer.line().empty());
}
