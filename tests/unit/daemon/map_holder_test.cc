// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/map_holder.hh"

#include <sys/stat.h>

#include "agent/daemon/map_cache.hh"
#include "agent/daemon/state_files.hh"
#include "tests/harness/temp_dir.hh"
#include "tests/unit/model/maps.hh"

using namespace wigeon;

namespace {

using Force = MapHolder::Force;

std::string serial(int n) { return map_text(R"("Serial":)" + std::to_string(n)); }

struct Holder : TempDir {
  Config config{};
  HostView host{};
  MapHolder maps{path(), key(200)};

  Result<void> offer(const std::string& bytes, Force force = Force::no) {
    return maps.offer(bytes, "m", config, host, {}, force);
  }
};

}  // namespace

TEST_CASE("a valid map is taken") {
  Holder h;
  CHECK_FALSE(h.maps.current());
  REQUIRE(h.offer(serial(5)));
  CHECK(h.maps.current()->serial == 5);
  CHECK(h.maps.error().empty());
  CHECK_FALSE(h.maps.status().stale);
  CHECK(h.maps.status().loaded_at != kNever);
}

TEST_CASE("a map that cannot be decoded or is not valid leaves the old one in force") {
  Holder h;
  REQUIRE(h.offer(serial(5)));
  for (const std::string& bad :
       {std::string("{"), std::string(), std::string("{}"),
        map_text(R"("Serial":6,"remotePeers":[)" + peer(200, R"("10.0.0.0/8")") + "]") +
            "x"}) {
    CAPTURE(bad);
    const auto r = h.offer(bad);
    REQUIRE_FALSE(r);
    CHECK_FALSE(r.error().what.empty());
    CHECK_FALSE(r.error().what.ends_with('\n'));
    CHECK(h.maps.error() == r.error().what);
    CHECK(h.maps.status().error == r.error().what);
    CHECK(h.maps.current()->serial == 5);
  }
  REQUIRE(h.offer(serial(7)));
  CHECK(h.maps.error().empty());
}

TEST_CASE("a lower serial is refused unless it is forced; the same one is taken again") {
  Holder h;
  REQUIRE(h.offer(serial(5)));
  CHECK_FALSE(h.offer(serial(4)));
  CHECK(h.maps.current()->serial == 5);
  CHECK(h.offer(serial(5)));
  REQUIRE(h.offer(serial(4), Force::yes));
  CHECK(h.maps.current()->serial == 4);
}

TEST_CASE("force does not make an invalid map valid") {
  Holder h;
  CHECK_FALSE(h.offer("{", Force::yes));
  CHECK_FALSE(h.maps.current());
}

TEST_CASE("a source that cannot be read is told of, and the map stays") {
  Holder h;
  REQUIRE(h.offer(serial(5)));
  h.maps.failed("/etc/map: gone");
  CHECK(h.maps.status().error == "/etc/map: gone");
  CHECK(h.maps.current()->serial == 5);
}

TEST_CASE(
    "the last good map survives a restart as a stale one, readable to nobody else") {
  Holder h;
  REQUIRE(h.offer(serial(5)));
  REQUIRE_FALSE(h.offer("{"));
  struct stat st {};
  REQUIRE(::stat(last_good_file(h.path()).c_str(), &st) == 0);
  CHECK((st.st_mode & 0777) == 0600);

  MapHolder next(h.path(), key(200));
  REQUIRE(next.load_last_good(h.config));
  CHECK(next.current()->serial == 5);
  CHECK(next.status().stale);
  CHECK_FALSE(next.offer(serial(4), "m", h.config, h.host, {}, Force::no));
  CHECK(next.status().stale);
  REQUIRE(next.offer(serial(5), "m", h.config, h.host, {}, Force::no));
  CHECK_FALSE(next.status().stale);
}

TEST_CASE("a last good map that is missing, broken or no longer valid is ignored") {
  Holder h;
  CHECK_FALSE(h.maps.load_last_good(h.config));
  REQUIRE(save_last_good(h.path(), "{\"peerConfig\":"));
  CHECK_FALSE(h.maps.load_last_good(h.config));
  REQUIRE(save_last_good(h.path(), "{}"));
  CHECK_FALSE(h.maps.load_last_good(h.config));
  CHECK_FALSE(h.maps.current());
  CHECK(h.maps.error().empty());
}

TEST_CASE("a map whose own address an interface of the host has cannot be applied") {
  Holder h;
  REQUIRE(h.offer(serial(5)));
  HostView host;
  host.links = {{.index = IfIndex{2}, .name = "eth0"}};
  host.addresses = {{IfIndex{2}, *InterfaceAddress::parse("100.64.0.1/24")}};
  const auto r = h.maps.judge(host, {}, h.config);
  REQUIRE_FALSE(r);
  CHECK(r.error().code == EADDRINUSE);
  CHECK(r.error().what.find("eth0 has the same address") != std::string::npos);
  // It is in force still: the host may change back.
  CHECK(h.maps.current()->serial == 5);
  host.addresses.clear();
  CHECK(h.maps.judge(host, {}, h.config));
}

TEST_CASE(
    "a network that the host has itself is left out, and comes back with the host") {
  Holder h;
  REQUIRE(h.offer(map_text(R"("remotePeers":[)" +
                           peer(1, R"("100.64.0.2/32","10.1.0.0/16")") + "]")));
  HostView host;
  host.links = {{.index = IfIndex{2}, .name = "eth0"}};
  host.addresses = {{IfIndex{2}, *InterfaceAddress::parse("10.1.2.3/24")}};
  REQUIRE(h.maps.judge(host, {}, h.config));
  CHECK(h.maps.refusals().size() == 1);
  REQUIRE(h.maps.accepted().peers.size() == 1);
  CHECK(h.maps.accepted().left_out.at(0).size() == 1);
  host.addresses.clear();
  REQUIRE(h.maps.judge(host, {}, h.config));
  CHECK(h.maps.refusals().empty());
}

TEST_CASE("a map whose address somebody else has is refused, and the old one stays") {
  Holder h;
  REQUIRE(h.offer(serial(5)));
  h.host.links = {{.index = IfIndex{2}, .name = "eth0"}};
  h.host.addresses = {{IfIndex{2}, *InterfaceAddress::parse("100.64.0.1/24")}};
  const auto r = h.offer(serial(6));
  REQUIRE_FALSE(r);
  CHECK(r.error().what.find("eth0 has the same address") != std::string::npos);
  CHECK(h.maps.current()->serial == 5);
  CHECK(h.maps.error() == r.error().what);
}

TEST_CASE("a full tunnel whose table others have is refused while new, then cut") {
  Holder h;
  h.config.routing.allow_default_route = true;
  const auto full =
      map_text(R"("remotePeers":[)" + peer(1, R"("100.64.0.2/32","0.0.0.0/0")") +
               R"(],"Serial":6)");
  const HostView free;
  HostView taken;
  taken.table_foreign = {.destination = *Prefix::parse("10.66.0.0/16"), .table = 7120};
  REQUIRE(h.offer(serial(5)));
  h.host = taken;
  const auto r = h.offer(full);
  REQUIRE_FALSE(r);
  CHECK(r.error().what.find("needs routing table 7120, where others have 10.66.0.0/16; "
                            "routing.table names it") != std::string::npos);
  CHECK(h.maps.current()->serial == 5);

  h.host = free;
  REQUIRE(h.offer(full));
  CHECK_FALSE(h.maps.judge(taken, {}, h.config));
  REQUIRE(h.maps.judge(free, {}, h.config));
  CHECK(h.maps.refusals().empty());
  // It has been in force: the rest of it stays.
  REQUIRE(h.maps.judge(taken, {}, h.config));
  CHECK(h.maps.refusals().size() == 1);

  REQUIRE(h.offer(full));
  h.maps.confirm();
  REQUIRE(h.maps.judge(taken, {}, h.config));
  CHECK(h.maps.refusals().size() == 1);
}

TEST_CASE("an offered map is judged with what its names stand for") {
  Holder h;
  const auto map = map_text(
      R"("remotePeers":[)" +
      peer(1, R"("100.64.0.2/32")", R"(,"endpoint":"gate.example:51820")") + "]");
  const Resolved inside{
      {*HostPort::parse("gate.example:51820"), {*Endpoint::parse("100.64.0.2:51820")}}};
  REQUIRE(h.maps.offer(map, "m", h.config, h.host, inside, Force::no));
  CHECK(h.maps.refusals().size() == 1);
  REQUIRE(h.maps.offer(map, "m", h.config, h.host, {}, Force::no));
  CHECK(h.maps.refusals().empty());
}
