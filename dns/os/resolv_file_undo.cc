// SPDX-License-Identifier: GPL-2.0-or-later
#include <unistd.h>

#include <algorithm>

#include "agent/base/file.hh"
#include "dns/os/resolv_file.hh"
#include "dns/os/resolv_file_undo.hh"

namespace wigeon::dns::os {
namespace {

// Of a file of ours whose base is lost.
KeptBase guess_base(const ConfFile& now) {
  KeptBase base;
  base.file = now;
  const auto servers = parse_resolv_conf(now.bytes).nameservers;
  if (!servers.empty()) base.ours.servers.push_back(servers[0].address);
  base.file.bytes = without_our_lines(now.bytes, "", base.ours);
  return base;
}

// A file that was written in place when the power went.
bool is_torn(const ConfFile& now) {
  return now.kind == ConfFile::Kind::file && now.bytes.empty();
}

}  // namespace

KeptBase load_base(const std::string& path, const ConfFile& now) {
  const auto text = read_file(path, kMaxBase);
  auto base = text ? decode_base(*text) : fail(ENOENT, "");
  return base ? *base : guess_base(now);
}

// Ours as it was edited, taken apart. What a link led to is not in our hands.
ConfFile edited_base(const ConfFile& now, const KeptBase& base) {
  ConfFile file = base.file;
  if (file.kind == ConfFile::Kind::link) return file;
  auto bytes = without_our_lines(now.bytes, file.bytes, base.ours);
  if (bytes == file.bytes) return file;
  if (file.kind == ConfFile::Kind::missing) file = now;
  file.bytes = std::move(bytes);
  return file;
}

Result<void> remove_base(const std::string& path) {
  remove_temporary(path);
  if (::unlink(path.c_str()) != 0 && errno != ENOENT)
    return fail_errno(path + ": removing it");
  return sync_directory(parent_directory(path));
}

Result<void> undo_file(const std::string& note, const std::string& base_path) {
  const auto prefix = std::string(text(ManagerKind::file)) + " ";
  if (!note.starts_with(prefix + "/")) return fail(EINVAL, note + ": not a note of ours");
  const auto path = note.substr(prefix.size());
  remove_temporary(path);
  const auto now = TRY(read_conf(path));
  const bool torn = is_torn(now);
  if (torn || is_our_conf(now.bytes)) {
    const auto base = load_base(base_path, now);
    TRY(write_conf(path, torn ? base.file : edited_base(now, base)));
  }
  return remove_base(base_path);
}

std::vector<Endpoint> original_servers(std::string_view text,
                                       const std::vector<Address>& without,
                                       const std::optional<std::string>& stub_servers) {
  std::vector<Endpoint> servers;
  for (const auto& n : parse_resolv_conf(text).nameservers) {
    const auto& a = n.address;
    if (is_resolved_stub(a) && stub_servers) {
      for (const auto& e : original_servers(*stub_servers, without, std::nullopt))
        if (std::ranges::count(servers, e) == 0) servers.push_back(e);
      continue;
    }
    if (a.is_unspecified() || std::ranges::count(without, a) > 0) continue;
    if (const auto e = endpoint_of(n); e && std::ranges::count(servers, *e) == 0)
      servers.push_back(*e);
  }
  return servers;
}

}  // namespace wigeon::dns::os
