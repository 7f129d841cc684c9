// SPDX-License-Identifier: GPL-2.0-or-later
// DNS messages as bytes (RFC 1035 §4, RFC 6891): a reader that trusts nothing, a writer
// into the caller's buffer that compresses names and knows when it is full.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "agent/base/result.hh"
#include "dns/big_endian.hh"
#include "dns/name.hh"

namespace wigeon::dns {

inline constexpr size_t kHeaderSize = 12;
inline constexpr size_t kMaxMessage = 65535;
// What fits an IPv6 packet of 1280 bytes: our size in OPT records, and the most we send.
inline constexpr uint16_t kUdpPayload = 1232;
inline constexpr uint16_t kMinUdpPayload = 512;
inline constexpr int kMaxJumps = 126;  // one for each label a name can have, almost

namespace type {
inline constexpr uint16_t kA = 1, kNs = 2, kCname = 5, kSoa = 6, kPtr = 12, kMx = 15,
                          kTxt = 16, kAaaa = 28, kSrv = 33, kDname = 39, kOpt = 41,
                          kTkey = 249, kTsig = 250, kIxfr = 251, kAxfr = 252,
                          kMailb = 253, kMaila = 254, kAny = 255;
}
namespace klass {
inline constexpr uint16_t kIn = 1, kAny = 255;
}
namespace flag {
inline constexpr uint16_t kQr = 0x8000, kOpcode = 0x7800, kAa = 0x0400, kTc = 0x0200,
                          kRd = 0x0100, kRa = 0x0080, kZ = 0x0040, kAd = 0x0020,
                          kCd = 0x0010, kRcode = 0x000f;
}
namespace rcode {
inline constexpr uint16_t kNoError = 0, kFormErr = 1, kServFail = 2, kNxDomain = 3,
                          kNotImp = 4, kRefused = 5, kBadVers = 16;
}

struct Header {
  uint16_t id = 0;
  uint16_t flags = 0;
  uint16_t questions = 0;
  uint16_t answers = 0;
  uint16_t authorities = 0;
  uint16_t additionals = 0;
};

struct Question {
  Name name{};
  uint16_t type = 0;
  uint16_t klass = klass::kIn;

  friend bool operator==(const Question&, const Question&) = default;
};

struct Record {
  Name name{};
  uint16_t type = 0;
  uint16_t klass = klass::kIn;
  uint32_t ttl = 0;
  Bytes rdata{};        // inside the message; names in it may be compressed
  size_t rdata_at = 0;  // where that is, for read_name()
};

// The name at `at`, which moves past it. Pointers must lead strictly backwards.
Result<Name> read_name(Bytes message, size_t& at);

class Reader {
 public:
  explicit Reader(Bytes message) : message_(message) {}
  Result<Header> header();
  Result<Question> question();
  Result<Record> record();
  [[nodiscard]] size_t at() const { return at_; }
  [[nodiscard]] bool at_end() const { return at_ == message_.size(); }

 private:
  Result<uint16_t> u16();
  Result<uint32_t> u32();
  Bytes message_;
  size_t at_ = 0;
};

class Writer {
 public:
  static constexpr size_t kSuffixes = 64;  // that later names can be compressed with
  explicit Writer(std::span<uint8_t> out) : out_(out), limit_(out.size()) {}
  void u8(uint8_t v) {
    if (fits(1)) out_[at_++] = v;
  }
  void u16(uint16_t v) {
    if (!fits(2)) return;
    out_[at_++] = static_cast<uint8_t>(v >> 8);
    out_[at_++] = static_cast<uint8_t>(v);
  }
  void u32(uint32_t v) {
    u16(static_cast<uint16_t>(v >> 16));
    u16(static_cast<uint16_t>(v));
  }
  void bytes(Bytes b);
  void name(Bytes wire);  // its longest suffix that is there already becomes a pointer
  void patch_u16(size_t at, uint16_t v);

  [[nodiscard]] size_t size() const { return at_; }
  // Something did not fit and was left out: only a rewind makes the content good again.
  [[nodiscard]] bool full() const { return full_; }
  // Keeps the buffer's last bytes for later; 0 gives them back.
  void keep_back(size_t bytes) { limit_ = out_.size() - std::min(bytes, out_.size()); }

  struct Mark {
    size_t at = 0;
    size_t suffixes = 0;
  };
  [[nodiscard]] Mark mark() const { return {at_, suffix_count_}; }
  void rewind(Mark m);

 private:
  bool fits(size_t n) {
    if (full_ || at_ + n > limit_) full_ = true;
    return !full_;
  }
  [[nodiscard]] bool suffix_is(size_t offset, Bytes name) const;
  std::span<uint8_t> out_;
  size_t limit_;
  size_t at_ = 0;
  bool full_ = false;
  std::array<uint16_t, kSuffixes>
      suffixes_{};  // where names begin that pointers may lead to
  size_t suffix_count_ = 0;
};

// Extended DNS errors (RFC 8914) that we give reasons with.
struct ExtendedError {
  enum class Code : uint16_t { none = 0xffff, other = 0, unreachable = 22, network = 23 };
  Code code = Code::none;
  std::string_view text{};
};

struct Edns {
  uint16_t udp_payload = kUdpPayload;
  uint8_t extended_rcode = 0;  // upper eight bits
  uint8_t version = 0;
  bool dnssec_ok = false;
};

inline constexpr size_t kOptSize = 11;  // without options
Edns read_opt(const Record& opt);
void write_opt(Writer& out, const Edns& edns, const ExtendedError& why = {});
// Calls f(code, value) for each option of an OPT record's rdata, while it returns true.
// One that is cut off ends them.
inline constexpr uint16_t kExtendedErrorOption = 15;  // RFC 8914
void each_option(Bytes rdata, auto f) {
  while (rdata.size() >= 4) {
    const size_t size = load16(rdata.data() + 2);
    if (rdata.size() < 4 + size || !f(load16(rdata.data()), rdata.subspan(4, size)))
      return;
    rdata = rdata.subspan(4 + size);
  }
}

// The header and the question of a message with one, and no record but `additionals`.
void write_head(Writer& out, uint16_t id, uint16_t flags, const Question& question,
                uint16_t additionals = 0);
// A query; without edns it has no OPT record.
std::vector<uint8_t> make_query(uint16_t id, uint16_t flags, const Question& question,
                                const std::optional<Edns>& edns = Edns());

// A record's rdata with the names of the types of RFC 1035 compressed. rdata holds no
// pointers. The length field is written too.
void write_rdata(Writer& out, uint16_t type, Bytes rdata);
// Rdata as it stands in a message, with the names in it written out.
Result<std::vector<uint8_t>> expand_rdata(Bytes message, const Record& record);

}  // namespace wigeon::dns
