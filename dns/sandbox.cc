// SPDX-License-Identifier: GPL-2.0-or-later
#include "dns/sandbox.hh"

#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <iterator>
#include <vector>

namespace wigeon::dns {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif
#else
constexpr bool kSanitized = false;
#endif

#if defined(__x86_64__)
constexpr uint32_t kArch = AUDIT_ARCH_X86_64;
constexpr uint32_t kX32Bit = 0x40000000;
#elif defined(__aarch64__)
constexpr uint32_t kArch = AUDIT_ARCH_AARCH64;
#else
#error "no system call list for this architecture"
#endif

// Frequent ones first. What each group is for:
constexpr uint32_t kAllowed[] = {
    // datagrams, connections, the control socket
    SYS_recvmmsg, SYS_sendmmsg, SYS_recvfrom, SYS_sendto, SYS_recvmsg, SYS_sendmsg,
    SYS_read, SYS_write, SYS_writev, SYS_accept4, SYS_shutdown, SYS_close,
    // sd-event
    SYS_epoll_ctl, SYS_epoll_pwait,
#ifdef SYS_epoll_wait
    SYS_epoll_wait,
#endif
#ifdef SYS_epoll_pwait2
    SYS_epoll_pwait2,
#endif
    SYS_timerfd_create, SYS_timerfd_settime, SYS_clock_gettime, SYS_gettimeofday,
    // c-ares
    SYS_connect, SYS_getsockopt, SYS_fcntl, SYS_getrandom,
    // a configuration in a memfd, and what is told that fits no packet
    SYS_fstat, SYS_newfstatat, SYS_memfd_create,
    // memory; executable memory is refused below
    SYS_munmap, SYS_mremap, SYS_brk, SYS_madvise, SYS_futex,
    // the end
    SYS_exit, SYS_exit_group, SYS_rt_sigreturn, SYS_rt_sigprocmask, SYS_rt_sigaction,
    SYS_restart_syscall, SYS_getpid, SYS_gettid, SYS_tgkill};

// Files: c-ares looks for its random source, the C library for a time zone. Both do
// without.
constexpr uint32_t kDenied[] = {
    SYS_openat,
#ifdef SYS_open
    SYS_open,
#endif
};
constexpr uint32_t kDeny = SECCOMP_RET_ERRNO | EACCES;

// Classic BPF over struct seccomp_data, written downwards: each rule either returns or
// falls through to the next.
class Filter {
 public:
  void load(size_t offset) {
    code_.push_back({BPF_LD | BPF_W | BPF_ABS, 0, 0, static_cast<uint32_t>(offset)});
  }
  void load_argument(size_t argument) {
    static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);
    load(offsetof(seccomp_data, args) + argument * sizeof(uint64_t));
  }
  void give(uint32_t verdict) { code_.push_back({BPF_RET | BPF_K, 0, 0, verdict}); }
  void require_equal(uint32_t value, uint32_t otherwise) {
    code_.push_back({BPF_JMP | BPF_JEQ | BPF_K, 1, 0, value});
    give(otherwise);
  }
  void if_equal(uint32_t value, uint32_t verdict) { rule(BPF_JEQ, value, verdict); }
  void if_any_bit(uint32_t bits, uint32_t verdict) { rule(BPF_JSET, bits, verdict); }
  // Rules on the low half of one call's argument; the last of them must be give().
  void for_call(uint32_t call, size_t argument, auto rules) {
    const size_t jump = code_.size();
    code_.push_back({BPF_JMP | BPF_JEQ | BPF_K, 0, 0, call});
    load_argument(argument);
    rules();
    code_[jump].jf = static_cast<uint8_t>(code_.size() - jump - 1);
  }
  [[nodiscard]] sock_fprog program() {
    return {static_cast<unsigned short>(code_.size()), code_.data()};
  }

 private:
  void rule(uint16_t test, uint32_t value, uint32_t verdict) {
    code_.push_back({static_cast<uint16_t>(BPF_JMP | test | BPF_K), 0, 1, value});
    give(verdict);
  }
  std::vector<sock_filter> code_{};
};

Filter make_filter() {
  constexpr uint32_t kKill = SECCOMP_RET_KILL_PROCESS;
  constexpr uint32_t kAllow = SECCOMP_RET_ALLOW;
  Filter f;
  // Calls of another architecture have other numbers.
  f.load(offsetof(seccomp_data, arch));
  f.require_equal(kArch, kKill);
  f.load(offsetof(seccomp_data, nr));
#ifdef __x86_64__
  f.if_any_bit(kX32Bit, kKill);
#endif
  for (const uint32_t call : kAllowed) f.if_equal(call, kAllow);
  for (const int call : {SYS_mmap, SYS_mprotect})
    f.for_call(static_cast<uint32_t>(call), 2, [&] {
      f.if_any_bit(PROT_EXEC, kKill);
      f.give(kAllow);
    });
  f.for_call(SYS_socket, 0, [&] {
    f.if_equal(AF_INET, kAllow);
    f.if_equal(AF_INET6, kAllow);
    f.give(kDeny);
  });
  // One option. Others would have the reply sockets take an IP header of ours, or a
  // source that is not this host's (IP_HDRINCL, IPV6_FREEBIND).
  f.for_call(SYS_setsockopt, 1, [&] {
    f.require_equal(IPPROTO_TCP, kDeny);
    f.load_argument(2);
    f.if_equal(TCP_NODELAY, kAllow);
    f.give(kDeny);
  });
  // The loader's thread, its own policy.
  f.for_call(SYS_sched_setattr, 0, [&] {
    f.if_equal(0, kAllow);
    f.give(kKill);
  });
  for (const uint32_t call : kDenied) f.if_equal(call, kDeny);
  f.give(kKill);
  return f;
}

Result<void> check_capabilities() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> sets{};
  if (::syscall(SYS_capget, &header, sets.data()) != 0) return fail_errno("capget");
  for (const auto& s : sets)
    if (s.permitted || s.effective || s.inheritable)
      return fail(EPERM, "the resolver must be started without capabilities");
  return {};
}

}  // namespace

Result<std::string> enter_sandbox() {
  TRY(check_capabilities());
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    return fail_errno("PR_SET_NO_NEW_PRIVS");
  const std::string who = "uid " + std::to_string(::getuid()) + ", no capabilities, ";
  if (kSanitized) return who + "no system call list (sanitizer build)";
  if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return fail_errno("PR_SET_DUMPABLE");
  Filter filter = make_filter();
  sock_fprog program = filter.program();
  // TSYNC: for the thread that loads configurations too. It fails with that thread's id.
  const long other = ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
                               SECCOMP_FILTER_FLAG_TSYNC, &program);
  if (other < 0) return fail_errno("seccomp");
  if (other > 0) return fail(EBUSY, "seccomp: a thread cannot be confined");
  return who + std::to_string(std::size(kAllowed) + 5) + " system calls";
}

}  // namespace wigeon::dns
