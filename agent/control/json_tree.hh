// SPDX-License-Identifier: GPL-2.0-or-later
// A JSON document as a flat list of nodes that point into its strings: for a status of
// megabytes, where a value, a map and a string each would be an allocation. Private to
// this folder.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "agent/base/json_reader.hh"
#include "agent/base/result.hh"

namespace wigeon {

class JsonTree {
  struct Entry {
    std::string_view key{}, text{};
    uint32_t end = 0;     // the index behind all that is in it
    uint32_t number = 0;  // index
    json::Reader::Token kind = json::Reader::Token::null;
  };

 public:
  // Errors are parse_json()'s; to both, a NUL byte outside of strings ends the document.
  static Result<JsonTree> parse(std::string_view text);

  class Node {
   public:
    using Kind = json::Reader::Token;  // without key and ends
    [[nodiscard]] Kind kind() const { return entry().kind; }
    [[nodiscard]] bool is_list() const { return kind() == Kind::list; }
    [[nodiscard]] bool is_object() const { return kind() == Kind::object; }
    // Of a member.
    [[nodiscard]] std::string_view key() const { return entry().key; }
    [[nodiscard]] std::string_view text() const { return entry().text; }
    [[nodiscard]] const json::Number& number() const;

    // visit(Node) for each member or element, as they come in the text.
    void each(auto visit) const {
      for (uint32_t i = index_ + 1; i < entry().end; i = tree_->entries_[i].end)
        visit(Node(*tree_, i));
    }
    // The last member with that key, or nothing.
    [[nodiscard]] std::optional<Node> find(std::string_view key) const {
      std::optional<Node> found;
      each([&](Node n) {
        if (n.key() == key) found = n;
      });
      return found;
    }

   private:
    friend class JsonTree;
    Node(const JsonTree& tree, uint32_t index) : tree_(&tree), index_(index) {}
    [[nodiscard]] const Entry& entry() const { return tree_->entries_[index_]; }
    const JsonTree* tree_;
    uint32_t index_;
  };

  [[nodiscard]] Node root() const { return {*this, 0}; }

 private:
  explicit JsonTree(std::string_view text);
  bool build();

  json::Reader reader_;  // holds the strings
  std::vector<Entry> entries_{};
  std::vector<json::Number> numbers_{};
};

}  // namespace wigeon
