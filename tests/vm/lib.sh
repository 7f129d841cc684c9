# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# For tests that are bash scripts: hosts as network namespaces, conditions to wait for, and
# "ok"/"not ok" lines. A command that fails unexpectedly ends the test as failed.
#
#   . /mnt/in/lib.sh
#   host a; host b
#   join a 192.0.2.1/24 b 192.0.2.2/24
#   in_a ip link add wg0 type wireguard        # printed, then run
#   ok "a reaches b" in_a ping -c1 -W2 192.0.2.2
#   wait_for 5 in_a ip link show up dev wg0
set -Eeuo pipefail

_count=0
_failures=0
_hosts=()
_background=()
_at_end=()
exec {_never}<> <(:) # a pipe in which nothing ever comes: reading it with a limit sleeps

say() { printf '# %s\n' "$*"; }

_result() { # WORD SENTENCE
  _count=$((_count + 1))
  printf '%s %d - %s\n' "$1" "$_count" "$2"
  [ "$1" = ok ] || _failures=$((_failures + 1))
}

# ok SENTENCE COMMAND…: what the command prints is shown only when it fails.
ok() {
  local sentence=$1 said status=0
  shift
  said=$("$@" 2>&1) || status=$?
  if [ "$status" = 0 ]; then
    _result ok "$sentence"
  else
    _result "not ok" "$sentence"
    say "$* ended with $status"
    [ -z "$said" ] || printf '%s\n' "$said" | sed 's/^/#   /'
  fi
}

fails() { ! "$@"; }

# equal SENTENCE WANTED GOT
equal() {
  if [ "$2" = "$3" ]; then
    _result ok "$1"
  else
    _result "not ok" "$1"
    say "wanted: $2"
    say "got:    $3"
  fi
}

# contains SENTENCE WANTED TEXT
contains() {
  if [[ $3 == *"$2"* ]]; then
    _result ok "$1"
  else
    _result "not ok" "$1"
    say "wanted in it: $2"
    say "got: $3"
  fi
}

skip() {
  printf '1..0 # SKIP %s\n' "$*"
  exit 77
}

# need COMMAND…: skips the test when one of them is not there.
need() {
  local tool
  for tool; do
    command -v "$tool" > /dev/null || skip "$tool is not there"
  done
}

# wait_for SECONDS COMMAND…
wait_for() {
  local seconds=$1 end=$((SECONDS + $1)) said
  shift
  until said=$("$@" 2>&1); do
    if ((SECONDS > end)); then
      say "waited $seconds s in vain for: $*"
      [ -z "$said" ] || printf '%s\n' "$said" | sed 's/^/#   /'
      return 1
    fi
    read -rt 0.05 -u "$_never" || :
  done
}

# background COMMAND…: runs until the test ends.
background() {
  say "$* &"
  "$@" &
  _background+=("$!")
}

# at_end COMMAND: a line of shell that runs when the test ends, the last one first.
at_end() { _at_end=("$1" "${_at_end[@]}"); }

# host NAME: a network namespace, and the function in_NAME that prints and runs a command there.
host() {
  ip netns add "t$$-$1"
  _hosts+=("$1")
  eval "in_$1() { _in $1 \"\$@\"; }"
  ip -n "t$$-$1" link set lo up
}

_in() {
  local name=$1
  shift
  printf '%s# %s\n' "$name" "$*" >&2
  ip netns exec "t$$-$name" "$@"
}

# join A ADDRESS/LENGTH B ADDRESS/LENGTH: a wire; its ends are called to_B and to_A.
join() {
  ip link add "to_$3" netns "t$$-$1" type veth peer name "to_$1" netns "t$$-$3"
  ip -n "t$$-$1" address add "$2" dev "to_$3"
  ip -n "t$$-$3" address add "$4" dev "to_$1"
  ip -n "t$$-$1" link set "to_$3" up
  ip -n "t$$-$3" link set "to_$1" up
}

# Whatever requires resolved is restarted with it, and in a guest what runs this is.
keep_agent() {
  local unit
  for unit in test-agent.service test-guest.target; do
    [ -L /etc/systemd/system/$unit ] || sed -i '/^Requires=/d' /etc/systemd/system/$unit
  done
  systemctl daemon-reload
}

# key_of NAME: a WireGuard private key that every host can derive, for tests in which two hosts
# cannot speak before the tunnel is up.
key_of() {
  printf 'private key of %s in a test' "$1" | sha256sum |
    perl -ne '/^(\w{64})/ and print pack("H*", $1)' | base64
}

_finish() {
  local status=$? pid name command
  trap - EXIT ERR
  for command in "${_at_end[@]}"; do eval "$command" || :; done
  for pid in "${_background[@]}"; do kill "$pid" 2> /dev/null || :; done
  for name in "${_hosts[@]}"; do ip netns delete "t$$-$name" || :; done
  [ "$status" != 77 ] || exit 77
  [ "$status" = 0 ] || _result "not ok" "the test ran to its end (status $status)"
  printf '1..%d\n' "$_count"
  ((_failures == 0)) || exit 1
  exit 0
}
trap _finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'say "${BASH_SOURCE[0]##*/}:$LINENO: $BASH_COMMAND: status $?"' ERR
