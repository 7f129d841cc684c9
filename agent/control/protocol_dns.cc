// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/control/decode.hh"
#include "agent/control/protocol.hh"

namespace wigeon {
namespace {

using decode::flag;
using decode::list;
using decode::number;
using decode::object;
using decode::string;
using decode::strings;
using decode::Unknown;

Json json_of(const std::vector<DnsRecordItem>& records) {
  Json j = Json::array();
  for (const auto& r : records)
    j.push_back({{"name", r.name}, {"ttl", r.ttl}, {"type", r.type}, {"data", r.data}});
  return j;
}

Json json_of(const DnsTraceItem& t) {
  Json attempts = Json::array();
  for (const auto& a : t.attempts)
    attempts.push_back({{"server", a.server},
                        {"sentMicroseconds", a.sent},
                        {"tookMicroseconds", a.took},
                        {"outcome", a.outcome}});
  return {{"local", t.local},          {"zone", t.zone},
          {"wanted", t.wanted},        {"source", t.source},
          {"domain", t.domain},        {"fell", t.fell},
          {"shared", t.shared},        {"withheld", t.withheld},
          {"cache", t.cache},          {"attempts", std::move(attempts)},
          {"tookMicroseconds", t.took}};
}

Result<void> record(const Json& j, DnsRecordItem& r) {
  return object(j, Unknown::skip,
                {{"name", string(r.name)},
                 {"ttl", number(r.ttl)},
                 {"type", string(r.type)},
                 {"data", string(r.data)}});
}

Result<void> attempt(const Json& j, DnsAttemptItem& a) {
  return object(j, Unknown::skip,
                {{"server", string(a.server)},
                 {"sentMicroseconds", number(a.sent)},
                 {"tookMicroseconds", number(a.took)},
                 {"outcome", string(a.outcome)}});
}

Result<void> error(const Json& j, DnsErrorItem& e) {
  return object(j, Unknown::skip, {{"code", number(e.code)}, {"text", string(e.text)}});
}

decode::Take trace(DnsTraceItem& t) {
  return [&t](const Json& j) {
    return object(j, Unknown::skip,
                  {{"local", string(t.local)},
                   {"zone", string(t.zone)},
                   {"wanted", string(t.wanted)},
                   {"source", string(t.source)},
                   {"domain", string(t.domain)},
                   {"fell", flag(t.fell)},
                   {"shared", flag(t.shared)},
                   {"withheld", flag(t.withheld)},
                   {"cache", string(t.cache)},
                   {"attempts", list<DnsAttemptItem>(t.attempts, attempt)},
                   {"tookMicroseconds", number(t.took)}});
  };
}

}  // namespace

std::string encode(const DnsFlushParams& params) {
  Json j = Json::object();
  if (!params.name.empty()) j["name"] = params.name;
  return dump_json(j);
}

Result<DnsFlushParams> decode_dns_flush(std::string_view params) {
  DnsFlushParams p;
  TRY(object(params, Unknown::refuse, {{"name", string(p.name)}}));
  return p;
}

std::string encode(const DnsFlushResult& result) {
  return dump_json(Json{{"entries", result.entries}});
}

Result<DnsFlushResult> decode_dns_flushed(std::string_view result) {
  DnsFlushResult r;
  TRY(object(result, Unknown::skip, {{"entries", number(r.entries)}}));
  return r;
}

std::string encode(const DnsQueryParams& params) {
  return dump_json(
      Json{{"name", params.name}, {"type", params.type}, {"tcp", params.tcp}});
}

Result<DnsQueryParams> decode_dns_query(std::string_view params) {
  DnsQueryParams p;
  TRY(object(params, Unknown::refuse,
             {{"name", string(p.name)}, {"type", string(p.type)}, {"tcp", flag(p.tcp)}}));
  if (p.name.empty()) return fail(EINVAL, "/name: must be there");
  return p;
}

std::string encode(const DnsQueryResult& result) {
  Json errors = Json::array();
  for (const auto& e : result.errors)
    errors.push_back({{"code", e.code}, {"text", e.text}});
  return dump_json(Json{{"name", result.name},
                        {"type", result.type},
                        {"status", result.status},
                        {"flags", result.flags},
                        {"size", result.size},
                        {"answer", json_of(result.answer)},
                        {"authority", json_of(result.authority)},
                        {"additional", json_of(result.additional)},
                        {"leftOut", result.left_out},
                        {"extendedErrors", std::move(errors)},
                        {"trace", json_of(result.trace)}});
}

Result<DnsQueryResult> decode_dns_queried(std::string_view result) {
  DnsQueryResult r;
  TRY(object(result, Unknown::skip,
             {{"name", string(r.name)},
              {"type", string(r.type)},
              {"status", string(r.status)},
              {"flags", strings(r.flags)},
              {"size", number(r.size)},
              {"answer", list<DnsRecordItem>(r.answer, record)},
              {"authority", list<DnsRecordItem>(r.authority, record)},
              {"additional", list<DnsRecordItem>(r.additional, record)},
              {"leftOut", number(r.left_out)},
              {"extendedErrors", list<DnsErrorItem>(r.errors, error)},
              {"trace", trace(r.trace)}}));
  return r;
}

}  // namespace wigeon
