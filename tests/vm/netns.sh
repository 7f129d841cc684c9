# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# For tests that run scripts of tests/netns on the kernel's WireGuard. Without `--full` they leave
# out what does not depend on who carries the tunnel: tests/netns shows it natively.
# Modules come with sysctls of their own: before a script's first picture of a host, not in between.
modprobe -qa overlay wireguard bridge nf_conntrack nft_chain_nat nft_compat
export WIGEON_BIN=/mnt/in/bin FULL=0
[ ! -e /mnt/in/full ] || FULL=1
export scripts=/mnt/in/tests/netns
