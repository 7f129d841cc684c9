// SPDX-License-Identifier: GPL-2.0-or-later
#include "bpf/attach.hh"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>
#include <linux/if_link.h>

#include <algorithm>
#include <cerrno>

#include "bpf/about.hh"
#include "bpf/clsact.hh"
#include "bpf/libbpf_log.hh"

namespace wigeon::bpf {
namespace {

int index(const Place& place) { return static_cast<int>(place.device); }

bpf_attach_type attach_type(const Place& place) {
  switch (place.hook) {
    case Hook::xdp:
      return BPF_XDP;
    case Hook::tc_ingress:
      return kTcxIngress;
    case Hook::tc_egress:
      return kTcxEgress;
  }
  return BPF_XDP;
}

// What cannot be found out is left out of the message.
Error xdp_taken(const Place& place) {
  __u32 id = 0;
  (void)::bpf_xdp_query_id(index(place), 0, &id);
  std::string who = fmt::format("id {}", id);
  if (const UniqueFd program(::bpf_prog_get_fd_by_id(id)); program)
    if (const auto other = about(program.get()); other && !other->name.empty())
      who = fmt::format("\"{}\", {}", other->name, who);
  // Ours could only share the device as a part of it, by libxdp's own loader.
  if (who.starts_with("\"xdp_dispatcher\"")) who += ", the dispatcher of libxdp";
  return {EBUSY,
          fmt::format("another XDP program ({}) is attached; it is left alone", who)};
}

Result<UniqueFd> make_link(int program, const Place& place) {
  LIBBPF_OPTS(bpf_link_create_opts, options,
              .flags = place.way == Way::xdp_link ? XDP_FLAGS_SKB_MODE : 0u);
  UniqueFd link(::bpf_link_create(program, index(place), attach_type(place), &options));
  if (link) return link;
  const int code = errno;
  // EEXIST: in native mode
  if (place.way == Way::xdp_link && (code == EBUSY || code == EEXIST))
    return std::unexpected(xdp_taken(place));
  return fail_errno("making the BPF link", code);
}

Result<void> update_link(int link, int program) {
  if (::bpf_link_update(link, program, nullptr) != 0)
    return fail_errno("updating the BPF link");
  return {};
}

Result<std::vector<uint32_t>> tcx_programs(const Place& place) {
  std::vector<__u32> ids(64);  // the kernel's limit for one hook (BPF_MPROG_MAX)
  LIBBPF_OPTS(bpf_prog_query_opts, query, .prog_ids = ids.data(),
              .prog_cnt = static_cast<__u32>(ids.size()));
  if (::bpf_prog_query_opts(index(place), attach_type(place), &query) != 0) {
    if (errno == ENOENT) return std::vector<uint32_t>{};
    return fail_errno("asking for tcx programs");
  }
  ids.resize(query.prog_cnt);
  return ids;
}

// A link that is still attached where we want it: its device may be gone (ifindex 0), or
// be another one that has the same index in another network namespace.
Result<bool> attached_at(int link, const Place& place) {
  bpf_link_info info{};
  __u32 length = sizeof(info);
  if (::bpf_obj_get_info_by_fd(link, &info, &length) != 0) return fail_errno("BPF link");
  const __u32 type = place.way == Way::xdp_link ? __u32{BPF_LINK_TYPE_XDP} : kTcxLinkType;
  // tcx has its ifindex at the same offset.
  if (info.type != type || info.xdp.ifindex != static_cast<__u32>(place.device))
    return false;
  return std::ranges::count(TRY(programs_at(place)), info.prog_id) > 0;
}

}  // namespace

Result<Place> place(IfIndex device, Hook hook, const Features& features) {
  const Feature first = hook == Hook::xdp ? Feature::xdp : Feature::tc;
  if (!features.have(first))
    return fail(ENOTSUP, fmt::format("{}: {}", name(first), features[first].why));
  if (hook == Hook::xdp) return Place{device, hook, Way::xdp_link};
  return Place{device, hook,
               features.have(Feature::tcx) ? Way::tcx_link : Way::clsact_filter};
}

Result<std::vector<uint32_t>> programs_at(const Place& place) {
  switch (place.way) {
    case Way::xdp_link: {
      __u32 id = 0;
      if (const int code = ::bpf_xdp_query_id(index(place), XDP_FLAGS_SKB_MODE, &id);
          code < 0)
        return fail_errno("asking for the XDP program", -code);
      return id ? std::vector<uint32_t>{id} : std::vector<uint32_t>{};
    }
    case Way::tcx_link:
      return tcx_programs(place);
    case Way::clsact_filter: {
      const auto id = TRY(clsact::program(place));
      return id ? std::vector<uint32_t>{*id} : std::vector<uint32_t>{};
    }
  }
  return std::vector<uint32_t>{};
}

Result<Attachment> Attachment::open(int program, const Place& place) {
  if (place.way == Way::clsact_filter) {
    TRY(clsact::set(program, place));
    return Attachment(place, UniqueFd());
  }
  return Attachment(place, TRY(make_link(program, place)));
}

Result<Attachment> Attachment::open(int program, const Place& place,
                                    const PinDirectory& pins, const char* name) {
  if (place.way == Way::clsact_filter) return open(program, place);
  if (auto old = TRY(pins.get(name)); old && TRY(attached_at(old->get(), place))) {
    TRY(update_link(old->get(), program));
    return Attachment(place, std::move(*old));
  }
  Attachment fresh = TRY(open(program, place));
  TRY(pins.put(fresh.link_.get(), name));
  return fresh;
}

Result<void> Attachment::replace(int program) {
  if (place_.way == Way::clsact_filter) return clsact::set(program, place_);
  return update_link(link_.get(), program);
}

Result<void> Attachment::detach() && {
  if (place_.way == Way::clsact_filter) return clsact::remove(place_);
  // ENOLINK would say that the device went first.
  if (::bpf_link_detach(link_.get()) != 0 && errno != ENOLINK)
    return fail_errno("detaching the BPF link");
  link_.reset();
  return {};
}

}  // namespace wigeon::bpf
