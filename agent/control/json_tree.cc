// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/control/json_tree.hh"

#include "agent/control/json.hh"

namespace wigeon {

using Token = json::Reader::Token;

const json::Number& JsonTree::Node::number() const {
  return tree_->numbers_[entry().number];
}

std::string_view JsonTree::kept(const json::Reader& reader) {
  if (!reader.has_escapes()) return reader.text();
  return unescaped_.emplace_back(reader.text());
}

bool JsonTree::build(std::string_view text) {
  json::Reader reader(text, {.depth = kMaxJsonDepth});
  std::vector<uint32_t> open;
  std::string_view key;
  for (;;) {
    const auto token = reader.next();
    switch (token) {
      case Token::end:
        return true;
      case Token::wrong:
        return open.empty() && !entries_.empty() && reader.at() < text.size() &&
               text[reader.at()] == '\0';
      case Token::key:
        key = kept(reader);
        continue;
      case Token::object_end:
      case Token::list_end:
        entries_[open.back()].end = static_cast<uint32_t>(entries_.size());
        open.pop_back();
        continue;
      default:
        break;
    }
    const auto index = static_cast<uint32_t>(entries_.size());
    Entry e{.key = key, .end = index + 1, .kind = token};
    key = {};
    if (token == Token::text) e.text = kept(reader);
    if (token == Token::number) {
      e.number = static_cast<uint32_t>(numbers_.size());
      numbers_.push_back(reader.number());
    }
    if (token == Token::object || token == Token::list) open.push_back(index);
    entries_.push_back(e);
  }
}

Result<JsonTree> JsonTree::parse(std::string_view text) {
  JsonTree tree;
  if (tree.build(text)) return tree;
  // Its words for what is wrong.
  (void)TRY(parse_json(text));
  return fail(EINVAL, "not JSON");
}

}  // namespace wigeon
