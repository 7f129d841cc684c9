# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# For tests of the whole daemon beside each manager of a host's DNS. The host's own server knows
# example.net; the names of the map are ours.
#
# A test says how the host looks and then calls `as_every_host_does`:
#   manager="NAME"          what `status` calls the manager
#   host_dns                prints everything of the host's DNS that must be as before
#   restart                 restarts the manager (optional)
# shellcheck source=tests/vm/dns.sh
. /mnt/in/tests/vm/dns.sh
manager=""

names_up() {
  uplink_up
  dns_server up 192.0.2.53 in_up --host-record=www.example.net,203.0.113.7,300 \
    --host-record=db.corp.test,10.9.8.7
}

daemon() {
  wigeond >> "$VM_OUT/wigeond.txt" 2>&1 &
  daemon_pid=$!
  _background+=("$daemon_pid")
  wait_for 30 wigeon version --daemon
}
kill_daemon() {
  kill "-$1" "$daemon_pid"
  wait "$daemon_pid" || :
}

end_daemon() {
  kill_daemon TERM
  wigeon state delete daemon_state > /dev/null
}

# MEMBERS: of the map's DNSConfig besides ServiceEnable.
map() {
  serial=$((serial + 1))
  cat > "$VM_OUT/map.json" << JSON
{"Serial": "$serial", "peerConfig": {"address": "100.64.0.1/16",
 "address_v6": "fd00:6400::1/64", "fqdn": "guest.wigeon.test"},
 "remotePeers": [{"wgPubKey": "$(key_of far | wg pubkey)", "fqdn": "far.wigeon.test",
  "allowedIps": ["100.64.0.2/32", "fd00:6400::2/128"]}],
 "DNSConfig": {"ServiceEnable": true, "NameServerGroups": [${1-}]}}
JSON
  mv "$VM_OUT/map.json" /etc/wigeon/network_map.json
}
serial=0
told() { wigeon status --json | jq -e --arg m "$manager" '.dns.manager == $m and .dns.applied and .degraded == []' > /dev/null; }
answers_ours() { resolves far.wigeon.test 100.64.0.2; }

# back SENTENCE: our names come back after what was just done.
back() {
  local started=$EPOCHREALTIME
  ok "$1: our names are back" wait_for 30 answers_ours
  say "after $(((${EPOCHREALTIME/./} - ${started/./}) / 1000)) ms"
}

# rounds SENTENCE BREAK WELL: what BREAK does is put right until WELL, as often as
# $WIGEON_ROUNDS says (G21: 200, natively); how long that took, in milliseconds.
rounds() {
  local i started times=()
  for ((i = 0; i < ${WIGEON_ROUNDS:-3}; ++i)); do
    "$2"
    started=${EPOCHREALTIME/./}
    wait_for 10 "$3" || break
    times+=($(((${EPOCHREALTIME/./} - started) / 1000)))
  done
  equal "$1: our names are back each time" "${WIGEON_ROUNDS:-3}" "${#times[@]}"
  mapfile -t times < <(printf '%s\n' "${times[@]}" | sort -n)
  say "$1: ${#times[@]} rounds, ${times[${#times[@]} / 2]} ms median," \
    "${times[(${#times[@]} * 99 - 1) / 100]} ms p99, ${times[-1]} ms at most"
}

# How often the host's server was asked for our names.
asked_above() { grep -c 'query.* [^ ]*wigeon.test ' "$VM_OUT/up.txt" || :; }

as_every_host_does() {
  mkdir -p /etc/wigeon
  echo '{"dns": {"redirect": "bind"}}' > /etc/wigeon/config.json
  map
  ok "before: a public name is found" wait_for 30 resolves www.example.net 203.0.113.7
  ok "before: ours is not" resolves far.wigeon.test ""
  before=$(host_dns)

  daemon
  ok "up" wigeon up --wait --timeout 60
  ok "the manager is $manager, and nothing is degraded" wait_for 30 told
  # Whoever was told may take a moment to tell those who ask.
  ok "a peer's name is found" wait_for 30 answers_ours
  asked=$(asked_above)
  equal "and again" 100.64.0.2 "$(lookup far.wigeon.test)"
  equal "and over IPv6" fd00:6400::2 "$(getent ahostsv6 far.wigeon.test | sed -n '1s/ .*//p')"
  contains "its address has its name" far.wigeon.test "$(getent hosts 100.64.0.2)"
  equal "a public name is found" 203.0.113.7 "$(lookup www.example.net)"
  ok "a name nobody has is not" resolves missing.wigeon.test ""
  equal "ours were not asked of the host's server" "$asked" "$(asked_above)"

  map '{"NameServers": [{"IP": "192.0.2.53", "NSType": 1, "Port": 53}], "Domains": ["corp.test"]}'
  ok "a nameserver group answers for its domain" wait_for 30 resolves db.corp.test 10.9.8.7
  map

  if [ "$(type -t restart)" = function ]; then
    restart
    back "the manager was restarted"
    equal "public names too" 203.0.113.7 "$(lookup www.example.net)"
  fi

  kill_daemon KILL
  ok "the daemon was killed: public names are found" resolves www.example.net 203.0.113.7
  ok "what it told the host is taken back without it" wigeond --restore-dns
  equal "and the host's DNS is as before" "$before" "$(host_dns)"
  daemon
  back "the daemon was started again"

  kill_daemon KILL
  daemon
  ok "killed and started at once: told" wait_for 30 told
  back "killed and started at once"
  kill_daemon TERM
  equal "the daemon was ended: the host's DNS is as before" "$before" "$(host_dns)"
  daemon
  back "the daemon was started again"
  ok "down" wigeon down
  equal "the host's DNS is as before" "$before" "$(host_dns)"
  equal "a public name is found" 203.0.113.7 "$(lookup www.example.net)"
  equal "nothing is in the journal" "" "$(wigeon state list | grep dns_state || :)"
  end_daemon
}
