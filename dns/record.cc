// SPDX-License-Identifier: GPL-2.0-or-later
#include "dns/record.hh"

#include <algorithm>
#include <array>
#include <utility>

#include "agent/base/ip.hh"
#include "dns/message.hh"

namespace wigeon::dns {
namespace {

constexpr std::array<std::pair<uint16_t, std::string_view>, 10> kTypes{
    {{type::kA, "A"},
     {type::kNs, "NS"},
     {type::kCname, "CNAME"},
     {type::kSoa, "SOA"},
     {type::kPtr, "PTR"},
     {type::kMx, "MX"},
     {type::kTxt, "TXT"},
     {type::kAaaa, "AAAA"},
     {type::kSrv, "SRV"},
     {type::kAny, "ANY"}}};

bool is_blank(char c) { return c == ' ' || c == '\t'; }

// The blank-separated words of a record's text, taken one by one.
class Words {
 public:
  explicit Words(std::string_view text) : text_(text) { skip(); }
  [[nodiscard]] bool empty() const { return text_.empty(); }
  Result<std::string_view> next(std::string_view what) {
    if (empty()) return fail(EINVAL, std::string(what) + " is missing");
    size_t end = 0;
    while (end < text_.size() && !is_blank(text_[end]))
      end += text_[end] == '\\' && end + 1 < text_.size() ? 2 : 1;
    const auto word = text_.substr(0, end);
    text_.remove_prefix(end);
    skip();
    return word;
  }
  Result<void> end() const {
    if (!empty()) return fail(EINVAL, "unexpected '" + std::string(text_) + "'");
    return {};
  }
  // One TXT string: quoted, or a word. Escapes are resolved.
  Result<std::string> string() {
    std::string out;
    const bool quoted = text_[0] == '"';
    if (quoted) text_.remove_prefix(1);
    for (;;) {
      if (text_.empty()) {
        if (quoted) return fail(EINVAL, "a quote is not closed");
        return out;
      }
      const char c = text_[0];
      if (quoted ? c == '"' : is_blank(c)) break;
      text_.remove_prefix(1);
      out += c == '\\' ? TRY(escaped()) : c;
    }
    if (quoted) text_.remove_prefix(1);
    skip();
    return out;
  }

 private:
  void skip() {
    while (!text_.empty() && is_blank(text_[0])) text_.remove_prefix(1);
  }
  Result<char> escaped() {
    const auto digits = text_.substr(0, 3);
    if (digits.size() == 3 &&
        std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; })) {
      auto value = parse_number(digits, 255);
      if (!value) return fail(EINVAL, "an escape is larger than \\255");
      text_.remove_prefix(3);
      return static_cast<char>(*value);
    }
    if (text_.empty() || (text_[0] >= '0' && text_[0] <= '9'))
      return fail(EINVAL, "an escape is not \\DDD or \\X");
    const char c = text_[0];
    text_.remove_prefix(1);
    return c;
  }
  std::string_view text_;
};

void put(std::vector<uint8_t>& out, Bytes bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}

Result<void> put_number(std::vector<uint8_t>& out, Words& words, std::string_view what,
                        int bytes) {
  const auto word = TRY(words.next(what));
  const auto n = parse_number(word, bytes == 2 ? 0xffff : 0xffffffff);
  if (!n)
    return fail(EINVAL,
                std::string(what) + " '" + std::string(word) + "': " + n.error().what);
  for (int i = bytes - 1; i >= 0; --i) out.push_back(static_cast<uint8_t>(*n >> (8 * i)));
  return {};
}

Result<void> put_name(std::vector<uint8_t>& out, Words& words, std::string_view what) {
  const auto word = TRY(words.next(what));
  const auto name = Name::parse(word);
  if (!name)
    return fail(EINVAL,
                std::string(what) + " '" + std::string(word) + "': " + name.error().what);
  put(out, name->wire());
  return {};
}

Result<void> put_strings(std::vector<uint8_t>& out, Words& words) {
  if (words.empty()) return fail(EINVAL, "the text is missing");
  while (!words.empty()) {
    std::string s = TRY(words.string());
    // Longer strings become several, as readers of TXT join them again.
    std::string_view rest = s;
    do {
      const auto part = rest.substr(0, 255);
      out.push_back(static_cast<uint8_t>(part.size()));
      out.insert(out.end(), part.begin(), part.end());
      rest.remove_prefix(part.size());
    } while (!rest.empty());
  }
  return {};
}

Result<void> put_address(std::vector<uint8_t>& out, Words& words, bool v4) {
  const auto word = TRY(words.next("the address"));
  const auto a = Address::parse(word);
  if (!a || a->is_v4() != v4)
    return fail(EINVAL, "'" + std::string(word) + "' is not an " +
                            (v4 ? "IPv4" : "IPv6") + " address");
  put(out, a->bytes());
  return {};
}

Result<void> put_rdata(uint16_t t, Words& words, std::vector<uint8_t>& out) {
  switch (t) {
    case type::kA:
    case type::kAaaa:
      return put_address(out, words, t == type::kA);
    case type::kCname:
    case type::kPtr:
    case type::kNs:
      return put_name(out, words, "the target");
    case type::kMx:
      TRY(put_number(out, words, "the preference", 2));
      return put_name(out, words, "the exchange");
    case type::kSrv:
      for (const auto what : {"the priority", "the weight", "the port"})
        TRY(put_number(out, words, what, 2));
      return put_name(out, words, "the target");
    case type::kSoa:
      TRY(put_name(out, words, "the primary server"));
      TRY(put_name(out, words, "the mailbox"));
      for (const auto what : {"serial", "refresh", "retry", "expire", "minimum"})
        TRY(put_number(out, words, what, 4));
      return {};
    case type::kTxt:
      return put_strings(out, words);
    default:
      return fail(EOPNOTSUPP, "records of type " + type_text(t) + " are not supported");
  }
}

// Reads rdata fields in order; every getter fails when bytes are missing.
class Fields {
 public:
  explicit Fields(Bytes rdata) : left_(rdata) {}
  [[nodiscard]] bool empty() const { return left_.empty(); }
  Result<Bytes> take(size_t n) {
    if (left_.size() < n) return fail(EBADMSG, "rdata is cut off");
    const Bytes taken = left_.first(n);
    left_ = left_.subspan(n);
    return taken;
  }
  Result<std::string> number(size_t bytes) {
    uint64_t v = 0;
    const Bytes digits = TRY(take(bytes));
    for (const uint8_t b : digits) v = v << 8 | b;
    return std::to_string(v);
  }
  Result<std::string> name() {
    size_t size = 0;
    while (size < left_.size() && left_[size] != 0) size += 1u + left_[size];
    const Bytes wire = TRY(take(size + 1));
    const auto parsed = TRY(Name::from_wire(wire));
    return parsed.text();
  }
  Result<std::string> string() {
    const size_t size = TRY(take(1))[0];
    const Bytes bytes = TRY(take(size));
    std::string out = "\"";
    for (const uint8_t c : bytes) {
      if (c < ' ' || c >= 0x7f) {
        const std::string n = std::to_string(c);
        out += "\\" + std::string(3 - n.size(), '0') + n;
        continue;
      }
      if (c == '"' || c == '\\') out += '\\';
      out += static_cast<char>(c);
    }
    return out + '"';
  }
  // Fields of a record in a row: 'n' a name, '2' and '4' numbers of that many bytes.
  Result<std::string> all(std::string_view kinds) {
    std::string out;
    for (const char kind : kinds) {
      if (!out.empty()) out += ' ';
      out += kind == 'n' ? TRY(name()) : TRY(number(static_cast<size_t>(kind - '0')));
    }
    return out;
  }

 private:
  Bytes left_;
};

Result<std::string> fields_text(uint16_t t, Fields& f) {
  switch (t) {
    case type::kA:
    case type::kAaaa: {
      const Bytes bytes = TRY(f.take(t == type::kA ? 4 : 16));
      return Address::from_bytes(bytes)->text();
    }
    case type::kCname:
    case type::kPtr:
    case type::kNs:
      return f.all("n");
    case type::kMx:
      return f.all("2n");
    case type::kSrv:
      return f.all("222n");
    case type::kSoa:
      return f.all("nn44444");
    default:
      break;
  }
  std::string out = TRY(f.string());
  while (!f.empty()) out += ' ' + TRY(f.string());
  return out;
}

}  // namespace

std::string type_text(uint16_t t) {
  for (const auto& [number, name] : kTypes)
    if (number == t) return std::string(name);
  return "TYPE" + std::to_string(t);
}

Result<uint16_t> parse_type(std::string_view text) {
  for (const auto& [number, name] : kTypes)
    if (name == text) return number;
  if (text.starts_with("TYPE")) {
    const auto n = parse_number(text.substr(4), 0xffff);
    if (n) return static_cast<uint16_t>(*n);
  }
  return fail(EINVAL, "'" + std::string(text) + "' is not a record type");
}

bool is_supported_type(uint16_t t) {
  return t != type::kAny &&
         std::ranges::any_of(kTypes, [&](auto& e) { return e.first == t; });
}

Result<void> append_rdata(uint16_t t, std::string_view text, std::vector<uint8_t>& out) {
  const size_t before = out.size();
  Words words(text);
  auto done = put_rdata(t, words, out);
  if (done) done = words.end();
  if (done && out.size() - before > 0xffff)
    done = fail(EMSGSIZE, "longer than 65535 bytes");
  if (!done) out.resize(before);
  return done;
}

Result<std::string> rdata_text(uint16_t t, Bytes rdata) {
  if (!is_supported_type(t)) {
    std::string out = "\\# " + std::to_string(rdata.size());
    if (!rdata.empty()) out += ' ';
    for (const uint8_t b : rdata)
      out += {"0123456789abcdef"[b >> 4], "0123456789abcdef"[b & 15]};
    return out;
  }
  Fields f(rdata);
  auto text = TRY(fields_text(t, f));
  if (!f.empty()) return fail(EBADMSG, "bytes are left over in the rdata");
  return text;
}

}  // namespace wigeon::dns
