// SPDX-License-Identifier: GPL-2.0-or-later
// Any bytes as somebody's resolv.conf and as an edit of ours (what follows a NUL): what
// we add can be taken out again to the byte, an edit never brings our server into the
// base, and a kept base is read as it was written.
#include <algorithm>
#include <cstdlib>

#include "dns/os/resolv_file.hh"

using namespace wigeon;
using namespace wigeon::dns;
using namespace wigeon::dns::os;

namespace {

void require(bool good) {
  if (!good) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view all(reinterpret_cast<const char*>(data), size);
  const auto base = all.substr(0, all.find('\0'));
  const auto edit = all.substr(std::min(base.size() + 1, all.size()));
  const OurLines ours{{*Address::parse("100.64.0.1")},
                      {"corp.example", "lab.example"},
                      base.size() % 2 ? "home.example" : ""};
  (void)decode_base(all);
  if (!has_our_lines(base, ours)) {
    const auto composed = compose_resolv_conf(base, ours, "/base");
    require(is_our_conf(composed.text));
    require(without_our_lines(composed.text, base, ours) == base);
    const auto servers = parse_resolv_conf(composed.text).nameservers;
    require(!servers.empty() && servers[0].address == ours.servers[0]);
  }
  const auto without = without_our_lines(edit, base, ours);
  if (!has_our_lines(base, ours)) require(!has_our_lines(without, ours));
  KeptBase kept;
  kept.ours.servers = ours.servers;
  kept.ours.search = ours.search;
  kept.file.kind = ConfFile::Kind::file;
  kept.file.bytes = all;
  const auto read = decode_base(encode_base(kept));
  require(read && read->file == kept.file && read->ours == kept.ours);
  return 0;
}
