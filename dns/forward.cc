// SPDX-License-Identifier: GPL-2.0-or-later
#include "dns/forward.hh"

namespace wigeon::dns {
namespace {

constexpr uint16_t kForwardedFlags = flag::kRd | flag::kAd | flag::kCd;

// The query we send: nothing of the client's but its question and three flags. OPT comes
// last and has no options, as c-ares expects where it repeats a query without EDNS.
std::vector<uint8_t> make_query(const Question& q, uint16_t id, uint16_t flags,
                                bool dnssec_ok) {
  std::vector<uint8_t> bytes(kHeaderSize + kMaxName + 4 + kOptSize);
  Writer w(bytes);
  w.u16(id);
  w.u16(flags);
  for (const uint16_t count : std::initializer_list<uint16_t>{1, 0, 0, 1}) w.u16(count);
  w.name(q.name.wire());
  w.u16(q.type);
  w.u16(q.klass);
  write_opt(w, {.dnssec_ok = dnssec_ok});
  bytes.resize(w.size());
  return bytes;
}

// Everything that could change the reply; the id stays out.
std::string key_of(const Question& q, uint16_t flags, bool dnssec_ok) {
  const Name name = q.name.lowered();
  std::string key(name.wire().begin(), name.wire().end());
  for (const int v : {q.type >> 8, q.type & 255, q.klass >> 8, q.klass & 255, flags >> 8,
                      flags & 255, int{dnssec_ok}})
    key += static_cast<char>(v);
  return key;
}

bool is_reply_to(Bytes query, Bytes reply) {
  Reader q(query), r(reply);
  const auto asked = q.header();
  const auto said = r.header();
  if (!asked || !said || asked->id != said->id || !(said->flags & flag::kQr) ||
      (said->flags & flag::kOpcode) || said->questions != 1)
    return false;
  const auto want = q.question();
  const auto have = r.question();
  return want && have && *want == *have;
}

// The share of the time that each of n servers has.
std::chrono::milliseconds limit_for(size_t n) {
  if (n == 1) return std::chrono::seconds(4);
  return std::max<std::chrono::milliseconds>(
      std::chrono::seconds(2),
      std::chrono::duration_cast<std::chrono::milliseconds>(kForwardTimeout) / n);
}

bool is_refusal(Bytes reply) {
  const int code = reply[3] & flag::kRcode;
  return code == rcode::kServFail || code == rcode::kRefused;
}

}  // namespace

Result<void> Forwarder::set_servers(std::vector<Endpoint> servers) {
  TRY(exchange_.set_servers(servers));
  servers_ = std::move(servers);
  return {};
}

void Forwarder::ask(const Question& question, uint16_t flags, bool dnssec_ok, Time now,
                    Reply reply) {
  flags &= kForwardedFlags;
  const auto refuse = [&](Failure why) {
    ++counters_.failed;
    reply({}, why);
  };
  if (servers_.empty()) return refuse(Failure::no_servers);
  if (waiting_ == kMaxInFlight) return refuse(Failure::too_many);
  std::string key = key_of(question, flags, dnssec_ok);
  if (const auto known = by_key_.find(key); known != by_key_.end()) {
    ++counters_.shared;
    ++waiting_;
    flights_.at(known->second).askers.push_back(std::move(reply));
    return;
  }
  const uint64_t number = next_++;
  Flight& flight = flights_[number];
  flight.query = make_query(question, random_.u16(), flags, dnssec_ok);
  flight.deadline = now + kForwardTimeout;
  flight.askers.push_back(std::move(reply));
  flight.key = key;
  by_key_.emplace(std::move(key), number);
  ++waiting_;
  ++counters_.sent;
  flight.servers = servers_;
  try_next(number);
}

void Forwarder::try_next(uint64_t number) {
  const auto at = flights_.find(number);
  if (at == flights_.end()) return;  // expired
  Flight& flight = at->second;
  if (flight.tried == flight.servers.size()) return land(number, Bytes(flight.refusal));
  const Endpoint server = flight.servers[flight.tried++];
  const auto query = flight.query;  // a reply within send() ends the flight
  exchange_.send(server, query, Transport::udp, limit_for(flight.servers.size()),
                 [this, number](const Outcome& o) { on_outcome(number, o); });
}

void Forwarder::on_outcome(uint64_t number, const Outcome& outcome) {
  const auto at = flights_.find(number);
  if (at == flights_.end()) return;
  Flight& flight = at->second;
  const bool good =
      outcome.end == Outcome::End::replied && is_reply_to(flight.query, outcome.reply);
  if (good && !is_refusal(outcome.reply)) return land(number, outcome.reply);
  if (good) flight.refusal.assign(outcome.reply.begin(), outcome.reply.end());
  try_next(number);
}

void Forwarder::land(uint64_t number, Bytes reply) {
  const auto at = flights_.find(number);
  if (at == flights_.end()) return;  // expired before
  Flight flight = std::move(at->second);
  flights_.erase(at);
  by_key_.erase(flight.key);
  waiting_ -= flight.askers.size();
  const bool good = !reply.empty() && is_reply_to(flight.query, reply);
  if (!good) counters_.failed += flight.askers.size();
  for (auto& asker : flight.askers)
    asker(good ? reply : Bytes{}, good ? Failure::none : Failure::no_reply);
}

void Forwarder::expire(Time now) {
  while (!flights_.empty() && flights_.begin()->second.deadline <= now)
    land(flights_.begin()->first, {});
}

std::optional<Forwarder::Time> Forwarder::deadline() const {
  if (flights_.empty()) return std::nullopt;
  return flights_.begin()->second.deadline;
}

}  // namespace wigeon::dns
