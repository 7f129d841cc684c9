// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/clean.hh"

#include <catch2/catch.hpp>

#include "agent/base/file.hh"
#include "agent/control/lock.hh"
#include "agent/core/reconcile.hh"
#include "tests/harness/memory_kernel.hh"
#include "tests/harness/temp_dir.hh"
#include "tests/unit/core/make.hh"

using namespace wigeon;
using namespace wigeon::make;

namespace {

using Names = std::vector<std::string>;

// A host that a daemon has set up before it died.
class DeadHost {
 public:
  MemoryKernel kernel{};

  DeadHost() {
    auto journal = open();
    Desired d = desired({peer(1, {"10.1.0.0/16"})}, {"10.1.0.0/16"});
    d.routes.push_back({.destination = prefix("100.64.0.0/10"),
                        .type = Route::Type::unreachable,
                        .protocol = 89});
    d.rules.push_back({.priority = 105, .table = 7120, .protocol = 89});
    std::ranges::sort(d.routes);
    Engine engine(kernel, journal);
    REQUIRE(engine.reconcile(d));
    kernel.links["eth0"].link.name = "eth0";
  }
  Journal open() { return Journal::open(path()).value(); }
  Result<Cleaned> clean(const std::string& name = "") {
    auto journal = open();
    return clean_states(kernel, journal, "wt0", name);
  }
  [[nodiscard]] std::string path() const { return dir_.path() + "/journal"; }
  [[nodiscard]] bool bare() const {
    return kernel.links.size() == 1 && kernel.routes.empty() && kernel.rules.empty();
  }

 private:
  TempDir dir_{};
};

struct Place {
  TempDir dir{};
  Config config{};
  Place() {
    config.state_directory = dir.path();
    config.runtime_directory = dir.path() + "/run";
  }
  void write(const std::string& file, const std::string& text) const {
    REQUIRE(replace_file(dir.path() + "/" + file, text, 0600));
  }
};

constexpr const char* kJournal =
    "v1 + link wt0 wireguard wigeon:0123456789abcdef\n"
    "v1 + making wt1 wireguard wigeon:1123456789abcdef\n"
    "v1 + nft wigeon\n";

}  // namespace

TEST_CASE("cleaning takes everything of ours and tells how much went") {
  DeadHost host;
  const auto cleaned = host.clean();
  REQUIRE(cleaned);
  CHECK(cleaned->names == Names{"link_state", "route_state", "rule_state"});
  CHECK(cleaned->note.empty());
  CHECK(host.bare());
  CHECK(host.open().entries().empty());
  CHECK(host.clean()->names.empty());
}

TEST_CASE("one state can be cleaned and the others stay") {
  DeadHost host;
  CHECK(host.clean("rule_state")->names == Names{"rule_state"});
  CHECK(host.kernel.rules.empty());
  CHECK(host.kernel.routes.size() == 1);
  CHECK(host.kernel.links.contains("wt0"));
  CHECK(host.clean("rule_state")->names.empty());
  CHECK(host.clean("link_state")->names == Names{"link_state"});
  CHECK(host.kernel.links.size() == 1);
  CHECK(host.kernel.routes.size() == 1);
  CHECK(host.clean("route_state")->names == Names{"route_state"});
  CHECK(host.bare());
  CHECK(host.open().entries().empty());
}

TEST_CASE("what is gone already is cleaned too") {
  DeadHost host;
  host.kernel.links.erase("wt0");
  host.kernel.rules.clear();
  CHECK(host.clean()->names.size() == 3);
  CHECK(host.bare());
}

TEST_CASE("a foreign link in the place of ours stays, and the record of ours goes") {
  DeadHost host;
  host.kernel.links["wt0"].link.alias = "somebody";
  CHECK(host.clean()->names.size() == 3);
  CHECK(host.kernel.links.contains("wt0"));
  CHECK(host.open().entries().empty());
}

TEST_CASE("what cannot be taken away stays on record") {
  DeadHost host;
  host.kernel.fault = [](const Op& op) -> Result<void> {
    if (std::holds_alternative<op::LinkDel>(op)) return fail(EBUSY, "busy");
    return {};
  };
  for (const char* name : {"", "link_state"}) CHECK_FALSE(host.clean(name));
  CHECK(host.open().entries().size() == 1);
  host.kernel.fault = {};
  CHECK(host.clean()->names == Names{"link_state"});
  CHECK(host.bare());
}

TEST_CASE("what is in others' hands stays on record until they have taken it back") {
  DeadHost host;
  const std::vector<JournalEntry> others{
      {"dns", "file /etc/resolv.conf"}, {"foreign", "wt0"}, {"zone", "trusted wt0"}};
  for (const auto& e : others) REQUIRE(host.open().write({{true, e}}));
  REQUIRE(host.clean());
  CHECK(host.bare());
  const auto left = host.open().entries();
  CHECK(std::vector<JournalEntry>(left.begin(), left.end()) == others);
}

TEST_CASE("an unreadable journal is kept, and alias and protocol say what is ours") {
  DeadHost host;
  REQUIRE(replace_file(host.path(), "garbage\n", 0600));
  const auto cleaned = host.clean();
  REQUIRE(cleaned);
  CHECK(cleaned->names == Names{"link_state", "route_state", "rule_state"});
  CHECK(cleaned->note.find(host.path() + ".corrupt") != std::string::npos);
  CHECK(host.bare());

  for (const char* alias : {"wigeon:0123", "wigeon:0123456789abcdeg", "", "mine"}) {
    DeadHost other;
    other.kernel.links["wt0"].link.alias = alias;
    REQUIRE(replace_file(other.path(), "garbage\n", 0600));
    CHECK(other.clean());
    CHECK(other.kernel.links.contains("wt0"));
  }
}

TEST_CASE("an unknown state is refused, and the known ones named") {
  DeadHost host;
  const auto refused = host.clean("wt0");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == EBADR);
  CHECK(refused.error().what.find("link_state, route_state") != std::string::npos);
  CHECK(host.clean("sysctl_state")->names.empty());
}

TEST_CASE("states are listed by name, from whatever kinds the journal holds") {
  Place place;
  CHECK(list_states(place.config)->empty());
  place.write("journal", kJournal);
  Names names;
  const auto list = list_states(place.config);
  REQUIRE(list);
  for (const auto& e : *list) names.push_back(state_name(e));
  CHECK(names == Names{"link_state", "link_state", "nft_state"});
  place.write("journal", "v1 + link wt0 wireguard a\nv1 + ru");  // torn
  CHECK(list_states(place.config)->size() == 1);
  place.write("journal", "nonsense\n");
  CHECK(list_states(place.config).error().code == EINVAL);
}

TEST_CASE("deleting forgets the record, and files only when they are named or all") {
  Place place;
  const auto files = [&] {
    Names have;
    for (const char* f : {"journal", "network_map.json", "state.json"})
      if (read_file(place.dir.path() + "/" + f, 4096).has_value()) have.emplace_back(f);
    return have;
  };
  place.write("journal", kJournal);
  place.write("state.json", "{\"up\":false}\n");
  place.write("network_map.json", "{}");
  CHECK(delete_states(place.config, "nft_state")->names == Names{"nft_state"});
  CHECK(list_states(place.config)->size() == 2);
  CHECK(files().size() == 3);
  CHECK(delete_states(place.config, "map_state")->names == Names{"map_state"});
  CHECK(files() == Names{"journal", "state.json"});
  CHECK(delete_states(place.config, "")->names == Names{"daemon_state", "link_state"});
  CHECK(list_states(place.config)->empty());
  CHECK(delete_states(place.config, "")->names.empty());
  CHECK(delete_states(place.config, "nonsense").error().code == EBADR);
}

TEST_CASE("beside a daemon nothing is cleaned or deleted") {
  Place place;
  place.write("journal", kJournal);
  const auto daemon = Lock::take(place.config.runtime_directory);
  REQUIRE(daemon);
  const auto cleaned = clean_states(place.config, ""),
             deleted = delete_states(place.config, "link_state");
  REQUIRE_FALSE(cleaned);
  REQUIRE_FALSE(deleted);
  CHECK(cleaned.error().code == EALREADY);
  CHECK(cleaned.error().what ==
        "cannot clean state while connecting or connected, run 'wigeon down' first.");
  CHECK(deleted.error().what ==
        "cannot delete state while connecting or connected, run 'wigeon down' first.");
  CHECK(list_states(place.config)->size() == 3);

  place.write("state.json", "{\"up\":false}\n");
  CHECK_FALSE(clean_states(place.config, ""));  // it is still at it
  place.write("journal", "");
  CHECK(clean_states(place.config, "")->names.empty());
}
