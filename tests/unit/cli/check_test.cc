// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/cli/check.hh"

#include <catch2/catch.hpp>

#include "agent/base/file.hh"
#include "tests/harness/temp_dir.hh"

using namespace wigeon;
using namespace wigeon::cli;

namespace {

std::string written(const TempDir& dir, const std::string& name,
                    std::string_view content) {
  const auto path = dir.path() + "/" + name;
  REQUIRE(replace_file(path, content, 0600));
  return path;
}

size_t lines(const std::string& text) {
  return static_cast<size_t>(std::count(text.begin(), text.end(), '\n'));
}

constexpr std::string_view kMap =
    R"({"Serial":"5","peerConfig":{"address":"100.64.0.1/16"},
  "remotePeers":[{"wgPubKey":"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=",
                  "allowedIps":["100.64.0.2/32"]}]})";

}  // namespace

TEST_CASE("settings that are right are valid, and merge in order") {
  const TempDir dir;
  const auto a = written(dir, "a.json", R"({"mtu":1400,"wireguardPort":1000})");
  const auto b = written(dir, "b.json", R"({"mtu":1300})");
  CHECK(check_config({a, b}).out == "valid\n");
  const auto shown = show_config({a, b});
  CHECK(shown.exit == 0);
  const auto again = written(dir, "c.json", shown.out);
  CHECK(show_config({again}).out == shown.out);
  CHECK(shown.out.find("1300") != std::string::npos);
  CHECK(shown.out.find("1400") == std::string::npos);
}

TEST_CASE("every problem of every settings file is listed") {
  const TempDir dir;
  const auto a = written(dir, "a.json", R"({"mtu":1,"wireguardPort":"x"})");
  const auto b = written(dir, "b.json", R"({"nonsense":true})");
  const auto output = check_config({a, b});
  CHECK(output.exit == 7);
  CHECK(output.out.empty());
  CHECK(lines(output.err) == 3);
  for (const char* part : {"a.json: /mtu", "a.json: /wireguardPort", "b.json: /nonsense"})
    CHECK(output.err.find(part) != std::string::npos);
  CHECK(show_config({a, b}).exit == 7);
}

TEST_CASE("a map that is right is summed up") {
  const TempDir dir;
  const auto map = written(dir, "map.json", kMap);
  const auto output = check_map(map, {});
  CHECK(output.exit == 0);
  CHECK(output.err.empty());
  CHECK(output.out.starts_with(map + ": valid, serial 5, 1 peer, 0 routes\n"));
}

TEST_CASE("every problem of a map is listed") {
  const TempDir dir;
  const auto map =
      written(dir, "map.json", R"({"Serial":"x","remotePeers":[{"wgPubKey":"short"}]})");
  const auto output = check_map(map, {});
  CHECK(output.exit == 7);
  CHECK(output.out.empty());
  CHECK(lines(output.err) == 2);
  CHECK(output.err.find("map.json: /Serial") != std::string::npos);
  CHECK(output.err.find("map.json: /remotePeers/0/wgPubKey") != std::string::npos);
}

TEST_CASE("a map is judged under the settings given, which must be right") {
  const TempDir dir;
  const auto map = written(dir, "map.json", kMap);
  CHECK(check_map(map, written(dir, "good.json", "{}")).exit == 0);
  CHECK(check_map(map, written(dir, "bad.json", "{]")).exit == 7);
  CHECK(check_map(map, dir.path() + "/missing").exit == 10);
}

TEST_CASE("files that cannot be read, or are far too large, say so") {
  const TempDir dir;
  CHECK(check_map(dir.path() + "/missing", {}).exit == 10);
  CHECK(check_config({dir.path() + "/missing"}).exit == 10);
  CHECK(check_map(dir.path(), {}).exit == 1);
  const auto large = dir.path() + "/large";
  REQUIRE(replace_file(large, "{", 0600));
  std::filesystem::resize_file(large, 100u << 20);
  CHECK(check_map(large, {}).exit == 7);
  CHECK(check_map(written(dir, "deep.json", std::string(100'000, '[')), {}).exit == 7);
}
