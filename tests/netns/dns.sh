#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
#   ┌─ alpha ──────────────────┐  192.0.2.0/24   ┌─ beta ────────────────────┐
#   │ wigeond, resolver        │ eth0 ───── eth0 │ dnsmasq 192.0.2.2:53      │
#   │ 100.64.0.1:53            │ .1           .2 │ (up.example, big.example) │
#   └──────────────────────────┘                 └───────────────────────────┘
#
# `wigeon dns` and the nameserver lines of `wigeon status`, with a group that answers and one
# whose servers are dead (192.0.2.9 and .10 are nobody).
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"
for tool in jq dig dnsmasq; do command -v $tool >/dev/null || skip "needs $tool"; done

hosts_with_maps
words=$(for ((i = 0; i < 12; i++)); do printf ',%0200d' "$i"; done)
host_start beta "$logs/dnsmasq.log" dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv \
  --no-hosts --user=root --pid-file= --bind-interfaces --listen-address=192.0.2.2 \
  --address=/up.example/203.0.113.7 --address=/evil.example/127.0.0.9 "--txt-record=big.example$words"
upstream_there() { [ "$(host_run alpha dig +short +time=1 +tries=1 @192.0.2.2 x.up.example)" = 203.0.113.7 ]; }
wait_for 10 upstream_there

jq '.DNSConfig.ServiceEnable = true | .DNSConfig.NameServerGroups = [
    {NameServers: [{IP: "192.0.2.2", NSType: 1, Port: 53}], Domains: ["up.example", "big.example"]},
    {NameServers: [{IP: "192.0.2.9", NSType: 1, Port: 53}, {IP: "192.0.2.10", NSType: 1, Port: 53}],
     Domains: ["dead.example"]},
    {NameServers: [{IP: "192.0.2.2", NSType: 1, Port: 53}], Primary: true}]' \
  "$work/maps/alpha.json" >"$work/alpha.json"
put_map alpha "$work/alpha.json"
check_exit 3 "dns query without a daemon" host_run alpha wigeon dns query beta.wigeon.example
daemon_start alpha
check "alpha is up" host_run alpha wigeon up --wait --timeout 15

# --- query

check_exit 0 "a peer's name" host_run alpha wigeon dns query beta.wigeon.example --trace
check_said "it is answered" "$(printf 'beta.wigeon.example.\t300\tIN\tA\t100.64.0.2')"
check_said "by our zone" "zone wigeon.example. answers"
check_exit 0 "an address" host_run alpha wigeon dns query 100.64.0.2
check_said "is its reverse name" "beta.wigeon.example."
check_exit 10 "a peer that does not exist" host_run alpha wigeon dns query gamma.wigeon.example
check_said "is NXDOMAIN" "NXDOMAIN"
check_exit 2 "no such type" host_run alpha wigeon dns query beta.wigeon.example NOTYPE
check_exit 2 "no name" host_run alpha wigeon dns query 'a..b'

check_exit 0 "a name of a group" host_run alpha wigeon dns query www.up.example --trace
check_said "is answered by it" "$(printf 'www.up.example.\t0\tIN\tA\t203.0.113.7')"
check_said "which is said" "asked: the nameserver group of up.example."
check_said "with its server" "192.0.2.2:53: sent after"
check_exit 0 "a long answer over UDP" host_run alpha wigeon dns query big.example TXT
check_said "is asked for again over TCP" "asked again over TCP"
check_said "and comes whole" "000000000011"
check_exit 0 "one over TCP" host_run alpha wigeon dns query big.example TXT --tcp
check_exit 0 "an answer with a loopback address" host_run alpha wigeon dns query evil.example --trace
check_said "is withheld" "the answer held addresses that its source must not say"
trace_of() { host_run alpha wigeon dns query "$1" --json || true; }
trace_is() { # NAME JQ-EXPRESSION
  trace_of "$1" | jq -e "$2" >/dev/null
}
check "the trace is in the JSON" trace_is evil.example '
  .status == "NOERROR" and .trace.source == "primary" and .trace.attempts[0].server == "192.0.2.2:53" and
  .trace.attempts[0].outcome == "answered" and .trace.tookMicroseconds >= .trace.attempts[0].tookMicroseconds'

# --- a dead group, in both forms of status

check "all groups are available at first" status_is alpha '.dnsServers | map(.enabled) == [true, true, true]'
check "servers of a group are asked one after the other" trace_is h1.dead.example '
  .status == "SERVFAIL" and .trace.domain == "dead.example." and (.trace.attempts | length) == 2'
group_dead() {
  trace_of again.dead.example >/dev/null
  status_is alpha '.dnsServers[1] | (.enabled | not) and .error != ""'
}
check "a group that is dead is said to be" wait_for 20 group_dead
check "status counts them" host_run alpha wigeon status
check_said "as NetBird does" "Nameservers: 2/3 Available"
check "status -d lists them" host_run alpha wigeon status -d
check_said "available ones" "  [192.0.2.2:53] for [up.example, big.example] is Available"
check_said "and dead ones" "  [192.0.2.9:53, 192.0.2.10:53] for [dead.example] is Unavailable, reason: "

# --- dns status

check "dns status" host_run alpha wigeon dns status
check_said "it has the group" "  [dead.example]: unhealthy, reason: "
check_said "the listeners" "  udp 100.64.0.1:53: "
check_said "the zones" "  wigeon.example: "
check_said "and the reverse ones" "  64.100.in-addr.arpa: "
check "the zone that we probe is not shown" sh -c "! grep -q wigeon.invalid $work/out"
dns_is() { host_run alpha wigeon dns status --json | jq -e "$1" >/dev/null; }
check "dns status --json" dns_is '
  .groups[0].health == "healthy" and .groups[0].servers[0].replies >= 3 and
  .groups[0].servers[0].latency > 0 and .groups[1].health == "unhealthy" and
  .groups[1].servers[0].failures >= 1 and .groups[-1].original and
  (.zoneList | any(.domain == "wigeon.example" and .records >= 4)) and
  (.zoneList | any(.domain == "64.100.in-addr.arpa" and .generated and .records == 3)) and
  .queries.total > 5 and (.sandbox | length) > 0'
same() { jq -c '.zoneList, (.groups | map(.domains))'; }
check "it is what status has" equal "$(host_run alpha wigeon dns status --json | same)" \
  "$(status_json alpha | jq .dns | same)"

# --- flush

check_exit 0 "a flush of everything" host_run alpha wigeon dns flush
check_said "says what it forgot" "Flushed "
check_exit 0 "one of a name" host_run alpha wigeon dns flush www.up.example
check_exit 2 "one of no name" host_run alpha wigeon dns flush 'a..b'

# --- more groups than a packet tells of

jq '.DNSConfig.NameServerGroups = [range(900) | {NameServers: [{IP: "192.0.2.2", NSType: 1, Port: 53}],
    Domains: ["d\(.).example"]}]' "$work/alpha.json" >"$work/many.json"
put_map alpha "$work/many.json"
many() { dns_is '(.groups | length) == 901 and .groups[899].servers[0].server == "192.0.2.2:53" and .queries.total > 5'; }
check "900 groups are told of" wait_for 10 many
check_exit 1 "and asked, which refuses" host_run alpha wigeon dns query x.d899.example --trace
check_said "each for its domain" "asked: the nameserver group of d899.example."

# --- no resolver

resolver=$(pgrep -x wigeon-resolver --ns "${host_pid[alpha]}" --nslist pid | head -1)
kill -STOP "$resolver"
check_exit 5 "a resolver that hangs is a time-out" host_run alpha wigeon dns flush
check_exit 0 "and status does not wait for it" host_run alpha wigeon dns status
kill -CONT "$resolver"
check "down" host_run alpha wigeon down
check_exit 6 "without a resolver a query is degraded" host_run alpha wigeon dns query beta.wigeon.example
check_said "which is said" "no resolver runs"
