// SPDX-License-Identifier: GPL-2.0-or-later
// A reply as texts. Made by the resolver, which has no privilege, so that nobody else has
// to read messages of strangers.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dns/message.hh"

namespace wigeon::dns {

// Beyond these a reply is shown in part.
inline constexpr size_t kMaxShownRecords = 1000;
inline constexpr size_t kMaxShownRdata = 4096;
inline constexpr size_t kMaxShownErrors = 16;
inline constexpr size_t kMaxNameText = 1100;  // of 255 bytes, each as \DDD

struct ReplyRecord {
  enum class Section : uint8_t { answer, authority, additional };
  Section section = Section::answer;
  std::string name{};
  uint32_t ttl = 0;
  std::string type{};
  std::string rdata{};  // cut at kMaxShownRdata

  friend bool operator==(const ReplyRecord&, const ReplyRecord&) = default;
};

// RFC 8914.
struct ReplyError {
  uint16_t code = 0;
  std::string text{};  // printable ASCII, the rest as '?'

  friend bool operator==(const ReplyError&, const ReplyError&) = default;
};

struct ReplyText {
  uint16_t rcode = 0;                  // all twelve bits
  uint16_t flags = 0;                  // of the header
  uint32_t size = 0;                   // bytes of the message
  std::vector<ReplyRecord> records{};  // without OPT
  uint32_t left_out = 0;               // records beyond kMaxShownRecords
  std::vector<ReplyError> errors{};

  friend bool operator==(const ReplyText&, const ReplyText&) = default;
};

// EBADMSG when it is no message.
Result<ReplyText> reply_text(Bytes message);

// "NXDOMAIN"; "RCODE11" for one without a name.
std::string rcode_text(uint16_t rcode);
// "aa", "rd", …: those that are set, qr left out.
std::vector<std::string> flag_texts(uint16_t flags);

}  // namespace wigeon::dns
