// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/model/name.hh"

#include <net/if.h>

#include <algorithm>

namespace wigeon {
namespace {

constexpr size_t kMaxLabel = 63;
constexpr size_t kMaxName = 253;

bool visible(char c) { return c > ' ' && c < 0x7f; }

}  // namespace

Result<DomainName> DomainName::parse(std::string_view text) {
  if (text.ends_with('.')) text.remove_suffix(1);
  if (text.size() > kMaxName) return fail(EINVAL, "a name has at most 253 bytes");
  DomainName name;
  name.text_ = text;
  size_t label = 0;
  for (const char c : text) {
    if (c == '.') {
      if (label == 0) return fail(EINVAL, "the name has an empty label");
      label = 0;
    } else if (!visible(c)) {
      return fail(EINVAL, "a name has visible ASCII characters only");
    } else if (++label > kMaxLabel) {
      return fail(EINVAL, "a label of a name has at most 63 bytes");
    }
  }
  if (label == 0) return fail(EINVAL, "the name has an empty label");
  for (char& c : name.text_)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return name;
}

DomainName DomainName::parent() const {
  const auto dot = text_.find('.');
  DomainName p;
  p.text_ = dot == text_.npos ? text_ : text_.substr(dot + 1);
  return p;
}

Result<void> check_interface_name(std::string_view name) {
  if (name.empty() || name.size() >= IFNAMSIZ)
    return fail(EINVAL, "an interface name has 1-15 bytes");
  if (name == "." || name == "..") return fail(EINVAL, "not a name for an interface");
  if (!std::ranges::all_of(name, visible) || name.find_first_of("/:%") != name.npos)
    return fail(EINVAL, "an interface name has no blanks, '/', ':' or '%'");
  return {};
}

}  // namespace wigeon
