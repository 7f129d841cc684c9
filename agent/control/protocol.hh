// SPDX-License-Identifier: GPL-2.0-or-later
// One JSON object a line, in both directions:
//   {"id":1,"method":"up","params":{"wait":true}}
//   {"id":1,"result":{"already":false}}
//   {"id":1,"error":{"code":"busy","exit":1,"message":"…"}}
// A connection carries any number of requests, answered in their order. What cannot be
// read as a request is answered with id 0 and the connection ends.
#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/result.hh"

namespace wigeon {

inline constexpr size_t kMaxRequest = size_t{32} << 20;
// Of anybody but root: nothing they may ask for is longer.
inline constexpr size_t kMaxSmallRequest = size_t{64} << 10;
inline constexpr size_t kMaxResponse = size_t{64} << 20;
// Ids in one request, networks or rules in one result.
inline constexpr size_t kMaxListed = 200'000;
// A map given to `up`, which travels as base64 and has to fit in a request.
inline constexpr size_t kMaxMapInRequest = (kMaxRequest - 4096) / 4 * 3;

enum class Code {
  error,
  usage,        // a request that makes no sense: unknown method, wrong parameters
  not_running,  // nobody listens on the socket
  not_permitted,
  timeout,
  degraded,        // or a failed check
  invalid_config,  // settings or network map
  not_found,
  busy,  // too many connections or changes at once; worth another try
};

// What went wrong, for the person at the terminal and for scripts.
struct Failure {
  Code code = Code::error;
  std::string message{};
};
template <class T>
using Outcome = std::expected<T, Failure>;

std::string_view text(Code code);  // "not_permitted"
// The exit code of `wigeon`: 1 error and busy, 2 usage, 3 daemon not running, 4 not
// permitted, 5 timeout, 6 degraded, 7 invalid config, 10 not found.
int exit_code(Code code);

struct Request {
  uint64_t id = 0;
  std::string method{};
  std::string params = "{}";  // a JSON object, for the decoder of that method

  friend bool operator==(const Request&, const Request&) = default;
};

struct Response {
  uint64_t id = 0;
  Outcome<std::string> result = "{}";  // a JSON object on one line
};

// With the newline.
std::string encode(const Request& request);
std::string encode(Response response);
// Without the newline. EINVAL; E2BIG when nested too deep. Whether a result is right
// inside is for its own decoder to say.
Result<Request> decode_request(std::string_view line);
Result<Response> decode_response(std::string_view line);

// Parameters. An unknown key or a wrong type is EINVAL and names the key.
struct UpParams {
  bool wait = false;   // answer when the map is in force, not when work on it began
  bool force = false;  // take a map whose serial is lower; root only
  // Use these bytes instead of the source's, as they were in the client's file; root
  // only.
  std::optional<std::string> map{};

  friend bool operator==(const UpParams&, const UpParams&) = default;
};
std::string encode(const UpParams& params);
Result<UpParams> decode_up(std::string_view params);

struct LogLevelParams {
  std::string level{};  // log::parse_level() judges it

  friend bool operator==(const LogLevelParams&, const LogLevelParams&) = default;
};
std::string encode(const LogLevelParams& params);
Result<LogLevelParams> decode_log_level(std::string_view params);

// networks_select and networks_deselect.
struct NetworksParams {
  bool all = false;  // then without ids
  std::vector<std::string> ids{};
  bool append = false;  // select: to what is selected already

  friend bool operator==(const NetworksParams&, const NetworksParams&) = default;
};
std::string encode(const NetworksParams& params);
// Also EINVAL: neither all nor ids, or both.
Result<NetworksParams> decode_networks(std::string_view params);

// Results. `status` is a StatusReport; `reload`, `log_level`,
// `networks_select` and `networks_deselect` are {}.
struct ChangeResult {    // up, down
  bool already = false;  // nothing had to be done

  friend bool operator==(const ChangeResult&, const ChangeResult&) = default;
};
std::string encode(const ChangeResult& result);
Result<ChangeResult> decode_change(std::string_view result);

struct VersionResult {
  std::string version{};

  friend bool operator==(const VersionResult&, const VersionResult&) = default;
};
std::string encode(const VersionResult& result);
Result<VersionResult> decode_version(std::string_view result);

// What can be selected, by id. Networks and domains as text.
struct NetworkItem {
  std::string id{};
  std::vector<std::string> networks{};
  std::vector<std::string> domains{};
  std::map<std::string, std::vector<std::string>> resolved{};  // domain: addresses
  bool selected = false;
  std::string reason{};  // why it is not routed; empty when it is

  friend bool operator==(const NetworkItem&, const NetworkItem&) = default;
};
struct NetworksResult {
  std::vector<NetworkItem> networks{};

  friend bool operator==(const NetworksResult&, const NetworksResult&) = default;
};
std::string encode(const NetworksResult& result);
Result<NetworksResult> decode_networks_list(std::string_view result);

struct ForwardingItem {
  std::string protocol{};          // "tcp"
  std::string destination_port{};  // "80", "8000-8010"; empty: any
  std::string translated_address{};
  std::string translated_hostname{};  // empty: the map has no peer of that address
  std::string translated_port{};

  friend bool operator==(const ForwardingItem&, const ForwardingItem&) = default;
};
struct ForwardingResult {
  std::vector<ForwardingItem> rules{};

  friend bool operator==(const ForwardingResult&, const ForwardingResult&) = default;
};
std::string encode(const ForwardingResult& result);
Result<ForwardingResult> decode_forwarding(std::string_view result);

// debug_redirect: a query to each address the host is told, over each transport.
struct RedirectStep {
  std::string step{};  // "Query", "Redirect", "Counters", "Listener", "Reply"
  std::string detail{};
  bool failed = false;

  friend bool operator==(const RedirectStep&, const RedirectStep&) = default;
};
struct RedirectWalk {
  std::string transport{};  // "udp", "tcp"
  std::string server{};
  std::vector<RedirectStep> steps{};

  friend bool operator==(const RedirectWalk&, const RedirectWalk&) = default;
};
struct RedirectResult {
  std::vector<RedirectWalk> walks{};

  friend bool operator==(const RedirectResult&, const RedirectResult&) = default;
};
std::string encode(const RedirectResult& result);
Result<RedirectResult> decode_redirect(std::string_view result);

// dns_flush.
struct DnsFlushParams {
  std::string name{};  // empty: everything

  friend bool operator==(const DnsFlushParams&, const DnsFlushParams&) = default;
};
std::string encode(const DnsFlushParams& params);
Result<DnsFlushParams> decode_dns_flush(std::string_view params);

struct DnsFlushResult {
  uint64_t entries = 0;  // that were forgotten

  friend bool operator==(const DnsFlushResult&, const DnsFlushResult&) = default;
};
std::string encode(const DnsFlushResult& result);
Result<DnsFlushResult> decode_dns_flushed(std::string_view result);

// dns_query.
struct DnsQueryParams {
  std::string name{};  // or an address: then its reverse name is meant
  std::string type{};  // "AAAA", "TYPE65"; empty: A, of an address PTR
  bool tcp = false;

  friend bool operator==(const DnsQueryParams&, const DnsQueryParams&) = default;
};
std::string encode(const DnsQueryParams& params);
Result<DnsQueryParams> decode_dns_query(std::string_view params);

struct DnsRecordItem {
  std::string name{};
  uint64_t ttl = 0;
  std::string type{};
  std::string data{};

  friend bool operator==(const DnsRecordItem&, const DnsRecordItem&) = default;
};
// Times in microseconds since the query.
struct DnsAttemptItem {
  std::string server{};
  uint64_t sent = 0;
  uint64_t took = 0;
  // "answered", "refused", "unusable", "no reply", "unreachable", "not waited for"
  std::string outcome{};

  friend bool operator==(const DnsAttemptItem&, const DnsAttemptItem&) = default;
};
struct DnsTraceItem {
  std::string local{};  // "zone", "special", "refused"; empty: not ours
  std::string zone{};
  std::string wanted{};   // what was asked upstream; empty: nothing
  std::string source{};   // "match", "primary", "original"; empty: nobody
  std::string domain{};   // of "match"
  bool fell = false;      // its servers are dead, the original ones took their place
  bool shared = false;    // the question was in flight already, for somebody else
  bool withheld = false;  // the answer held addresses its source must not say
  std::string cache{};    // "hit", "miss", "stale"; empty: not looked at
  std::vector<DnsAttemptItem> attempts{};
  uint64_t took = 0;

  friend bool operator==(const DnsTraceItem&, const DnsTraceItem&) = default;
};
struct DnsErrorItem {  // RFC 8914
  uint64_t code = 0;
  std::string text{};

  friend bool operator==(const DnsErrorItem&, const DnsErrorItem&) = default;
};
struct DnsQueryResult {
  std::string name{};  // as it was asked
  std::string type{};
  std::string status{};              // "NOERROR", "NXDOMAIN", …
  std::vector<std::string> flags{};  // "aa", "rd", …
  uint64_t size = 0;                 // bytes of the reply
  std::vector<DnsRecordItem> answer{}, authority{}, additional{};
  uint64_t left_out = 0;  // records beyond what is shown
  std::vector<DnsErrorItem> errors{};
  DnsTraceItem trace{};

  friend bool operator==(const DnsQueryResult&, const DnsQueryResult&) = default;
};
std::string encode(const DnsQueryResult& result);
Result<DnsQueryResult> decode_dns_queried(std::string_view result);

}  // namespace wigeon
