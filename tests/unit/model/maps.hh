// SPDX-License-Identifier: GPL-2.0-or-later
// Maps from a few words of JSON, for tests.
#pragma once

#include <catch2/catch.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/file.hh"
#include "agent/model/limits.hh"
#include "agent/model/network_map.hh"

namespace wigeon {

inline Key key(uint8_t n) {
  std::vector<uint8_t> bytes(kKeyBytes, n);
  return *Key::from_bytes(bytes);
}

inline std::string k(uint8_t n) { return '"' + key(n).text() + '"'; }

// A peer with these allowed IPs ("\"10.0.0.0/8\", …") and further members.
inline std::string peer(uint8_t n, std::string_view allowed, std::string_view more = "") {
  return R"({"wgPubKey":)" + k(n) + R"(,"allowedIps":[)" + std::string(allowed) + "]" +
         std::string(more) + "}";
}

// A map for 100.64.0.1/16 with these members besides.
inline std::string map_text(std::string_view members) {
  return R"({"peerConfig":{"address":"100.64.0.1/16","address_v6":"fd00:77::1/64"})" +
         (members.empty() ? "" : "," + std::string(members)) + "}";
}

inline std::string problems(std::string_view json) {
  const auto map = decode_map(json, "m");
  return map ? std::string() : map.error().text();
}

inline NetworkMap decoded(std::string_view json) {
  CAPTURE(problems(json));
  auto map = decode_map(json, "m");
  REQUIRE(map);
  return std::move(*map);
}

inline NetworkMap map_of(std::string_view members) { return decoded(map_text(members)); }

inline NetworkMap peers(std::string_view list) {
  return map_of(R"("remotePeers":[)" + std::string(list) + "]");
}

inline std::string source_file(const std::string& path) {
  auto text = read_file(WIGEON_SOURCE "/" + path, kMaxMapBytes);
  CAPTURE(path);
  REQUIRE(text);
  return *text;
}

}  // namespace wigeon
