// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/control/yaml.hh"

#include <catch2/catch.hpp>

using namespace wigeon;

TEST_CASE("a scalar is quoted only when it would be read as something else") {
  const std::vector<std::pair<std::string, std::string>> table{
      {"peer-1.example.com", "peer-1.example.com"},
      {"192.168.178.100/16", "192.168.178.100/16"},
      {"8.8.8.8:53", "8.8.8.8:53"},
      {"fd00::1", "fd00::1"},
      {"10ms", "10ms"},
      {"0.14.1", "0.14.1"},
      {"2001-01-01T01:01:01Z", "2001-01-01T01:01:01Z"},
      {"-/-", "-/-"},
      {"", "\"\""},
      {"-", "'-'"},
      {"- a", "'- a'"},
      {"context: deadline exceeded", "'context: deadline exceeded'"},
      {"it's: here", "'it''s: here'"},
      {"[fd00::1]:53", "'[fd00::1]:53'"},
      {"ends:", "'ends:'"},
      {"a #b", "'a #b'"},
      {" a", "' a'"},
      {"true", "\"true\""},
      {"No", "\"No\""},
      {"null", "\"null\""},
      {"1.5", "\"1.5\""},
      {"1_000", "\"1_000\""},
      {"0x10", "\"0x10\""},
      {"1:30", "\"1:30\""},
      {".inf", "\".inf\""},
      {"a\nb", "\"a\\nb\""},
      {"a\x1b[31m", "\"a\\u001b[31m\""},
  };
  for (const auto& [in, out] : table) CHECK(yaml_scalar(in) == out);
}

TEST_CASE("maps and lists nest by four spaces") {
  const Json tree =
      Json::parse(R"({"a":{"b":[1,{"c":{"d":"e"},"f":[]}],"g":{}},"h":null})");
  CHECK(yaml(tree) ==
        "a:\n"
        "    b:\n"
        "        - 1\n"
        "        - c:\n"
        "            d: e\n"
        "          f: []\n"
        "    g: {}\n"
        "h: null\n");
}
