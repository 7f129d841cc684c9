// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/model/network_selection.hh"

#include <algorithm>
#include <iterator>
#include <optional>

#include "agent/base/sort_unique.hh"
#include "agent/model/json.hh"
#include "agent/model/problem.hh"
#include "agent/model/shape.hh"

namespace wigeon {

// By argument-dependent look-up, so not in the unnamed namespace.
static const json::Shape& shape_of(std::type_identity<NetworkSelection>) {
  static const json::Shape s{
      .unknown = json::Shape::Unknown::ignored,  // a newer daemon may have written it
      .fields = {
          json::field<&NetworkSelection::deselected_all>("deselectedAll"),
          json::field<&NetworkSelection::deselected>("deselected", kMaxSelectionIds),
          json::field<&NetworkSelection::selected>("selected", kMaxSelectionIds),
          json::field<&NetworkSelection::exit_node>("exitNode"),
      }};
  return s;
}

namespace {

using Networks = std::span<const AvailableNetwork>;
using Ids = std::vector<std::string>;

const AvailableNetwork* find(Networks available, std::string_view id) {
  const auto at = std::ranges::lower_bound(available, id, {}, &AvailableNetwork::id);
  return at != available.end() && at->id == id ? &*at : nullptr;
}

// The network that decides for this one: an IPv6 twin follows its exit node.
const AvailableNetwork* leader(Networks available, const AvailableNetwork& n) {
  constexpr std::string_view kTwin = "-v6";
  const std::string_view id = n.id;
  if (!n.exit_node || !id.ends_with(kTwin)) return &n;
  const auto* v4 = find(available, id.substr(0, id.size() - kTwin.size()));
  return v4 && v4->exit_node ? v4 : &n;
}

bool has(const Ids& ids, const std::string& id) {
  return std::ranges::binary_search(ids, id);
}

Ids united(const Ids& a, const Ids& b) {
  Ids out;
  std::ranges::set_union(a, b, std::back_inserter(out));
  return out;
}

Ids without(const Ids& a, const Ids& b) {
  Ids out;
  std::ranges::set_difference(a, b, std::back_inserter(out));
  return out;
}

// Forgets networks that are gone when there are too many to remember.
void trim(Ids& ids, Networks available) {
  if (ids.size() > kMaxSelectionIds)
    std::erase_if(ids, [&](const std::string& id) { return !find(available, id); });
}

bool wanted(const NetworkSelection& s, const AvailableNetwork& n) {
  return !s.deselected_all && !has(s.deselected, n.id) &&
         (n.automatic || has(s.selected, n.id));
}

std::string pick_exit_node(const NetworkSelection& s, Networks available) {
  std::optional<std::string> named, any;
  for (const auto& n : available) {
    if (!n.exit_node || leader(available, n) != &n || !wanted(s, n)) continue;
    if (n.id == s.exit_node) return n.id;
    if (!named && has(s.selected, n.id)) named = n.id;
    if (!any) any = n.id;
  }
  return named ? *named : any.value_or(s.exit_node);
}

// The deciding networks' ids.
Result<Ids> resolve(Networks available, std::span<const std::string> ids) {
  Ids out;
  std::string missing;
  for (const auto& id : ids) {
    if (const auto* n = find(available, id))
      out.push_back(leader(available, *n)->id);
    else
      missing += (missing.empty() ? "route '" : "; route '") + printable(id) +
                 "' is not available";
  }
  if (!missing.empty()) return fail(ENOENT, std::move(missing));
  sort_unique(out);
  return out;
}

void leave_out(NetworkSelection& s, const Ids& ids) {
  s.deselected = united(s.deselected, ids);
  s.selected = without(s.selected, ids);
}

// Leaves every exit node out but this one.
void leave_out_exit_nodes(NetworkSelection& s, Networks available, std::string_view but) {
  Ids others;
  for (const auto& n : available)
    if (n.exit_node && leader(available, n) == &n && n.id != but) others.push_back(n.id);
  leave_out(s, others);
}

}  // namespace

NetworksInUse networks_in_use(const NetworkSelection& selection, Networks available) {
  NetworksInUse in_use{.exit_node = pick_exit_node(selection, available)};
  for (const auto& n : available) {
    const auto& decides = *leader(available, n);
    in_use.used.push_back(wanted(selection, decides) &&
                          (!n.exit_node || decides.id == in_use.exit_node));
  }
  return in_use;
}

Result<NetworkSelection> select_networks(const NetworkSelection& selection,
                                         Networks available,
                                         std::span<const std::string> ids,
                                         SelectMode mode) {
  const Ids named = TRY(resolve(available, ids));
  const std::string* exit_node = nullptr;
  for (const auto& id : named) {
    if (!find(available, id)->exit_node) continue;
    if (exit_node)
      return fail(EINVAL, "only one exit node can be used: '" + printable(*exit_node) +
                              "' or '" + printable(id) + "'");
    exit_node = &id;
  }
  NetworkSelection s = selection;
  if (mode == SelectMode::replace || s.deselected_all) {
    s.selected.clear();
    s.deselected.clear();
    for (const auto& n : available) s.deselected.push_back(leader(available, n)->id);
    sort_unique(s.deselected);
  }
  s.deselected_all = false;
  s.deselected = without(s.deselected, named);
  s.selected = united(s.selected, named);
  if (exit_node) {
    leave_out_exit_nodes(s, available, *exit_node);
    s.exit_node = *exit_node;
  }
  trim(s.deselected, available);
  trim(s.selected, available);
  return s;
}

NetworkSelection select_all_networks(const NetworkSelection& selection,
                                     Networks available) {
  NetworkSelection s{.exit_node = selection.exit_node};
  for (const auto& n : available) {
    const auto& decides = *leader(available, n);
    if (!n.exit_node || decides.id == s.exit_node) s.selected.push_back(decides.id);
  }
  sort_unique(s.selected);
  return s;
}

Result<NetworkSelection> deselect_networks(const NetworkSelection& selection,
                                           Networks available,
                                           std::span<const std::string> ids) {
  const Ids named = TRY(resolve(available, ids));
  NetworkSelection s = selection;
  if (s.deselected_all) return s;
  leave_out(s, named);
  const bool exit_nodes = std::ranges::any_of(
      named, [&](const std::string& id) { return find(available, id)->exit_node; });
  if (exit_nodes) {
    const auto pick = pick_exit_node(selection, available);
    leave_out_exit_nodes(s, available, has(named, pick) ? "" : pick);
    if (has(named, s.exit_node)) s.exit_node.clear();
  }
  trim(s.deselected, available);
  return s;
}

NetworkSelection deselect_all_networks(const NetworkSelection& selection) {
  return {.deselected_all = true, .exit_node = selection.exit_node};
}

std::string encode(const NetworkSelection& selection) {
  const auto list = [](const Ids& ids) {
    std::string out;
    for (const auto& id : ids) out += (out.empty() ? "" : ",") + json::quote(id);
    return "[" + out + "]";
  };
  return std::string("{\"deselectedAll\":") +
         (selection.deselected_all ? "true" : "false") +
         ",\"deselected\":" + list(selection.deselected) +
         ",\"selected\":" + list(selection.selected) +
         ",\"exitNode\":" + json::quote(selection.exit_node) + "}\n";
}

Result<NetworkSelection> decode_selection(std::string_view json, std::string_view file) {
  NetworkSelection s;
  const auto problems =
      json::decode(json, file, shape_of(std::type_identity<NetworkSelection>{}), &s);
  if (!problems.empty()) return fail(EINVAL, problems.text());
  sort_unique(s.deselected);
  sort_unique(s.selected);
  return s;
}

}  // namespace wigeon
