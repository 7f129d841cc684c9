// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>

#include "agent/base/marks.hh"
#include "agent/core/own_table.hh"
#include "agent/daemon/redirect_make.hh"
#include "agent/model/dns_ruleset.hh"

namespace wigeon {
namespace {

class NftRedirect final : public Redirect {
 public:
  Result<void> lead(const std::vector<Address>& own,
                    const dns::ListenerSockets& sockets) override {
    if (!sockets.empty()) {
      wanted_.resolver.clear();
      for (const auto& s : sockets)
        if (s.transport == dns::Transport::udp) wanted_.resolver.push_back(s.endpoint);
    }
    std::erase_if(wanted_.resolver, [&](const Endpoint& e) {
      return std::ranges::find(own, e.address) == own.end();
    });
    wanted_.draining = false;
    return set();
  }
  Result<void> drain() override {
    wanted_.draining = true;
    return set();
  }
  Result<void> remove() override { return table_.remove(); }
  Result<RedirectAbout> about() override {
    RedirectAbout about{.attached =
                            "table " + std::string(kNftFamily) + " " + kNftDnsTable};
    const auto listing = TRY(table_.counters());
    auto counts = TRY(read_nft_counters(listing));
    about.counters = {{"redirected UDP", counts["redirected_udp"]},
                      {"redirected TCP", counts["redirected_tcp"]}};
    return about;
  }

 private:
  // Its own counters are lost with a table that is replaced.
  Result<void> set() {
    const auto text = ruleset(wanted_);
    if (text == text_ && TRY(table_.observe()).value_or(0) != 0) return {};
    TRY(table_.set(text));
    text_ = text;
    return {};
  }

  OwnTable table_{kNftDnsTable};
  DnsRuleset wanted_{.name = kNftDnsTable};
  std::string text_{};
};

}  // namespace

std::unique_ptr<Redirect> make_nft_redirect() { return std::make_unique<NftRedirect>(); }

Result<void> undo_nft_redirect() {
  auto removed = OwnTable(kNftDnsTable).remove();
  // Without nftables there is no table.
  if (!removed && removed.error().code == EOPNOTSUPP) return {};
  return removed;
}

}  // namespace wigeon
