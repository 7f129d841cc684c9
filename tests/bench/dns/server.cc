// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/bench/dns/server.hh"

#include <fmt/format.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>

#include "dns/control.hh"
#include "dns/sealed.hh"
#include "dns/spawn.hh"
#include "tests/bench/dns/limits.hh"
#include "tests/bench/netlink/measure.hh"

namespace wigeon::bench {
namespace {

namespace fs = std::filesystem;

constexpr int kServerCpu = 0, kClientCpu = 1;

// The process and all it started, from /proc.
std::vector<pid_t> family(pid_t first) {
  std::vector<std::pair<pid_t, pid_t>> parents;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator("/proc", none)) {
    const auto pid = std::atoi(entry.path().filename().c_str());
    if (pid == 0) continue;
    std::ifstream in(entry.path() / "stat");
    std::string text;
    std::getline(in, text);
    const size_t behind_name = text.rfind(')');
    if (behind_name == text.npos) continue;
    parents.emplace_back(pid, std::atoi(text.c_str() + behind_name + 4));
  }
  std::vector<pid_t> all{first};
  for (size_t i = 0; i < all.size(); ++i)
    for (const auto& [pid, parent] : parents)
      if (parent == all[i]) all.push_back(pid);
  return all;
}

Result<Server> fork_server(const Task& task, int cpu,
                           const std::function<void()>& serve) {
  const double begun = now();
  pin(cpu);
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    serve();
    ::_exit(1);
  }
  pin(kClientCpu);
  if (pid < 0) return fail_errno("fork");
  return Server(pid, {}, task.endpoint, begun);
}

Result<dns::ListenerSockets> sockets_of(const Task& task) {
  const std::array addresses{task.endpoint.address};
  return dns::open_listeners(addresses, task.endpoint.port);
}

Result<Server> start_techo(const Task& task) {
  const auto sockets = TRY(sockets_of(task));
  return fork_server(task, kServerCpu, [&] { serve_tcp_echo(sockets[1].fd.get()); });
}

Result<Server> start_limit(const Task& task) { return start_echo(task, kServerCpu); }

Result<Server> start_relay(const Task& task) {
  const auto sockets = TRY(sockets_of(task));
  return fork_server(task, kServerCpu,
                     [&] { serve_relay(sockets[0].fd.get(), *task.upstream); });
}

Result<Server> start_program(const Task& task, const Arguments& arguments) {
  const double begun = now();
  pin(kServerCpu);
  auto pid = start(arguments, task.directory + "/log");
  pin(kClientCpu);
  if (!pid) return std::unexpected(std::move(pid).error());
  return Server(*pid, {}, task.endpoint, begun);
}

Result<Server> start_dnsmasq(const Task& task) {
  TRY(write_text(task.directory + "/hosts", hosts_file(task.names)));
  Arguments a{"dnsmasq",
              "--keep-in-foreground",
              "--conf-file=/dev/null",
              "--no-resolv",
              "--no-hosts",
              "--user=root",
              "--pid-file=",
              "--bind-interfaces",
              "--no-negcache",
              "--cache-size=10000",
              "--dns-forward-max=1000",
              "--log-facility=" + task.directory + "/log",
              fmt::format("--port={}", task.endpoint.port),
              "--listen-address=" + task.endpoint.address.text(),
              "--addn-hosts=" + task.directory + "/hosts",
              fmt::format("--local=/{}/", kZone)};
  if (task.upstream)
    a.push_back(fmt::format("--server={}#{}", task.upstream->address.text(),
                            task.upstream->port));
  return start_program(task, a);
}

Result<Server> start_unbound(const Task& task) {
  std::string conf = fmt::format(
      "server:\nverbosity: 0\nuse-syslog: no\nlogfile: \"\"\nusername: \"\"\n"
      "chroot: \"\"\ndirectory: \"{0}\"\npidfile: \"\"\ninterface: {1}\nport: {2}\n"
      "num-threads: 1\nminimal-responses: yes\nmodule-config: \"iterator\"\n"
      "do-not-query-localhost: no\nmsg-cache-size: 32m\nrrset-cache-size: 64m\n"
      "outgoing-range: 512\nnum-queries-per-thread: 1024\n"
      "include: \"{0}/records\"\nremote-control:\ncontrol-enable: no\n",
      task.directory, task.endpoint.address.text(), task.endpoint.port);
  if (task.upstream)
    conf += fmt::format("forward-zone:\nname: \".\"\nforward-addr: {}@{}\n",
                        task.upstream->address.text(), task.upstream->port);
  TRY(write_text(task.directory + "/conf", conf));
  TRY(write_text(task.directory + "/records", unbound_records(task.names)));
  return start_program(task, {"unbound", "-d", "-c", task.directory + "/conf"});
}

Result<Server> start_nsd(const Task& task) {
  TRY(write_text(task.directory + "/zone", zone_file(task.names)));
  TRY(write_text(
      task.directory + "/conf",
      fmt::format(
          "server:\nip-address: {1}@{2}\nserver-count: 1\nusername: \"\"\n"
          "zonesdir: \"{0}\"\npidfile: \"\"\ndatabase: \"\"\nxfrdir: \"{0}\"\n"
          "xfrdfile: \"{0}/xfrd\"\nzonelistfile: \"{0}/list\"\ncookie-secret-file: "
          "\"\"\nlogfile: \"{0}/log\"\ntcp-query-count: 0\nrrl-ratelimit: 0\n"
          "tcp-count: 200\n"
          "remote-control:\ncontrol-enable: no\nzone:\nname: {3}\nzonefile: zone\n",
          task.directory, task.endpoint.address.text(), task.endpoint.port, kZone)));
  return start_program(task, {"nsd", "-d", "-c", task.directory + "/conf"});
}

Result<Server> start_knot(const Task& task) {
  TRY(write_text(task.directory + "/zone", zone_file(task.names)));
  TRY(write_text(
      task.directory + "/conf",
      fmt::format("server:\n  rundir: \"{0}\"\n  listen: {1}@{2}\n  udp-workers: 1\n"
                  "  tcp-workers: 1\n  background-workers: 1\n"
                  "database:\n  storage: \"{0}\"\n"
                  "log:\n  - target: stderr\n    any: warning\n"
                  "template:\n  - id: default\n    storage: \"{0}\"\n"
                  "    zonefile-load: whole\n    zonefile-sync: -1\n"
                  "    journal-content: none\n"
                  "zone:\n  - domain: {3}\n    file: zone\n",
                  task.directory, task.endpoint.address.text(), task.endpoint.port,
                  kZone)));
  return start_program(task, {"knotd", "-c", task.directory + "/conf"});
}

bool there(const char* program) {
  std::string_view path = std::getenv("PATH") ? std::getenv("PATH") : "";
  while (!path.empty()) {
    const auto part = path.substr(0, path.find(':'));
    if (::access((std::string(part) + "/" + program).c_str(), X_OK) == 0) return true;
    path.remove_prefix(std::min(path.size(), part.size() + 1));
  }
  return false;
}

std::string resolver_program() {
  std::error_code none;
  return (fs::read_symlink("/proc/self/exe", none).parent_path() / "wigeon-resolver")
      .string();
}

}  // namespace

Server::~Server() {
  if (pid_ < 0) return;
  // Children first: nsd's parent would start them again.
  auto all = family(pid_);
  for (const pid_t p : all) ::kill(p, SIGSTOP);
  for (const pid_t p : all) ::kill(p, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

Result<double> Server::cpu() const {
  double sum = 0;
  for (const pid_t p : family(pid_)) sum += cpu_seconds(p).value_or(0);
  if (sum == 0) return fail(ESRCH, "the server has ended");
  return sum;
}

Result<Server::Memory> Server::memory() const {
  Memory m;
  for (const pid_t p : family(pid_)) {
    std::ifstream in(fmt::format("/proc/{}/smaps_rollup", p));
    std::string word;
    while (in >> word) {
      uint64_t kilobytes = 0;
      if (word == "Pss:" && in >> kilobytes) m.pss += kilobytes << 10;
      if (word == "Pss_Anon:" && in >> kilobytes) m.anonymous += kilobytes << 10;
    }
  }
  if (m.pss == 0) return fail(ESRCH, "the server has ended");
  return m;
}

Result<Server> start_echo(const Task& task, int cpu) {
  const auto sockets = TRY(sockets_of(task));
  return fork_server(task, cpu, [&] { serve_echo(sockets[0].fd.get()); });
}

Result<Server> start_burner() {
  return fork_server({}, kServerCpu, [] {
    (void)::setpriority(PRIO_PROCESS, 0, 10);
    for (volatile uint64_t turns = 0;;) turns = turns + 1;
  });
}

Result<UniqueFd> sealed_config(size_t names, unsigned version) {
  const auto encoded = TRY(dns::encode_config(our_config(names, version)));
  return dns::seal(encoded);
}

Result<void> configure(const Server& ours, int sealed, uint32_t generation) {
  const std::array fds{sealed};
  return dns::send_packet(ours.control(),
                          dns::encode(dns::ToResolver{dns::Configure{generation}}), fds);
}

Result<Server> start_ours(const Task& task) {
  auto config = our_config(task.names);
  if (task.upstream) config.upstreams = {*task.upstream};
  const double begun = now();  // the daemon writes its names down for each start
  const auto encoded = TRY(dns::encode_config(config));
  const auto sealed = TRY(dns::seal(encoded));
  const auto sockets = TRY(sockets_of(task));
  int pair[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0)
    return fail_errno("socketpair");
  UniqueFd mine(pair[0]);
  pin(kServerCpu);
  auto pid = dns::spawn_confined(resolver_program(), 65534, 65534, UniqueFd(pair[1]));
  pin(kClientCpu);
  if (!pid) return std::unexpected(std::move(pid).error());
  Server server(*pid, std::move(mine), task.endpoint, begun);
  dns::Listen listen;
  std::vector<int> fds;
  for (const auto& s : sockets) {
    listen.open.push_back(s.info());
    fds.push_back(s.fd.get());
  }
  TRY(dns::send_packet(server.control(), dns::encode(dns::ToResolver{listen}), fds));
  TRY(configure(server, sealed.get(), 1));
  return server;
}

std::vector<Kind> local_kinds() {
  std::vector<Kind> all{{"echo", Role::limit, false, false, start_limit},
                        {"techo", Role::limit, true, false, start_techo},
                        {"wigeon", Role::ours, true, true, start_ours}};
  const std::array<Kind, 4> peers{{{"knotd", Role::peer, true, false, start_knot},
                                   {"nsd", Role::peer, true, false, start_nsd},
                                   {"unbound", Role::peer, true, true, start_unbound},
                                   // forks for each TCP connection
                                   {"dnsmasq", Role::peer, false, true, start_dnsmasq}}};
  for (const auto& k : peers)
    if (there(k.name)) all.push_back(k);
  return all;
}

std::vector<Kind> forwarding_kinds() {
  std::vector<Kind> all{{"relay", Role::limit, false, true, start_relay}};
  for (const auto& k : local_kinds())
    if (k.forwards) all.push_back(k);
  return all;
}

}  // namespace wigeon::bench
