// SPDX-License-Identifier: GPL-2.0-or-later
// Hears of changes to WireGuard devices, for `run`. A line for each wake-up:
//
//   changed 1 by wg at 1700000000000, 0 peers
//
// with the time in milliseconds, and what is in wt0 then. Obeys a word a line: "set"
// changes wt0 itself, "family" asks for WireGuard's number anew, "counts" prints them.
#include <net/if.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <poll.h>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <string>

#include "bpf/tunnel_watch.hh"
#include "netlink/wireguard.hh"

using namespace wigeon;
using bpf::TunnelWatch;

namespace {

constexpr const char* kDevice = "wt0";

int refused(const Error& error) {
  std::cout << "error " << ::strerrorname_np(error.code) << ": " << error.what
            << std::endl;
  return 1;
}

// 0 when there is none; loads the module.
uint16_t family() {
  const Owned<nl_sock, nl_socket_free> socket(::nl_socket_alloc());
  if (::genl_connect(socket.get()) < 0) return 0;
  return static_cast<uint16_t>(
      std::max(0, ::genl_ctrl_resolve(socket.get(), "wireguard")));
}

Result<ObservedDevice> look() {
  auto wireguard = TRY(netlink::WireGuard::open());
  return wireguard.get(kDevice);
}

Result<void> set() {
  DeviceChange change{};
  change.fwmark = 7;
  auto wireguard = TRY(netlink::WireGuard::open());
  return wireguard.set(static_cast<IfIndex>(::if_nametoindex(kDevice)), change);
}

void tell(TunnelWatch& watch) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto changes = watch.drain();
  const auto device = look();
  if (!changes) {
    refused(changes.error());
    return;
  }
  std::cout << "changed " << changes->count << " by "
            << (changes->last ? changes->last->command : "?") << " at "
            << std::chrono::duration_cast<std::chrono::milliseconds>(now).count() << ", ";
  if (device)
    std::cout << device->peers.size() << " peers" << std::endl;
  else
    std::cout << device.error().what << std::endl;
}

Result<void> obey(const std::string& word, TunnelWatch& watch) {
  if (word == "set") return set();
  if (word == "family") {
    watch.set_family(family());
    return {};
  }
  if (word == "counts") {
    for (const auto reason : {WG_SET_OWN, WG_SET_ELSEWHERE, WG_SET_FOREIGN})
      std::cout << TRY(watch.count(reason)) << " ";
    std::cout << "own, elsewhere, foreign" << std::endl;
    return {};
  }
  return fail(EINVAL, word);
}

}  // namespace

int main() {
  auto watch = TunnelWatch::open(family());
  if (!watch) return refused(watch.error());
  std::cout << "ready" << std::endl;
  for (;;) {
    pollfd any[] = {{.fd = watch->fd(), .events = POLLIN, .revents = 0},
                    {.fd = 0, .events = POLLIN, .revents = 0}};
    if (::poll(any, 2, -1) < 0) return 1;
    if (any[0].revents) tell(*watch);
    if (!any[1].revents) continue;
    std::string word;
    if (!std::getline(std::cin, word)) return 0;
    if (const auto done = obey(word, *watch); !done)
      refused(done.error());
    else
      std::cout << word << " done" << std::endl;
  }
}
