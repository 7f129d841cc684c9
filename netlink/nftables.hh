// SPDX-License-Identifier: GPL-2.0-or-later
// nftables through libnftables: commands as text, each call one transaction. Errors are
// the first one that libnftables tells, without its position:
// "nft: Could not process rule: No such file or directory", with the errno its end names.
#pragma once

#include <nftables/libnftables.h>

#include <optional>
#include <string>
#include <string_view>

#include "agent/base/owned.hh"
#include "agent/base/result.hh"

namespace wigeon::netlink {

// What a listing or an error may take; more is EFBIG. A Kubernetes node's chains are some
// 10 MB of JSON.
inline constexpr size_t kMaxNftOutput = 32u << 20;
inline constexpr size_t kMaxNftName = 255;

class Nftables {
 public:
  // EPERM without CAP_NET_ADMIN, EOPNOTSUPP when the kernel has no nf_tables.
  static Result<Nftables> open();

  Result<void> apply(std::string_view commands);
  // Without handles and counters: two listings of a table that nobody touched are equal.
  // None: there is no such table.
  Result<std::optional<std::string>> list_table(std::string_view family,
                                                std::string_view name);
  // No such table: nothing to do.
  Result<void> delete_table(std::string_view family, std::string_view name);
  // Every chain of every table, and one chain with its rules, as JSON
  // (libnftables-json(5)).
  Result<std::string> list_chains();
  Result<std::string> list_chain(std::string_view family, std::string_view table,
                                 std::string_view chain);
  // The named counters of a table, as JSON.
  Result<std::string> list_counters(std::string_view family, std::string_view table);

 private:
  explicit Nftables(nft_ctx* context) : context_(context) {}
  Result<std::string> run(const std::string& commands, unsigned output_flags);

  Owned<nft_ctx, nft_ctx_free> context_;
};

}  // namespace wigeon::netlink
