// SPDX-License-Identifier: GPL-2.0-or-later
// What resolv.conf is without us, and the file that keeps it while ours stands in its
// place:
//
//   # Kept by wigeon: resolv.conf as it is without it.
//   # file 0644 0 0                              or: # link TARGET, # missing
//   # ours nameserver 100.64.0.1 search corp.example
//   …                                            its bytes; of a link, what it led to
//
// Read as a resolv.conf it is one.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "agent/base/result.hh"
#include "dns/os/resolv_file_text.hh"
#include "dns/resolv_conf.hh"

namespace wigeon::dns::os {

struct ConfFile {
  enum class Kind : uint8_t { missing, file, link } kind = Kind::missing;
  mode_t mode = 0644;
  uid_t uid = 0;
  gid_t gid = 0;
  std::string target{};  // of a link, as it is written there
  std::string bytes{};

  friend bool operator==(const ConfFile&, const ConfFile&) = default;
};

struct KeptBase {
  ConfFile file{};
  OurLines ours{};  // what the file in its place may hold of ours; no local_domain
};
std::string encode_base(const KeptBase& base);
// EBADMSG with the line that is wrong.
Result<KeptBase> decode_base(std::string_view text);

inline constexpr size_t kMaxBase = kMaxResolvConf + 16 * 1024;

// What stands at path. EINVAL: neither a file nor a link; EFBIG. A link that leads
// nowhere has no bytes.
Result<ConfFile> read_conf(const std::string& path);

// Puts it there, durably: all at once by rename(2), or, where the place itself cannot be
// changed (a bind mount, a directory that is read-only), into the file that is there.
// A failure leaves what was there.
Result<void> write_conf(const std::string& path, const ConfFile& file);

// Left by a writer that was killed.
void remove_temporary(const std::string& path);

// Somebody has it open for writing, as far as the kernel tells (fcntl(2), leases).
bool is_being_written(const std::string& path);

}  // namespace wigeon::dns::os
