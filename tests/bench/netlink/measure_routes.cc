// SPDX-License-Identifier: GPL-2.0-or-later
// Routes into an empty table, and the memory that our way takes for it.
#include <fmt/format.h>
#include <malloc.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "tests/bench/netlink/device.hh"
#include "tests/bench/netlink/measures.hh"
#include "tests/bench/netlink/process.hh"
#include "tests/bench/netlink/workload.hh"

namespace wigeon::bench {
namespace {

// With the link all its routes go.
Result<Device> link_for_routes() {
  auto device = TRY(Device::make("routed"));
  TRY(set_up(device.link()));
  return device;
}

Result<void> add(std::span<const netlink::RouteChange> changes) {
  auto s = TRY(netlink::Socket::open(netlink::Protocol::route));
  const auto refused = TRY(netlink::change_routes(s, changes));
  return refused.empty() ? Result<void>{} : std::unexpected(refused[0].error);
}

uint64_t resident_bytes() {
  std::ifstream in("/proc/self/statm");
  uint64_t size = 0, resident = 0;
  in >> size >> resident;
  return resident * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
}

// Of a child in which nothing else happens, with the memory given back that was free.
Result<uint64_t> extra_resident_bytes(std::span<const netlink::RouteChange> changes) {
  ::malloc_trim(0);
  int ends[2];
  if (::pipe(ends) != 0) return fail_errno("pipe");
  const pid_t child = ::fork();
  if (child == 0) {
    const uint64_t before = resident_bytes();
    uint64_t extra = UINT64_MAX;
    if (add(changes)) {
      rusage peak{};
      ::getrusage(RUSAGE_SELF, &peak);
      const uint64_t most = static_cast<uint64_t>(peak.ru_maxrss) << 10;
      extra = most > before ? most - before : 0;
    }
    (void)!::write(ends[1], &extra, sizeof extra);
    ::_exit(0);
  }
  ::close(ends[1]);
  uint64_t extra = UINT64_MAX;
  const ssize_t n = ::read(ends[0], &extra, sizeof extra);
  ::close(ends[0]);
  ::waitpid(child, nullptr, 0);
  if (n != sizeof extra || extra == UINT64_MAX) return fail(EIO, "the child failed");
  return extra;
}

}  // namespace

Result<void> measure_routes(const Sizes& sizes, Report& to) {
  const auto directory = TRY(TempDir::make());
  const auto file = directory / "batch";
  const auto all = routes(sizes.routes);
  TRY(write_text(file, batch_of(all, "routed")));

  const auto by_raw = [&](size_t most) -> Result<double> {
    const auto device = TRY(link_for_routes());
    auto r = TRY(Raw::open_route());
    return timed([&] {
      return checked("routes", raw_add_routes(r.get(), device.index(), kTable, all.data(),
                                              all.size(), most));
    });
  };
  const std::vector<Contender> contenders{
      {"ours",
       [&]() -> Result<double> {
         const auto device = TRY(link_for_routes());
         const auto changes = changes_of(all, device.link());
         return timed([&] { return add(changes); });
       }},
      {"pack: 32 kB in a send", [&] { return by_raw(all.size()); }},
      {"one: a send for each route", [&] { return by_raw(1); }},
      {"ip -batch",
       [&]() -> Result<double> {
         const auto device = TRY(link_for_routes());
         return timed([&] { return run({"ip", "-batch", file}); });
       }},
  };
  const auto series = TRY(alternate(sizes.rounds, contenders));
  to.add(fmt::format("{} routes", all.size()), series);

  const auto device = TRY(link_for_routes());
  const auto extra = TRY(extra_resident_bytes(changes_of(all, device.link())));
  // Where the kernel's code is emulated it outweighs what the programs do.
  to.goal("W8", "ours ÷ ip -batch (UML; emulated: 0.35)", series[0], series[3], 0.03);
  to.goal("W8", "ours ÷ pack", series[0], series[1], 1.10);
  to.goal({.id = "W8",
           .what = "extra resident memory of ours",
           .unit = Unit::bytes,
           .measured = double(extra),
           .at_most = 1 << 20});
  return {};
}

}  // namespace wigeon::bench
