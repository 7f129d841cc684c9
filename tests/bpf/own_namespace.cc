// SPDX-License-Identifier: GPL-2.0-or-later
#define CATCH_CONFIG_EXTERNAL_INTERFACES
#include "tests/bpf/own_namespace.hh"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>

#include <catch2/catch.hpp>
#include <cstdio>
#include <cstring>
#include <vector>

#include "tests/harness/temp_dir.hh"

namespace wigeon::test {
namespace {

std::string mounted;

void enter() {
  if (::geteuid() != 0) skip("root");
  if (::unshare(CLONE_NEWNET | CLONE_NEWNS) != 0) skip("CAP_SYS_ADMIN (unshare)");
  if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
    skip("CAP_SYS_ADMIN (mount)");
  static const TempDir folder;
  if (::mount("bpf", folder.path().c_str(), "bpf", 0, "mode=0700") != 0)
    skip("BPF file system (bpffs)");
  mounted = folder.path();
  if (::access("/dev/net/tun", R_OK | W_OK) != 0) skip("/dev/net/tun");
}

struct OwnNamespace : Catch::TestEventListenerBase {
  using TestEventListenerBase::TestEventListenerBase;
  void testRunStarting(const Catch::TestRunInfo&) override { enter(); }
  void testRunEnded(const Catch::TestRunStats&) override {
    ::umount2(mounted.c_str(), MNT_DETACH);
  }
};
CATCH_REGISTER_LISTENER(OwnNamespace)

}  // namespace

const std::string& bpffs() { return mounted; }

void skip(const std::string& missing) {
  std::printf("SKIP: needs %s\n", missing.c_str());
  std::fflush(stdout);
  std::_Exit(77);
}

Tun::Tun(const std::string& name) : fd_(::open("/dev/net/tun", O_RDWR | O_CLOEXEC)) {
  REQUIRE(fd_);
  ifreq request{};
  name.copy(request.ifr_name, IFNAMSIZ - 1);
  request.ifr_flags = IFF_TUN;
  REQUIRE(::ioctl(fd_.get(), TUNSETIFF, &request) == 0);
  const UniqueFd any(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  request.ifr_flags = IFF_UP;
  REQUIRE(::ioctl(any.get(), SIOCSIFFLAGS, &request) == 0);
  index_ = static_cast<IfIndex>(::if_nametoindex(name.c_str()));
}

void Tun::arrive(std::span<const uint8_t> packet) const {
  // The protocol is said by us: only so does TUN take packets that are no IP.
  const tun_pi header{.flags = 0, .proto = htons(ETH_P_IP)};
  std::vector<uint8_t> frame(sizeof(header) + packet.size());
  std::memcpy(frame.data(), &header, sizeof(header));
  if (!packet.empty())
    std::memcpy(frame.data() + sizeof(header), packet.data(), packet.size());
  REQUIRE(::write(fd_.get(), frame.data(), frame.size()) ==
          static_cast<ssize_t>(frame.size()));
}

}  // namespace wigeon::test
