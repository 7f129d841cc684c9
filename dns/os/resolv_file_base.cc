// SPDX-License-Identifier: GPL-2.0-or-later
#include "dns/os/resolv_file_base.hh"

#include <fmt/format.h>

#include <charconv>

#include "dns/name.hh"

namespace wigeon::dns::os {
namespace {

constexpr std::string_view kTitle = "# Kept by wigeon: resolv.conf as it is without it.";
constexpr size_t kMaxWords = 128;  // of our line

std::string_view next_line(std::string_view& text) {
  const auto end = text.find('\n');
  if (end == text.npos) return {};
  const auto line = text.substr(0, end);
  text.remove_prefix(end + 1);
  return line;
}

template <class Number>
bool take_number(std::string_view& text, int base, Number& number) {
  if (!text.starts_with(' ')) return false;
  const auto [end, error] =
      std::from_chars(text.data() + 1, text.data() + text.size(), number, base);
  if (error != std::errc()) return false;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return true;
}

bool decode_kind(std::string_view line, ConfFile& file) {
  using Kind = ConfFile::Kind;
  if (line == "# missing") {
    file.kind = Kind::missing;
    return true;
  }
  if (line.starts_with("# link ")) {
    file.kind = Kind::link;
    file.target = line.substr(7);
    return !file.target.empty();
  }
  if (!line.starts_with("# file")) return false;
  line.remove_prefix(6);
  file.kind = Kind::file;
  return take_number(line, 8, file.mode) && file.mode <= 07777 &&
         take_number(line, 10, file.uid) && take_number(line, 10, file.gid) &&
         line.empty();
}

bool decode_ours(std::string_view line, OurLines& ours) {
  if (!line.starts_with("# ours")) return false;
  line.remove_prefix(6);
  bool search = false;
  size_t count = 0;
  while (!line.empty()) {
    if (!line.starts_with(' ') || ++count > kMaxWords) return false;
    line.remove_prefix(1);
    const auto word = line.substr(0, line.find(' '));
    line.remove_prefix(word.size());
    if (word == "nameserver" && !search) continue;
    if (word == "search") {
      search = true;
    } else if (search) {
      if (!Name::parse(word)) return false;
      ours.search.emplace_back(word);
    } else {
      const auto address = Address::parse(word);
      if (!address) return false;
      ours.servers.push_back(*address);
    }
  }
  return true;
}

}  // namespace

std::string encode_base(const KeptBase& base) {
  const auto& f = base.file;
  std::string text = std::string(kTitle) + "\n";
  switch (f.kind) {
    case ConfFile::Kind::missing:
      text += "# missing\n";
      break;
    case ConfFile::Kind::link:
      text += "# link " + f.target + "\n";
      break;
    case ConfFile::Kind::file:
      text += fmt::format("# file {:04o} {} {}\n", f.mode, f.uid, f.gid);
      break;
  }
  text += "# ours nameserver";
  for (const auto& a : base.ours.servers) text += " " + a.text();
  text += " search";
  for (const auto& d : base.ours.search) text += " " + d;
  return text + "\n" + f.bytes;
}

Result<KeptBase> decode_base(std::string_view text) {
  KeptBase base;
  if (next_line(text) != kTitle) return fail(EBADMSG, "line 1 is not ours");
  if (!decode_kind(next_line(text), base.file))
    return fail(EBADMSG, "line 2 says neither file, link nor missing");
  if (!decode_ours(next_line(text), base.ours))
    return fail(EBADMSG, "line 3 does not say what is ours");
  base.file.bytes = text;
  return base;
}

}  // namespace wigeon::dns::os
