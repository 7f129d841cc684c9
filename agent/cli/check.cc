// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/cli/check.hh"

#include <fmt/format.h>

#include "agent/base/file.hh"
#include "agent/model/limits.hh"
#include "agent/model/load_config.hh"
#include "agent/model/validate.hh"

namespace wigeon::cli {
namespace {

template <class T>
using Judged = std::expected<T, Output>;

Judged<std::string> read(const std::string& path, size_t max) {
  auto bytes = read_file(path, max);
  if (bytes) return *std::move(bytes);
  const int error = bytes.error().code;
  const Code code = error == ENOENT  ? Code::not_found
                    : error == EFBIG ? Code::invalid_config
                                     : Code::error;
  return std::unexpected(failed({code, path + ": " + bytes.error().what}));
}

Output invalid(const Problems& problems) {
  Output output{.exit = exit_code(Code::invalid_config), .err = problems.text()};
  if (!output.err.ends_with('\n')) output.err += '\n';
  return output;
}

Judged<Config> load(const std::vector<std::string>& files) {
  Problems problems;
  if (files.empty()) {
    auto config = load_config({});
    if (config) return *std::move(config);
    return std::unexpected(invalid(config.error()));
  }
  Config config;
  for (const auto& file : files)
    apply_file(config, problems, TRY(read(file, kMaxSettingsBytes)), file);
  settle(config, problems);
  if (!problems.empty()) return std::unexpected(invalid(problems));
  return config;
}

std::string counted(size_t n, std::string_view what) {
  return fmt::format("{} {}{}", n, what, n == 1 ? "" : "s");
}

std::string summary(const std::string& file, const NetworkMap& map,
                    const Verdict& verdict) {
  std::string out = fmt::format("{}: valid, serial {}, {}, {}\n", file, map.serial,
                                counted(map.remote_peers.size(), "peer"),
                                counted(map.routes.size(), "route"));
  for (const auto& refusal : verdict.refusals)
    out += "left out: " + refusal.text() + "\n";
  if (verdict.more_refusals > 0)
    out += fmt::format("left out: {} more\n", verdict.more_refusals);
  for (const auto& note : verdict.notes) out += "note: " + note + "\n";
  return out;
}

Judged<std::string> judge_map(const std::string& file,
                              const std::optional<std::string>& config_file) {
  Config config;
  if (config_file) config = TRY(load({*config_file}));
  const auto map = decode_map(TRY(read(file, kMaxMapBytes)), file);
  if (!map) return std::unexpected(invalid(map.error()));
  const Verdict verdict = validate(config, *map, {.file = file});
  if (!verdict.ok()) return std::unexpected(invalid(verdict.errors));
  return summary(file, *map, verdict);
}

}  // namespace

Output check_config(const std::vector<std::string>& files) {
  const auto config = load(files);
  if (!config) return config.error();
  return {.out = "valid\n"};
}

Output show_config(const std::vector<std::string>& files) {
  const auto config = load(files);
  if (!config) return config.error();
  Output output{.out = to_json(*config)};
  if (!output.out.ends_with('\n')) output.out += '\n';
  return output;
}

Output check_map(const std::string& file, const std::optional<std::string>& config) {
  auto judged = judge_map(file, config);
  if (!judged) return std::move(judged).error();
  return {.out = *std::move(judged)};
}

}  // namespace wigeon::cli
