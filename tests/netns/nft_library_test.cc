// SPDX-License-Identifier: GPL-2.0-or-later
// libnftables behind our interface, and who hears of what.
#include <linux/capability.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <algorithm>

#include "agent/model/nft_ruleset.hh"
#include "netlink/nft_monitor.hh"
#include "tests/netns/nft_hosts.hh"

using namespace wigeon;
using namespace wigeon::netlink;

namespace {

NftTable large_table() {
  NftTable t{.link = "wt0", .own = {*Address::parse("100.64.0.1")}};
  for (uint32_t i = 0; i < 500; ++i) {
    t.routed.push_back(
        {*Prefix::make(Address::v4(0x0a000000 + (i << 9)), 24), i % 2 == 0});
    const auto port = static_cast<uint16_t>(1000 + i);
    const auto to = static_cast<uint16_t>(9000 - i);
    t.dnat.push_back(
        {wigeon::Protocol::tcp, {port, port}, Address::v4(0xc0a80701 + i), {to, to}});
  }
  return t;
}

struct Listener {
  Loop loop = *Loop::open();
  NftHeard all{};
  int calls = 0;
  std::optional<NftMonitor> monitor{};

  explicit Listener(int buffer = kMonitorBytes) {
    auto m = NftMonitor::open(
        loop,
        [this](const NftHeard& h) {
          all.tables.insert(h.tables.begin(), h.tables.end());
          all.overrun = all.overrun || h.overrun;
          ++calls;
        },
        buffer);
    REQUIRE(m);
    monitor.emplace(std::move(*m));
  }
  void listen() { run_until_quiet(loop); }
  [[nodiscard]] bool heard(const char* family, const char* name) const {
    return all.tables.contains({family, name});
  }
};

}  // namespace

TEST_CASE("two listings of an untouched table are equal, also after packets and others") {
  auto nft = nftables();
  load(nft, ruleset(large_table()));
  const auto first = nft.list_table("inet", "wigeon").value().value();
  CHECK(first.contains("9000"));
  run("ping -q -c 3 -i 0.01 127.0.0.1 >/dev/null");
  run("nft add table ip somebody");
  auto later = nftables();
  CHECK(later.list_table("inet", "wigeon").value().value() == first);
  CHECK_FALSE(first.contains("handle"));
  CHECK_FALSE(first.contains("packets"));

  // The same value again is the same listing; another hand shows.
  load(nft, ruleset(large_table()));
  CHECK(nft.list_table("inet", "wigeon").value().value() == first);
  run("nft add rule inet wigeon forward accept");
  CHECK(nft.list_table("inet", "wigeon").value().value() != first);
  run("nft flush ruleset");
}

TEST_CASE("a table that is not there is none to list and nothing to delete") {
  auto nft = nftables();
  CHECK(nft.list_table("inet", "wigeon").value() == std::nullopt);
  CHECK(nft.delete_table("inet", "wigeon"));
  load(nft, "add table inet wigeon");
  CHECK(nft.list_table("inet", "wigeon").value().has_value());
  CHECK(nft.delete_table("inet", "wigeon"));
  CHECK(nft.list_table("inet", "wigeon").value() == std::nullopt);
}

TEST_CASE("errors are one sentence with the errno it ends with, and change nothing") {
  auto nft = nftables();
  load(nft, "add table inet kept");
  const auto missing = nft.apply("add table inet half\nadd rule inet nowhere c accept");
  REQUIRE_FALSE(missing);
  CHECK(missing.error().code == ENOENT);
  CHECK(missing.error().what == "nft: Could not process rule: No such file or directory");
  CHECK(nft.list_table("inet", "half").value() == std::nullopt);

  const auto nonsense = nft.apply("make everything well");
  REQUIRE_FALSE(nonsense);
  CHECK(nonsense.error().what.starts_with("nft: syntax error"));
  CHECK_FALSE(nonsense.error().what.contains('\n'));
  CHECK(nft.list_table("inet", "kept; flush ruleset").error().code == EINVAL);
  CHECK(nft.list_chain("inet", "kept", "a b").error().code == EINVAL);
  CHECK(nft.list_table("inet", "kept").value().has_value());
  run("nft flush ruleset");
}

TEST_CASE("without the capability it says so, and the process lives") {
  const pid_t child = ::fork();
  if (child == 0) {
    __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    __user_cap_data_struct none[2]{};
    if (::syscall(SYS_capset, &header, none) != 0) ::_exit(2);
    const auto nft = Nftables::open();
    ::_exit(!nft && nft.error().code == EPERM ? 0 : 1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
}

TEST_CASE("each kind of change is heard with its table") {
  Listener l;
  run("nft 'add table inet one; add chain inet one c; add rule inet one c accept'");
  l.listen();
  CHECK(l.heard("inet", "one"));
  CHECK_FALSE(l.all.overrun);

  run("nft 'add table ip two; add set ip two s { type ipv4_addr; }'");
  l.listen();
  for (const auto* change :
       {"add element ip two s { 192.0.2.1 }", "add counter ip two n",
        "delete element ip two s { 192.0.2.1 }", "delete table ip two"}) {
    CAPTURE(change);
    l.all.tables.clear();
    run("nft '" + std::string(change) + "'");
    l.listen();
    CHECK(l.heard("ip", "two"));
    CHECK_FALSE(l.heard("inet", "one"));
  }
  run("nft flush ruleset");
}

TEST_CASE("our own replacement is heard once, in a few calls") {
  auto nft = nftables();
  Listener l;
  load(nft, ruleset(large_table()));
  l.listen();
  CHECK(l.heard("inet", "wigeon"));
  CHECK(l.all.tables.size() == 1);
  CHECK(l.calls <= 4);
  run("nft flush ruleset");
}

TEST_CASE("a burst that does not fit is an overrun, and later changes are heard again") {
  auto nft = nftables();
  Listener l(4096);
  for (int i = 0; i < 3; ++i) load(nft, ruleset(large_table()));
  l.listen();
  CHECK(l.all.overrun);
  l.all = {};
  run("nft add table ip later");
  l.listen();
  CHECK(l.heard("ip", "later"));
  run("nft flush ruleset");
}

TEST_CASE("8,192 shifted ports and 10,000 routes are loaded") {
  auto nft = nftables();
  NftTable t{.link = "wt0", .own = {*Address::parse("100.64.0.1")}};
  t.dnat = {
      {wigeon::Protocol::tcp, {1, 8192}, *Address::parse("192.168.7.2"), {2, 8193}}};
  for (uint32_t i = 0; i < 10'000; ++i)
    t.routed.push_back(
        {*Prefix::make(Address::v4(0x0a000000 + (i << 9)), 24), i % 2 == 0});
  const auto begin = std::chrono::steady_clock::now();
  load(nft, ruleset(t));
  WARN("loaded in " << std::chrono::duration_cast<std::chrono::milliseconds>(
                           std::chrono::steady_clock::now() - begin)
                           .count()
                    << " ms");
  CHECK(nft.list_table("inet", "wigeon").value().value().contains("8193"));
  run("nft flush ruleset");
}
