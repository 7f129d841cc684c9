// SPDX-License-Identifier: GPL-2.0-or-later
//   this namespace          another one
//   wga 10.77.0.1 ~~~~~~~~~ wgb 10.77.0.2      two wireguard-go
//   ua 198.51.100.1 ------- ub 198.51.100.2    veth
#include <sys/wait.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include "netlink/addr.hh"
#include "netlink/tunnel.hh"
#include "netlink/uapi_client.hh"
#include "netlink/wireguard_go.hh"
#include "tests/netns/netlink_namespace.hh"

using namespace wigeon;
using namespace wigeon::netlink;
using namespace std::chrono_literals;

namespace {

struct Needs {
  Needs() {
    if (!wireguard_go::find_program()) skip("wireguard-go is not installed");
    if (::access("/dev/net/tun", F_OK) != 0) skip("no /dev/net/tun");
  }
};
const Needs needs;

class Namespace {
 public:
  static UniqueFd current() {
    return UniqueFd(::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
  }
  static void enter(const UniqueFd& ns) { REQUIRE(::setns(ns.get(), CLONE_NEWNET) == 0); }
  // A new one; we are in it afterwards.
  static UniqueFd make() {
    REQUIRE(::unshare(CLONE_NEWNET) == 0);
    run("ip link set lo up");
    return current();
  }
};

// Ends the process of a link at the end, in the namespace in which it was started.
struct Running {
  explicit Running(std::string name) : link(std::move(name)) {
    const auto started = wireguard_go::start(link);
    INFO((started ? "" : started.error().what));
    REQUIRE(started);
  }
  ~Running() {
    Namespace::enter(ns);
    (void)wireguard_go::stop(link);
  }
  std::string link;
  UniqueFd ns = Namespace::current();
};

bool wait_for(auto condition) {
  for (int i = 0; i < 500; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(20ms);
  }
  return false;
}

// Processes of that name here, by /proc.
std::vector<pid_t> processes(const std::string& link) {
  std::vector<pid_t> pids;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    std::ifstream in(entry.path() / "cmdline", std::ios::binary);
    const std::string line(std::istreambuf_iterator<char>(in), {});
    if (line == "wireguard-go" + std::string(1, '\0') + link + std::string(1, '\0'))
      pids.push_back(std::stoi(entry.path().filename()));
  }
  return pids;
}

}  // namespace

TEST_CASE("wireguard-go is started, found again, changed, and ended by its socket") {
  auto s = route_socket();
  REQUIRE(wireguard_go::check_running("wga").error().code == ENOENT);
  const Running wga("wga");
  CHECK(wireguard_go::check_running("wga"));
  CHECK(wireguard_go::start("wga"));  // the same one
  CHECK(processes("wga").size() == 1);
  CHECK(find_link(s, "wga").value()->kind == "tun");

  UserspaceTunnel tunnel(wireguard_go::socket_path("wga"));
  const auto key = SecretKey::generate();
  PeerChange peer{.public_key = SecretKey::generate().public_key(),
                  .preshared_key = SecretKey::generate(),
                  .endpoint = *Endpoint::parse("192.0.2.1:51820"),
                  .keepalive = 25,
                  .allowed_ips = std::vector{*Prefix::parse("10.0.0.0/8"),
                                             *Prefix::parse("fd00::/64")}};
  REQUIRE(tunnel.set(
      {.private_key = key, .listen_port = 51999, .fwmark = 0x1BD00, .peers = {peer}}));
  auto device = tunnel.get().value();
  CHECK(device.private_key == key);
  CHECK(device.public_key == key.public_key());
  CHECK(device.listen_port == 51999);
  CHECK(device.fwmark == 0x1BD00);
  REQUIRE(device.peers.size() == 1);
  CHECK(device.peers[0].peer == Peer{.public_key = peer.public_key,
                                     .preshared_key = *peer.preshared_key,
                                     .endpoint = peer.endpoint,
                                     .keepalive = 25,
                                     .allowed_ips = *peer.allowed_ips});

  peer.kind = PeerChange::Kind::update;
  peer.keepalive = 0;
  peer.allowed_ips = std::vector{*Prefix::parse("10.1.0.0/16")};
  const PeerChange nobody{.public_key = SecretKey::generate().public_key(),
                          .kind = PeerChange::Kind::update,
                          .keepalive = 1};
  REQUIRE(tunnel.set({.peers = {peer, nobody}}));
  device = tunnel.get().value();
  REQUIRE(device.peers.size() == 1);
  CHECK(device.peers[0].peer.keepalive == 0);
  CHECK(device.peers[0].peer.allowed_ips == peer.allowed_ips);
  REQUIRE(tunnel.set(
      {.peers = {{.public_key = peer.public_key, .kind = PeerChange::Kind::remove}}}));
  CHECK(tunnel.get().value().peers.empty());

  REQUIRE(wireguard_go::stop("wga"));
  CHECK_FALSE(find_link(s, "wga").value());
  CHECK(wait_for([] { return processes("wga").empty(); }));
  CHECK(wireguard_go::stop("wga"));
  CHECK(tunnel.get().error().code == ENOENT);
}

TEST_CASE("deleting the link ends wireguard-go and removes its socket") {
  auto s = route_socket();
  const Running wga("wga");
  REQUIRE(delete_link(s, find_link(s, "wga").value()->index));
  CHECK(
      wait_for([] { return wireguard_go::check_running("wga").error().code == ENOENT; }));
  CHECK(wait_for([] { return processes("wga").empty(); }));
}

TEST_CASE("it inherits nothing of ours") {
  const UniqueFd ours(::open("/dev/zero", O_RDONLY));  // without O_CLOEXEC
  const Running wga("wga");
  const auto pids = processes("wga");
  REQUIRE(pids.size() == 1);
  const auto proc = "/proc/" + std::to_string(pids[0]);
  size_t links = 0;
  for (const auto& fd : std::filesystem::directory_iterator(proc + "/fd")) {
    std::error_code gone;
    const auto target = std::filesystem::read_symlink(fd, gone).string();
    const auto number = fd.path().filename().string();
    if (number == "0" || number == "1" || number == "2") CHECK(target == "/dev/null");
    CHECK(target != "/dev/zero");
    ++links;
  }
  CHECK(links > 3);
  std::ifstream in(proc + "/environ", std::ios::binary);
  const std::string environment(std::istreambuf_iterator<char>(in), {});
  CHECK(environment.find("PATH=") == std::string::npos);
  CHECK(environment.starts_with("WG_"));
}

TEST_CASE("one that was killed is started anew over its stale socket") {
  {
    const Running wga("wga");
    const auto pids = processes("wga");
    REQUIRE(pids.size() == 1);
    REQUIRE(::kill(pids[0], SIGKILL) == 0);
    REQUIRE(wait_for(
        [] { return wireguard_go::check_running("wga").error().code == ECONNREFUSED; }));
    REQUIRE(wireguard_go::start("wga"));
    CHECK(wireguard_go::check_running("wga"));
  }
  CHECK(wireguard_go::check_running("wga").error().code == ENOENT);
}

TEST_CASE("a name that is taken is refused in wireguard-go's own words") {
  auto s = route_socket();
  const Veth veth(s, "wga");
  const auto refused = wireguard_go::start("wga");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().what.starts_with("wireguard-go: Failed to create TUN device"));
  CHECK(wireguard_go::start("../wga").error().code == EINVAL);
}

TEST_CASE("one of another namespace is neither adopted nor ended") {
  const auto here = Namespace::current();
  const Running wga("wga");
  {
    const auto there = Namespace::make();
    CHECK(wireguard_go::start("wga").error().code == EADDRINUSE);
    CHECK(wireguard_go::stop("wga"));
    Namespace::enter(here);
  }
  CHECK(wireguard_go::check_running("wga"));
}

TEST_CASE("without /dev/net/tun it says so") {
  const pid_t pid = ::fork();
  REQUIRE(pid >= 0);
  if (pid == 0) {
    if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/dev", "tmpfs", 0, nullptr) != 0)
      ::_exit(1);
    const auto r = wireguard_go::start("wga");
    ::_exit(!r && r.error().code == ENOENT && r.error().what == "there is no /dev/net/tun"
                ? 0
                : 2);
  }
  int status = -1;
  REQUIRE(::waitpid(pid, &status, 0) == pid);
  CHECK(status == 0);
}

TEST_CASE("two of them shake hands over a veth") {
  const auto here = Namespace::current();
  auto s = route_socket();
  const auto there = Namespace::make();
  auto s_there = route_socket();
  Namespace::enter(here);
  run("ip link add ua type veth peer name ub");
  run("ip link set ub netns /proc/" + std::to_string(::getpid()) + "/fd/" +
      std::to_string(there.get()));

  struct Side {
    Socket& socket;
    const UniqueFd& ns;
    uint16_t keepalive;
    const char *uplink, *link, *outer, *inner;
    SecretKey key = SecretKey::generate();
    // Only the second speaks first: who speaks to nobody tries again after 5 s.
  } a{s, here, 0, "ua", "wga", "198.51.100.1", "10.77.0.1"},
      b{s_there, there, 1, "ub", "wgb", "198.51.100.2", "10.77.0.2"};
  const auto up = [](Side& x, const char* name, const std::string& address) {
    const auto link = find_link(x.socket, name).value().value();
    REQUIRE(add_address(x.socket, {link.index, *InterfaceAddress::parse(address)}));
    REQUIRE(set_state(x.socket, link.index, LinkState::up));
  };
  std::vector<std::unique_ptr<Running>> running;
  for (auto [x, other] : {std::pair(&a, &b), std::pair(&b, &a)}) {
    Namespace::enter(x->ns);
    up(*x, x->uplink, std::string(x->outer) + "/24");
    running.push_back(std::make_unique<Running>(x->link));
    up(*x, x->link, std::string(x->inner) + "/24");
    UserspaceTunnel tunnel(wireguard_go::socket_path(x->link));
    REQUIRE(tunnel.set(
        {.private_key = x->key,
         .listen_port = 51820,
         .peers = {{.public_key = other->key.public_key(),
                    .endpoint = *Endpoint::parse(std::string(other->outer) + ":51820"),
                    .keepalive = x->keepalive,
                    .allowed_ips = std::vector{*Prefix::parse(other->inner)}}}}));
  }
  for (const auto* link : {"wga", "wgb"})
    CHECK(wait_for([&] {
      const auto device = UserspaceTunnel(wireguard_go::socket_path(link)).get();
      return device && device->peers.at(0).stats.last_handshake.time_since_epoch() > 0s &&
             device->peers.at(0).stats.rx_bytes > 0;
    }));
  Namespace::enter(here);
  run("ping -c 1 -W 5 10.77.0.2 > /dev/null");
  running.clear();
  Namespace::enter(here);
}
