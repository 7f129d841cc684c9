// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/control/json_tree.hh"

#include "agent/control/json.hh"

namespace wigeon {

using Token = json::Reader::Token;

const json::Number& JsonTree::Node::number() const {
  return tree_->numbers_[entry().number];
}

// nlohmann_json ends a document at a NUL byte.
JsonTree::JsonTree(std::string_view text)
    : reader_(text.substr(0, text.find('\0')), {.depth = kMaxJsonDepth}) {}

bool JsonTree::build() {
  std::vector<uint32_t> open;
  std::string_view key;
  for (;;) {
    const auto token = reader_.next();
    switch (token) {
      case Token::end:
        return true;
      case Token::wrong:
        return false;
      case Token::key:
        key = reader_.text();
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
    if (token == Token::text) e.text = reader_.text();
    if (token == Token::number) {
      e.number = static_cast<uint32_t>(numbers_.size());
      numbers_.push_back(reader_.number());
    }
    if (token == Token::object || token == Token::list) open.push_back(index);
    entries_.push_back(e);
  }
}

Result<JsonTree> JsonTree::parse(std::string_view text) {
  JsonTree tree(text);
  if (tree.build()) return tree;
  // Its words for what is wrong.
  (void)TRY(parse_json(text));
  return fail(EINVAL, "not JSON");
}

}  // namespace wigeon
