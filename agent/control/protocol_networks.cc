// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/control/decode.hh"
#include "agent/control/protocol.hh"

namespace wigeon {
namespace {

using decode::list;
using decode::object;
using decode::string;
using decode::strings;
using decode::Unknown;

decode::Take resolved(std::map<std::string, std::vector<std::string>>& to) {
  return [&to](const Json& j) -> Result<void> {
    if (!j.is_object()) return fail(EINVAL, "must be an object");
    for (auto it = j.begin(); it != j.end(); ++it)
      if (auto taken = strings(to[it.key()])(it.value()); !taken)
        return within("/" + it.key().substr(0, 64), std::move(taken).error());
    return {};
  };
}

Result<void> network(const Json& j, NetworkItem& n) {
  return object(j, Unknown::skip,
                {{"id", string(n.id)},
                 {"networks", strings(n.networks)},
                 {"domains", strings(n.domains)},
                 {"resolvedIPs", resolved(n.resolved)},
                 {"selected", decode::flag(n.selected)},
                 {"reason", string(n.reason)}});
}

Result<void> forwarding_rule(const Json& j, ForwardingItem& r) {
  return object(j, Unknown::skip,
                {{"protocol", string(r.protocol)},
                 {"destinationPort", string(r.destination_port)},
                 {"translatedAddress", string(r.translated_address)},
                 {"translatedHostname", string(r.translated_hostname)},
                 {"translatedPort", string(r.translated_port)}});
}

}  // namespace

std::string encode(const NetworksParams& params) {
  Json j{{"append", params.append}};
  if (params.all)
    j["all"] = true;
  else
    j["ids"] = params.ids;
  return dump_json(j);
}

Result<NetworksParams> decode_networks(std::string_view params) {
  NetworksParams p;
  TRY(object(params, Unknown::refuse,
             {{"all", decode::flag(p.all)},
              {"ids", strings(p.ids)},
              {"append", decode::flag(p.append)}}));
  if (p.all != p.ids.empty())
    return fail(EINVAL, "/ids: must name at least one network, unless all are meant");
  return p;
}

std::string encode(const NetworksResult& result) {
  Json list = Json::array();
  for (const auto& n : result.networks)
    list.push_back({{"id", n.id},
                    {"networks", n.networks},
                    {"domains", n.domains},
                    {"resolvedIPs", n.resolved},
                    {"selected", n.selected},
                    {"reason", n.reason}});
  return dump_json(Json{{"networks", std::move(list)}});
}

Result<NetworksResult> decode_networks_list(std::string_view result) {
  NetworksResult r;
  TRY(object(result, Unknown::skip,
             {{"networks", list<NetworkItem>(r.networks, network)}}));
  return r;
}

std::string encode(const ForwardingResult& result) {
  Json list = Json::array();
  for (const auto& f : result.rules)
    list.push_back({{"protocol", f.protocol},
                    {"destinationPort", f.destination_port},
                    {"translatedAddress", f.translated_address},
                    {"translatedHostname", f.translated_hostname},
                    {"translatedPort", f.translated_port}});
  return dump_json(Json{{"rules", std::move(list)}});
}

Result<ForwardingResult> decode_forwarding(std::string_view result) {
  ForwardingResult r;
  TRY(object(result, Unknown::skip,
             {{"rules", list<ForwardingItem>(r.rules, forwarding_rule)}}));
  return r;
}

}  // namespace wigeon
