// SPDX-License-Identifier: GPL-2.0-or-later
// The input as a name inside a message and as text. What can be read can be printed, read
// again and written, and is the same every time.
#include <cstdlib>

#include "dns/message.hh"

using namespace wigeon;
using namespace wigeon::dns;

namespace {

void require(bool good) {
  if (!good) std::abort();
}

void check(const Name& name) {
  require(name.wire().size() <= kMaxName);
  const auto again = Name::parse(name.text());
  require(again && std::ranges::equal(again->wire(), name.wire()));
  require(Name::from_wire(name.wire()).has_value());
  require(name.lowered() == name);
  require(hash_name(name.lowered().wire()) == hash_name(again->lowered().wire()));

  std::array<uint8_t, 600> buffer{};
  Writer w(buffer);
  for (int i = 0; i < 6; ++i) w.u16(0);
  w.name(name.wire());
  w.name(name.wire());
  require(!w.full());
  size_t at = kHeaderSize;
  const Bytes message = Bytes(buffer).first(w.size());
  require(*read_name(message, at) == name && *read_name(message, at) == name);
  require(at == message.size());

  const Name lowered = name.lowered();
  if (const auto r = parse_reverse(lowered.wire())) {
    require(is_within(lowered.wire(), r->name));
    if (r->exact && r->network.is_host())
      require(Name::reverse(r->network.address()) == name);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Bytes bytes{data, size};
  for (size_t at = kHeaderSize; at < size;) {
    const size_t before = at;
    const auto name = read_name(bytes, at);
    if (!name) break;
    require(at > before && at <= size);
    check(*name);
  }
  if (const auto name = Name::parse({reinterpret_cast<const char*>(data), size}))
    check(*name);
  return 0;
}
