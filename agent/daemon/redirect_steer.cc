// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/redirect_make.hh"
#include "agent/daemon/redirect_pins.hh"
#include "bpf/dns_steer.hh"

namespace wigeon {
namespace {

class SteerRedirect final : public Redirect {
 public:
  explicit SteerRedirect(std::string pins) : pins_(std::move(pins)) {}

  Result<void> lead(const std::vector<Address>& own,
                    const dns::ListenerSockets& sockets) override {
    // Opened each time: a link that somebody took away is made again.
    const bool there = steer_ && TRY(steer_->attached());
    if (!there) steer_ = TRY(open());
    // Those that the resolver has already are in the map already.
    if (!sockets.empty() && sockets.front().fd)
      TRY(steer_->set_listeners(listeners(sockets)));
    return steer_->set_addresses(own);
  }
  Result<void> drain() override {
    // A connection that was accepted is found without us, and a reply leaves without us.
    return steer_ ? steer_->set_addresses({}) : Result<void>{};
  }
  Result<void> remove() override {
    steer_.reset();
    return undo_steer_redirect(pins_);
  }
  Result<RedirectAbout> about() override {
    if (!steer_) return fail(ENOENT, "not attached");
    auto about = to_about(TRY(steer_->about()));
    about.attached = "socket lookup of this network namespace";
    const auto counts = TRY(steer_->counters());
    for (size_t i = 0; i < counts.size(); ++i)
      about.counters.emplace(bpf::text(static_cast<dns_steer_reason>(i)), counts[i]);
    return about;
  }

 private:
  [[nodiscard]] Result<bpf::DnsSteer> open() const {
    const auto pins = open_pins(pins_);
    return bpf::DnsSteer::open(pins ? &*pins : nullptr);
  }
  static bpf::DnsSteer::Listeners listeners(const dns::ListenerSockets& sockets) {
    bpf::DnsSteer::Listeners l;
    for (const auto& s : sockets) {
      const bool v4 = s.endpoint.address.family() == Family::v4;
      if (s.transport == dns::Transport::udp)
        (v4 ? l.udp4 : l.udp6) = s.fd.get();
      else
        (v4 ? l.tcp4 : l.tcp6) = s.fd.get();
    }
    return l;
  }

  std::string pins_;
  std::optional<bpf::DnsSteer> steer_{};
};

}  // namespace

std::unique_ptr<Redirect> make_steer_redirect(const std::string& pins) {
  return std::make_unique<SteerRedirect>(pins);
}

Result<void> undo_steer_redirect(const std::string& path) {
  const auto pins = TRY(find_pins(path));
  if (!pins) return {};
  TRY(bpf::DnsSteer::remove(*pins));
  leave_pins(path);
  return {};
}

}  // namespace wigeon
