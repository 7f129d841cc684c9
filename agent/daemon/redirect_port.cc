// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>

#include "agent/daemon/redirect_make.hh"
#include "agent/daemon/redirect_pins.hh"
#include "bpf/dns_redirect.hh"
#include "bpf/probe.hh"

namespace wigeon {
namespace {

constexpr IfIndex kLoopback{1};  // in every network namespace

bpf::Hook hook_of(Rung rung) {
  return rung == Rung::xdp ? bpf::Hook::xdp : bpf::Hook::tc_ingress;
}

std::string_view text(bpf::Way way) {
  switch (way) {
    case bpf::Way::xdp_link:
      return "generic XDP on lo";
    case bpf::Way::tcx_link:
      return "tcx ingress of lo";
    case bpf::Way::clsact_filter:
      return "clsact ingress of lo";
  }
  return "";
}

class PortRedirect final : public Redirect {
 public:
  PortRedirect(Rung rung, std::string pins) : rung_(rung), pins_(std::move(pins)) {}

  Result<void> lead(const std::vector<Address>& own,
                    const dns::ListenerSockets& sockets) override {
    if (!sockets.empty()) port_ = sockets.front().endpoint.port;
    own_ = own;
    if (!attached_ || !TRY(is_there())) TRY(attach());
    return attached_->set({.own = own_, .port = port_});
  }
  Result<void> drain() override {
    if (!attached_) return {};
    return attached_->set({.own = own_, .port = port_, .draining = true});
  }
  Result<void> remove() override {
    std::optional<Error> failure;
    if (attached_)
      if (auto gone = std::move(*attached_).detach(); !gone) failure = gone.error();
    attached_.reset();
    TRY(undo_port_redirect(rung_, pins_));
    if (failure) return std::unexpected(*failure);
    return {};
  }
  Result<RedirectAbout> about() override {
    if (!attached_) return fail(ENOENT, "not attached");
    auto about = to_about(TRY(attached_->about()));
    about.attached = text(attached_->place().way);
    const auto counts = TRY(attached_->counters());
    for (size_t i = 0; i < counts.size(); ++i)
      about.counters.emplace(bpf::text(static_cast<dns_redirect_reason>(i)), counts[i]);
    return about;
  }

 private:
  Result<bool> is_there() {
    const auto there = TRY(bpf::programs_at(attached_->place()));
    const auto about = TRY(attached_->about());
    return std::ranges::count(there, about.id) > 0;
  }
  Result<void> attach() {
    attached_.reset();
    const auto place = TRY(bpf::place(kLoopback, hook_of(rung_), bpf::probe()));
    const auto pins = open_pins(pins_);
    attached_ = TRY(bpf::PortRedirect::open(place, pins ? &*pins : nullptr));
    return {};
  }

  Rung rung_;
  std::string pins_;
  std::vector<Address> own_{};
  uint16_t port_ = 0;
  std::optional<bpf::PortRedirect> attached_{};
};

}  // namespace

std::unique_ptr<Redirect> make_port_redirect(Rung rung, const std::string& pins) {
  return std::make_unique<PortRedirect>(rung, pins);
}

Result<void> undo_port_redirect(Rung rung, const std::string& path) {
  const auto pins = TRY(find_pins(path));
  TRY(bpf::PortRedirect::remove(kLoopback, hook_of(rung), pins ? &*pins : nullptr));
  leave_pins(path);
  return {};
}

}  // namespace wigeon
