// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/base/key.hh"

#include <sys/stat.h>
#include <unistd.h>
#include <catch2/catch.hpp>

#include "agent/base/file.hh"
#include "tests/harness/temp_dir.hh"

using namespace wigeon;

TEST_CASE("a private key yields the public key of RFC 7748 section 6.1") {
  const auto alice = SecretKey::parse("dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo=");
  REQUIRE(alice);
  CHECK(alice->public_key().text() == "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=");
}

TEST_CASE("keys are 44 characters of base64 and nothing else") {
  CHECK_FALSE(Key::parse(""));
  CHECK_FALSE(Key::parse("hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo"));
  CHECK_FALSE(Key::parse("hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=="));
  CHECK_FALSE(Key::parse("hSDwCYkwp1R0i33ctD73Wg2_Og0mOBr066SpjqqbTmo="));
  CHECK_FALSE(Key::parse("!SDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo="));
  CHECK_FALSE(
      Key::parse("hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmp="));  // two bits more
  CHECK_FALSE(Key::parse("hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmoA"));
  CHECK_FALSE(Key::parse("hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTm=="));
  CHECK_FALSE(Key::parse("hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbT\xc3\xa9="));
}

TEST_CASE("a public key is written and read as libsodium does it") {
  for (unsigned step = 1; step < 256; step += 2) {
    std::array<uint8_t, kKeyBytes> bytes{};
    for (size_t i = 0; i < bytes.size(); ++i)
      bytes[i] = static_cast<uint8_t>(i * step + step);
    const auto key = *Key::from_bytes(bytes);
    CHECK(key.text() == base64_encode(bytes));
    CHECK(Key::parse(key.text()) == key);
  }
}

TEST_CASE("the private key is made once, mode 0600, and read back") {
  const TempDir dir;
  const auto path = dir.path() + "/state/private.key";
  const auto made = load_or_make_private_key(path);
  REQUIRE(made);
  struct stat st {};
  REQUIRE(::stat(path.c_str(), &st) == 0);
  CHECK((st.st_mode & 07777) == 0600);
  CHECK(load_or_make_private_key(path).value() == *made);
}

TEST_CASE(
    "a private key that nobody clamped is read clamped, and its public key is the same") {
  const TempDir dir;
  const auto path = dir.path() + "/private.key";
  const auto raw = SecretKey::from_bytes(std::vector<uint8_t>(32, 0xff)).value();
  REQUIRE(write_new_file(path, raw.reveal(), 0600));
  const auto read = load_or_make_private_key(path).value();
  CHECK((read.bytes()[0] & 7) == 0);
  CHECK((read.bytes()[31] & 0xc0) == 0x40);
  CHECK(read.public_key() == raw.public_key());
  CHECK(load_secret_key(path).value() == raw);
}

TEST_CASE("a key file that others can read is refused and stays as it is") {
  const TempDir dir;
  const auto path = dir.path() + "/private.key";
  REQUIRE(load_or_make_private_key(path));
  REQUIRE(::chmod(path.c_str(), 0644) == 0);
  const auto refused = load_or_make_private_key(path);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == EPERM);
  CHECK(refused.error().what.find(path) != std::string::npos);
  CHECK(refused.error().what.find("others than its owner can read it") !=
        std::string::npos);
}

TEST_CASE("garbage in the key file is an error that does not repeat it") {
  const TempDir dir;
  const auto path = dir.path() + "/private.key";
  REQUIRE(write_new_file(path, "secret-but-no-key\n", 0600));
  const auto refused = load_or_make_private_key(path);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().what.find("secret-but") == std::string::npos);
}

TEST_CASE("base64 of other lengths is bounded") {
  CHECK(*base64_decode("AQID", 3) == "\x01\x02\x03");
  CHECK_FALSE(base64_decode("AQIDBA==", 3));
  CHECK(base64_encode(std::vector<uint8_t>{1, 2, 3, 4}) == "AQIDBA==");
}
