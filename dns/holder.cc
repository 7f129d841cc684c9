// SPDX-License-Identifier: GPL-2.0-or-later
#include "dns/holder.hh"

#include <dirent.h>
#include <fcntl.h>

#include <charconv>
#include <cstdio>
#include <optional>

#include "agent/base/owned.hh"

namespace wigeon::dns {
namespace {

// /proc entries of a busy host that we look at before giving up.
constexpr int kMaxLines = 100'000;

using File = Owned<FILE, fclose>;
using Directory = Owned<DIR, closedir>;

// Address as /proc/net writes it: 32-bit words of the address in native order.
std::string hex_of(const Address& a) {
  std::string out;
  const auto bytes = a.bytes();
  for (size_t word = 0; word < bytes.size(); word += 4) {
    uint32_t v;
    std::memcpy(&v, &bytes[word], 4);
    char z[9];
    std::snprintf(z, sizeof z, "%08X", v);
    out += z;
  }
  return out;
}

// Inode of the socket bound to the endpoint or to the wildcard address of its port.
std::optional<unsigned long> inode_of(const Endpoint& e, const char* table,
                                      bool listening) {
  const File file(std::fopen(table, "re"));
  if (!file) return std::nullopt;
  const std::string wanted = hex_of(e.address);
  char line[512];
  for (int n = 0; n < kMaxLines && std::fgets(line, sizeof line, file.get()); ++n) {
    char address[33];
    unsigned port = 0, state = 0;
    unsigned long inode = 0;
    if (std::sscanf(line, "%*d: %32[0-9A-F]:%X %*[0-9A-F]:%*X %X %*s %*s %*s %*u %*d %lu",
                    address, &port, &state, &inode) != 4)
      continue;
    constexpr unsigned kListen = 10;
    if (port != e.port || (listening && state != kListen)) continue;
    const std::string_view held = address;
    if (held == wanted || held.find_first_not_of('0') == held.npos) return inode;
  }
  return std::nullopt;
}

bool holds(const std::string& fds, const std::string& link) {
  const Directory directory(::opendir(fds.c_str()));
  if (!directory) return false;
  while (const dirent* entry = ::readdir(directory.get())) {
    char target[64];
    const ssize_t n =
        ::readlinkat(::dirfd(directory.get()), entry->d_name, target, sizeof target);
    if (n > 0 && link == std::string_view(target, static_cast<size_t>(n))) return true;
  }
  return false;
}

std::string process_with(unsigned long inode) {
  const std::string link = "socket:[" + std::to_string(inode) + "]";
  const Directory proc(::opendir("/proc"));
  if (!proc) return {};
  while (const dirent* entry = ::readdir(proc.get())) {
    const std::string pid = entry->d_name;
    if (pid.find_first_not_of("0123456789") != pid.npos) continue;
    if (!holds("/proc/" + pid + "/fd", link)) continue;
    char name[32] = "?";
    if (const File comm(std::fopen(("/proc/" + pid + "/comm").c_str(), "re")); comm)
      (void)!std::fscanf(comm.get(), "%31[^\n]", name);  // "?" stays
    return std::string(name) + " (pid " + pid + ")";
  }
  return {};
}

}  // namespace

std::string holder_of(const Endpoint& e, Transport transport) {
  const bool tcp = transport == Transport::tcp;
  const auto look = [&](const char* table) { return inode_of(e, table, tcp); };
  auto inode =
      e.address.is_v4() ? look(tcp ? "/proc/net/tcp" : "/proc/net/udp") : std::nullopt;
  // A dual-stack socket on [::] holds IPv4 too; only its zeros can match there.
  if (!inode) inode = look(tcp ? "/proc/net/tcp6" : "/proc/net/udp6");
  return inode ? process_with(*inode) : std::string{};
}

}  // namespace wigeon::dns
