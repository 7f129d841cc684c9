// SPDX-License-Identifier: GPL-2.0-or-later
#include "dns/sealed.hh"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace wigeon::dns {
namespace {

constexpr int kSeals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

}  // namespace

Result<UniqueFd> seal(Bytes content) {
  UniqueFd fd(::memfd_create("wigeon-resolver", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd) return fail_errno("memfd_create");
  while (!content.empty()) {
    const ssize_t n = ::write(fd.get(), content.data(), content.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno("write");
    content = content.subspan(static_cast<size_t>(n));
  }
  if (::fcntl(fd.get(), F_ADD_SEALS, kSeals) != 0) return fail_errno("F_ADD_SEALS");
  return fd;
}

Result<size_t> sealed_size(int fd, size_t max, std::string_view what) {
  const int seals = ::fcntl(fd, F_GET_SEALS);
  if (seals < 0 || (seals & kSeals) != kSeals)
    return fail(EPERM, "the memfd is not sealed");
  struct stat st {};
  if (::fstat(fd, &st) != 0) return fail_errno("fstat");
  const auto size = static_cast<uint64_t>(st.st_size);
  if (size == 0 || size > max)
    return fail(EMSGSIZE, std::to_string(size) + " bytes are not " + std::string(what));
  return size;
}

Result<SealedConfig> SealedConfig::map(int fd) {
  const size_t size = TRY(sealed_size(fd, kMaxConfigBytes, "a configuration"));
  void* at = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
  if (at == MAP_FAILED) return fail_errno("mmap");
  return SealedConfig({static_cast<const uint8_t*>(at), size});
}

SealedConfig::~SealedConfig() {
  if (!bytes_.empty()) ::munmap(const_cast<uint8_t*>(bytes_.data()), bytes_.size());
}

}  // namespace wigeon::dns
