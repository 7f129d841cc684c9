// SPDX-License-Identifier: GPL-2.0-or-later
// The system calls under dns/control.hh.
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "dns/control.hh"
#include "dns/sealed.hh"

namespace wigeon::dns {
namespace {

constexpr size_t kMaxFds = kMaxListeners + 2;  // and the reply sockets
constexpr size_t kControlSize = CMSG_SPACE(sizeof(int) * kMaxFds);

// Owns every descriptor that came along, whatever happens next.
std::vector<UniqueFd> take_fds(const msghdr& m) {
  std::vector<UniqueFd> fds;
  for (auto* c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(const_cast<msghdr*>(&m), c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
    const size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < n; ++i) {
      int fd;
      std::memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
      fds.emplace_back(fd);
    }
  }
  return fds;
}

// No message has this tag.
constexpr uint8_t kEnclosed[] = {0xff};

// Read, not mapped: what stands behind the descriptor is the sender's choice, and a read
// cannot fault.
Result<std::vector<uint8_t>> read_sealed(int fd, size_t max) {
  std::vector<uint8_t> bytes(TRY(sealed_size(fd, max, "a message")));
  for (size_t at = 0; at < bytes.size();) {
    const ssize_t n =
        ::pread(fd, bytes.data() + at, bytes.size() - at, static_cast<off_t>(at));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno("pread");
    if (n == 0) return fail(EBADMSG, "the memfd ends early");
    at += static_cast<size_t>(n);
  }
  return bytes;
}

}  // namespace

Result<void> tell(int socket, const ToDaemon& message) {
  const auto bytes = encode(message);
  if (bytes.size() <= kMaxPacket) return send_packet(socket, bytes, {});
  const auto memfd = TRY(seal(bytes));
  const int fds[] = {memfd.get()};
  return send_packet(socket, kEnclosed, fds);
}

Result<ToDaemon> open_message(const Packet& packet) {
  if (!std::ranges::equal(packet.bytes, kEnclosed)) return decode_to_daemon(packet.bytes);
  if (packet.fds.size() != 1) return fail(EBADMSG, "the message is missing");
  return decode_to_daemon(TRY(read_sealed(packet.fds[0].get(), kMaxEnclosed)));
}

Result<void> send_packet(int socket, Bytes bytes, std::span<const int> fds) {
  if (fds.size() > kMaxFds) return fail(E2BIG, "too many descriptors");
  alignas(cmsghdr) std::byte control[kControlSize] = {};
  iovec iov{const_cast<uint8_t*>(bytes.data()), bytes.size()};
  msghdr m{};
  m.msg_iov = &iov;
  m.msg_iovlen = 1;
  if (!fds.empty()) {
    m.msg_control = control;
    m.msg_controllen = CMSG_SPACE(fds.size_bytes());
    auto* c = CMSG_FIRSTHDR(&m);
    *c = {CMSG_LEN(fds.size_bytes()), SOL_SOCKET, SCM_RIGHTS};
    std::memcpy(CMSG_DATA(c), fds.data(), fds.size_bytes());
  }
  ssize_t n;
  do {
    n = ::sendmsg(socket, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
  } while (n < 0 && errno == EINTR);
  if (n < 0) return fail_errno("sendmsg");
  return {};
}

Result<std::optional<Packet>> receive_packet(int socket) {
  Packet packet;
  packet.bytes.resize(kMaxPacket);
  alignas(cmsghdr) std::byte control[kControlSize];
  iovec iov{packet.bytes.data(), packet.bytes.size()};
  msghdr m{};
  m.msg_iov = &iov;
  m.msg_iovlen = 1;
  m.msg_control = control;
  m.msg_controllen = sizeof control;
  ssize_t n;
  do {
    n = ::recvmsg(socket, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  } while (n < 0 && errno == EINTR);
  if (n < 0 && errno == ECONNRESET) return std::nullopt;
  if (n < 0) return fail_errno("recvmsg");
  packet.fds = take_fds(m);
  if (n == 0) return std::nullopt;
  if (m.msg_flags & (MSG_TRUNC | MSG_CTRUNC))
    return fail(EMSGSIZE, "the packet is too large");
  packet.bytes.resize(static_cast<size_t>(n));
  return packet;
}

}  // namespace wigeon::dns
