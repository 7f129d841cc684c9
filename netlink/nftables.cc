// SPDX-License-Identifier: GPL-2.0-or-later
#include "netlink/nftables.hh"

#include <algorithm>
#include <cstdio>

#include "netlink/nfnetlink.hh"

namespace wigeon::netlink {
namespace {

constexpr unsigned kListing = NFT_CTX_OUTPUT_STATELESS | NFT_CTX_OUTPUT_NUMERIC_ALL;
constexpr unsigned kJson = NFT_CTX_OUTPUT_STATELESS | NFT_CTX_OUTPUT_JSON;

// libnftables writes to a FILE. Ours keeps what fits and refuses the rest, so that a huge
// listing ends instead of taking the memory of the host.
class Sink {
 public:
  Sink() {
    // Larger writes come through unbuffered.
    static constexpr cookie_io_functions_t functions{
        .read = nullptr,
        .write = [](void* self, const char* data, size_t n) -> ssize_t {
          return static_cast<Sink*>(self)->take({data, n}) ? static_cast<ssize_t>(n) : 0;
        },
        .seek = nullptr,
        .close = nullptr};
    file_.reset(::fopencookie(this, "w", functions));
  }
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;
  ~Sink() = default;

  [[nodiscard]] FILE* file() const { return file_.get(); }
  [[nodiscard]] bool full() const { return full_; }
  std::string take_all() {
    if (file_) (void)std::fflush(file_.get());  // a full sink says so itself
    return std::move(text_);
  }

 private:
  bool take(std::string_view more) {
    if (more.size() > kMaxNftOutput - text_.size()) {
      full_ = true;
      return false;
    }
    text_ += more;
    return true;
  }

  std::string text_{};
  bool full_ = false;
  Owned<FILE, std::fclose> file_{};
};

// libnftables keeps no errno; its sentences have strerror's, and maybe a guess behind it:
// "No such file or directory; did you mean table ‘wigeon’ in family inet?"
int code_in(std::string_view sentence) {
  for (const int code : {ENOENT, EPERM, EEXIST, EBUSY, EOPNOTSUPP, ENOMEM, ENOBUFS,
                         EINVAL, EMSGSIZE, EINTR, ENOSPC})
    if (sentence.substr(0, sentence.find("; did you mean")).ends_with(::strerror(code)))
      return code;
  return EINVAL;
}

// "<cmdline>:1:1-15: Error: sentence\n…"
Error first_error(std::string_view output) {
  constexpr std::string_view kError = "Error: ";
  if (const auto at = output.find(kError); at != output.npos)
    output.remove_prefix(at + kError.size());
  output = output.substr(0, output.find('\n'));
  return {code_in(output), "nft: " + std::string(output)};
}

// A name goes into a command, where anything else would be part of the command.
Result<void> check_name(std::string_view name) {
  const auto harmless = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '_' || c == '-' || c == '.' || c == '/';
  };
  if (name.empty() || name.size() > kMaxNftName || !std::ranges::all_of(name, harmless))
    return fail(EINVAL, "not a name that nft takes");
  return {};
}

}  // namespace

Result<Nftables> Nftables::open() {
  // libnftables ends the process when it gets no socket, and tells "cannot" from "may
  // not" in prose only.
  TRY(probe_nft());
  Nftables n(::nft_ctx_new(NFT_CTX_DEFAULT));
  if (!n.context_) return fail(ENOMEM, "nft: no context");
  return n;
}

Result<std::string> Nftables::run(const std::string& commands, unsigned output_flags) {
  Sink output, errors;
  if (!output.file() || !errors.file()) return fail_errno("nft: fopencookie");
  auto* const c = context_.get();
  ::nft_ctx_set_output(c, output.file());
  ::nft_ctx_set_error(c, errors.file());
  ::nft_ctx_output_set_flags(c, output_flags);
  const int rc = ::nft_run_cmd_from_buffer(c, commands.c_str());
  ::nft_ctx_set_output(c, stdout);
  ::nft_ctx_set_error(c, stderr);
  auto text = output.take_all();
  if (rc != 0) return std::unexpected(first_error(errors.take_all()));
  if (output.full()) return fail(EFBIG, "nft: the listing is too long");
  return text;
}

Result<void> Nftables::apply(std::string_view commands) {
  if (commands.empty()) return {};
  TRY(run(std::string(commands), 0));
  return {};
}

Result<std::optional<std::string>> Nftables::list_table(std::string_view family,
                                                        std::string_view name) {
  TRY(check_name(family));
  TRY(check_name(name));
  auto text =
      run("list table " + std::string(family) + " " + std::string(name), kListing);
  if (!text && text.error().code == ENOENT) return std::nullopt;
  if (!text) return std::unexpected(std::move(text).error());
  return std::move(*text);
}

Result<void> Nftables::delete_table(std::string_view family, std::string_view name) {
  TRY(check_name(family));
  TRY(check_name(name));
  auto done = apply("delete table " + std::string(family) + " " + std::string(name));
  if (!done && done.error().code == ENOENT) return {};
  return done;
}

Result<std::string> Nftables::list_chains() { return run("list chains", kJson); }

Result<std::string> Nftables::list_chain(std::string_view family, std::string_view table,
                                         std::string_view chain) {
  for (const auto name : {family, table, chain}) TRY(check_name(name));
  return run("list chain " + std::string(family) + " " + std::string(table) + " " +
                 std::string(chain),
             kJson);
}

Result<std::string> Nftables::list_counters(std::string_view family,
                                            std::string_view table) {
  for (const auto name : {family, table}) TRY(check_name(name));
  // Not stateless: that would leave out what they counted.
  return run("list counters table " + std::string(family) + " " + std::string(table),
             NFT_CTX_OUTPUT_JSON);
}

}  // namespace wigeon::netlink
