// SPDX-License-Identifier: GPL-2.0-or-later
#include "dns/os/bus_value.hh"

#include <algorithm>
#include <array>
#include <cstring>

#include "dns/os/manager.hh"

namespace wigeon::dns::os {
namespace {

std::unexpected<Error> unexpected_type(const char* wanted) {
  return fail(EBADMSG, std::string("the reply is not of type ") + wanted);
}

Result<void> enter(sd_bus_message* m, char type, const char* contents) {
  if (sd_bus_message_enter_container(m, type, contents) <= 0)
    return unexpected_type(contents);
  return {};
}

// Fails when something in it was not read.
Result<void> leave(sd_bus_message* m) {
  if (sd_bus_message_exit_container(m) < 0) return unexpected_type("that is read whole");
  return {};
}

template <class T>
Result<T> read_basic(sd_bus_message* m, char type) {
  T value{};
  if (sd_bus_message_read_basic(m, type, &value) <= 0) {
    const char name[] = {type, '\0'};
    return unexpected_type(name);
  }
  return value;
}

}  // namespace

Result<void> read_array(sd_bus_message* m, const char* contents, const Each& each) {
  TRY(enter(m, SD_BUS_TYPE_ARRAY, contents));
  for (size_t count = 0; sd_bus_message_at_end(m, 0) == 0; ++count) {
    if (count == kMaxBusItems) return fail(E2BIG, "an array in the reply is too long");
    TRY(each(m));
  }
  return leave(m);
}

Result<void> read_struct(sd_bus_message* m, const char* contents, const Each& each) {
  TRY(enter(m, SD_BUS_TYPE_STRUCT, contents));
  TRY(each(m));
  return leave(m);
}

Result<void> read_dictionary(sd_bus_message* m, const EachEntry& each) {
  return read_array(m, "{sv}", [&](sd_bus_message*) -> Result<void> {
    TRY(enter(m, SD_BUS_TYPE_DICT_ENTRY, "sv"));
    const auto key = TRY(read_text(m));
    char type = 0;
    const char* contents = nullptr;
    if (sd_bus_message_peek_type(m, &type, &contents) <= 0 || type != SD_BUS_TYPE_VARIANT)
      return unexpected_type("a{sv}");
    const std::string inside = contents;
    TRY(enter(m, SD_BUS_TYPE_VARIANT, inside.c_str()));
    TRY(each(m, key, inside.c_str()));
    if (sd_bus_message_at_end(m, 0) == 0 && sd_bus_message_skip(m, inside.c_str()) < 0)
      return unexpected_type(inside.c_str());
    TRY(leave(m));
    return leave(m);
  });
}

Result<std::string> read_text(sd_bus_message* m) {
  char type = 0;
  const char* text = nullptr;
  if (sd_bus_message_peek_type(m, &type, nullptr) <= 0 ||
      (type != SD_BUS_TYPE_STRING && type != SD_BUS_TYPE_OBJECT_PATH) ||
      sd_bus_message_read_basic(m, type, static_cast<void*>(&text)) <= 0)
    return unexpected_type("s");
  const size_t size = ::strnlen(text, kMaxBusText + 1);
  if (size > kMaxBusText) return fail(E2BIG, "a text in the reply is too long");
  return std::string(text, size);
}

Result<bool> read_bool(sd_bus_message* m) {
  return TRY(read_basic<int>(m, SD_BUS_TYPE_BOOLEAN)) != 0;
}

Result<int32_t> read_int(sd_bus_message* m) {
  return read_basic<int32_t>(m, SD_BUS_TYPE_INT32);
}

Result<uint32_t> read_unsigned(sd_bus_message* m) {
  return read_basic<uint32_t>(m, SD_BUS_TYPE_UINT32);
}

Result<uint64_t> read_unsigned_long(sd_bus_message* m) {
  return read_basic<uint64_t>(m, SD_BUS_TYPE_UINT64);
}

Result<uint16_t> read_port(sd_bus_message* m) {
  return read_basic<uint16_t>(m, SD_BUS_TYPE_UINT16);
}

Result<std::vector<std::string>> read_texts(sd_bus_message* m) {
  std::vector<std::string> texts;
  const auto read = read_array(m, "s", [&](sd_bus_message*) -> Result<void> {
    texts.push_back(TRY(read_text(m)));
    return {};
  });
  TRY(read);
  return texts;
}

Result<std::optional<Address>> read_address(sd_bus_message* m) {
  const int family = TRY(read_int(m));
  const void* bytes = nullptr;
  size_t size = 0;
  if (sd_bus_message_read_array(m, SD_BUS_TYPE_BYTE, &bytes, &size) < 0)
    return unexpected_type("ay");
  if (size != (family == AF_INET ? 4u : family == AF_INET6 ? 16u : 0u) || size == 0)
    return std::nullopt;
  std::span<const uint8_t> span(static_cast<const uint8_t*>(bytes), size);
  constexpr std::array<uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (size == 16 && std::ranges::equal(span.first(12), kMapped)) span = span.subspan(12);
  return TRY(Address::from_bytes(span));
}

bool can_be_asked(const Address& a) {
  return !a.is_unspecified() && !a.is_multicast() && !is_resolved_stub(a);
}

}  // namespace wigeon::dns::os
