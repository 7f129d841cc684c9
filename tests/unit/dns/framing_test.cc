// SPDX-License-Identifier: GPL-2.0-or-later
#include "dns/framing.hh"

#include <catch2/catch.hpp>
#include <cstring>

using namespace wigeon::dns;

namespace {

void feed(Framer& framer, Bytes bytes) {
  if (bytes.empty()) return;
  const auto space = framer.space(bytes.size());
  std::memcpy(space.data(), bytes.data(), bytes.size());
  framer.commit(bytes.size());
}

std::vector<std::string> drain(Framer& framer) {
  std::vector<std::string> messages;
  while (auto m = framer.next()) messages.emplace_back(m->begin(), m->end());
  return messages;
}

std::vector<uint8_t> stream_of(const std::vector<std::string>& messages) {
  std::vector<uint8_t> stream;
  for (const auto& m : messages)
    append_framed(stream, {reinterpret_cast<const uint8_t*>(m.data()), m.size()});
  return stream;
}

}  // namespace

TEST_CASE("messages come whole wherever the stream is cut") {
  const std::vector<std::string> messages{"first", "", "a second one",
                                          std::string(300, 'x')};
  const auto stream = stream_of(messages);
  for (size_t cut = 0; cut <= stream.size(); ++cut) {
    Framer framer;
    feed(framer, Bytes(stream).first(cut));
    auto got = drain(framer);
    feed(framer, Bytes(stream).subspan(cut));
    for (auto& m : drain(framer)) got.push_back(std::move(m));
    CHECK(got == messages);
    CHECK(framer.buffered() == 0);
  }
}

TEST_CASE("messages come whole from single bytes") {
  const std::vector<std::string> messages{"one", std::string(65535, 'y'), "two"};
  Framer framer;
  std::vector<std::string> got;
  for (const uint8_t b : stream_of(messages)) {
    feed(framer, {&b, 1});
    for (auto& m : drain(framer)) got.push_back(std::move(m));
  }
  CHECK(got == messages);
}
