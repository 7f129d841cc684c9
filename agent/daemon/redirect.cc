// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/redirect.hh"

#include "agent/daemon/redirect_make.hh"

namespace wigeon {
namespace {

// "tc /sys/fs/bpf/wigeon", "nftables wigeon_dns"
std::pair<std::string, std::string> split(const std::string& note) {
  const auto blank = note.find(' ');
  if (blank == note.npos) return {};
  return {note.substr(0, blank), note.substr(blank + 1)};
}

}  // namespace

Result<std::unique_ptr<Redirect>> make_redirect(Rung rung, const std::string& pins) {
  switch (rung) {
    case Rung::sk_lookup:
      return make_steer_redirect(pins);
    case Rung::tc:
    case Rung::xdp:
      return make_port_redirect(rung, pins);
    case Rung::nftables:
      return make_nft_redirect();
    case Rung::bind:
      break;
  }
  return fail(EINVAL, "nothing is attached for " + std::string(text(rung)));
}

std::string redirect_note(Rung rung, const std::string& pins) {
  return std::string(text(rung)) + ' ' + (rung == Rung::nftables ? kNftDnsTable : pins);
}

std::vector<std::string> redirect_notes(const std::string& pins) {
  std::vector<std::string> notes;
  for (const auto r : kRungs)
    if (r != Rung::bind) notes.push_back(redirect_note(r, pins));
  return notes;
}

std::optional<Rung> rung_of_note(const std::string& note) {
  return rung_named(split(note).first);
}

Result<void> undo_redirect(const std::string& note) {
  const auto [name, where] = split(note);
  const auto rung = rung_named(name);
  if (!rung || *rung == Rung::bind)
    return fail(EINVAL, "a note about port 53 that nobody understands: " + note);
  if (*rung == Rung::nftables) return undo_nft_redirect();
  if (*rung == Rung::sk_lookup) return undo_steer_redirect(where);
  return undo_port_redirect(*rung, where);
}

}  // namespace wigeon
