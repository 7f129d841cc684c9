# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Sourced by the scripts beside it: elapsed time, steps that can be interrupted, one clear line
# on failure. Sets $root (the tree) and $logs (build/log).
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
logs=$root/build/log
self=scripts/$(basename "$0")
job=
heart=
exec {out}>&1
exec {tick}<> <(:) # nothing ever comes from here: a sleep without a process

# False when it could not wait.
pause() {
  local status=0
  read -r -t "$1" -u "$tick" _ || status=$?
  [ "$status" -gt 128 ]
}
say() { printf '[%4d s] %s\n' "$SECONDS" "$*"; }
die() {
  printf '%s: %s\n' "$self" "$*" >&2
  exit 1
}

# run CMD…: in a process group of its own, which is ended when we are.
run() {
  local status=0
  set -m
  (
    exec {out}>&- {tick}>&-
    "$@"
  ) </dev/null &
  job=$!
  set +m
  wait "$job" || status=$?
  job=
  return "$status"
}

# step NAME CMD…: as run, its output in build/log/NAME.log; the end of that when it fails.
step() {
  local name=$1 log=$logs/$1.log
  shift
  mkdir -p "$logs"
  : >"$log"
  beat "$log" &
  heart=$!
  disown # nobody waits for it: in a trap, bash may then wait for the job instead
  local status=0
  run "$@" >"$log" 2>&1 || status=$?
  stop_beat
  [ "$status" -eq 0 ] && return
  printf '%s\n' "--- end of ${log#"$root"/} ---" >&2
  { grep -v '^\[[0-9]*/[0-9]*\]' "$log" || true; } | tail -n 40 >&2
  die "$name failed; all of it is in ${log#"$root"/}"
}

# A line now and then, so that a long step is seen to live.
beat() {
  while pause 15; do printf '[%4d s]   %.100s\n' "$SECONDS" "$(tail -n 1 "$1")"; done
}
stop_beat() {
  if [ -n "$heart" ]; then kill "$heart" 2>/dev/null || true; fi
  heart=
}

end_job() {
  [ -n "$job" ] || return 0
  local tries=0
  # As the terminal would: what runs cleans up on SIGINT.
  kill -INT -- "-$job" 2>/dev/null || return 0
  while kill -0 -- "-$job" 2>/dev/null; do
    tries=$((tries + 1))
    case $tries in
      50) kill -TERM -- "-$job" 2>/dev/null || true ;;
      150) kill -KILL -- "-$job" 2>/dev/null || true ;;
      160) break ;;
    esac
    pause 0.1 || break
  done
  job=
}
interrupted() {
  trap '' INT TERM HUP
  stop_beat
  end_job
  say "interrupted" >&"$out" # stdout is a log while a step runs
  exit "$1"
}
trap 'interrupted 130' INT
trap 'interrupted 143' TERM HUP

# build PRESET [TARGET…]
build() {
  local preset=$1 flags=()
  shift
  if command -v ccache >/dev/null; then
    flags=(-DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
  fi
  say "configure $preset"
  step "configure-$preset" cmake -S "$root" --preset "$preset" "${flags[@]}"
  say "build $preset"
  step "build-$preset" cmake --build "$root/build/$preset" ${1+--target "$@"}
}
