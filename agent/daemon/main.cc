// SPDX-License-Identifier: GPL-2.0-or-later
// wigeond(8). Exit codes: 0 ok, 1 error, 2 usage, 4 not permitted, 7 invalid settings or
// key, 9 another daemon runs, 10 no such state.
#include <malloc.h>

#include <cstdio>
#include <optional>
#include <span>

#include "agent/base/key.hh"
#include "agent/base/log.hh"
#include "agent/daemon/clean.hh"
#include "agent/daemon/daemon.hh"
#include "agent/daemon/sandbox.hh"
#include "agent/model/load_config.hh"
#include "agent/model/settings.hh"

namespace wigeon {
namespace {

enum Exit {
  kOk = 0,
  kError = 1,
  kUsage = 2,
  kNotPermitted = 4,
  kInvalid = 7,
  kAlreadyRunning = 9,
  kNotFound = 10
};

// What `wigeon state` runs us for.
struct StateTask {
  enum class Verb { list, clean, forget, restore_dns } verb = Verb::list;
  std::string name{};  // empty: all
};

struct Arguments {
  ConfigSources sources{};
  bool print_public_key = false;
  std::optional<StateTask> state{};
};

constexpr const char* kHelp =
    "Usage: wigeond [--config FILE] [--SETTING VALUE]…\n"
    "       wigeond --print-public-key\n"
    "       wigeond --list-state | --clean-state NAME|all | --delete-state NAME|all\n"
    "       wigeond --restore-dns\n\n"
    "Makes this host obey its network map. Runs in the foreground and logs to stderr "
    "or,\n"
    "started by systemd, to the journal.\n\n"
    "  --config FILE        settings (default /etc/wigeon/config.json; FILE's directory "
    "may\n"
    "                       hold config.d/*.json)\n"
    "  --print-public-key   print this host's public key, making the private one if "
    "needed\n"
    "  --list-state         what the last daemon left on the host: \"NAME DETAIL\" a "
    "line\n"
    "  --clean-state NAME   take it off the host (or `all`); prints the names that went\n"
    "  --delete-state NAME  forget the record of it and leave the host as it is\n"
    "  --restore-dns        take back what the host was told of our resolver, after a\n"
    "                       daemon that ended without doing so; for ExecStopPost=\n"
    "  --version\n  --help\n\nSettings (each also WIGEON_… in the environment):\n";

int say(int code, const std::string& message) {
  std::fprintf(stderr, "wigeond: %s\n", message.c_str());
  return code;
}

// The exit code when there is nothing more to do.
std::optional<int> read_arguments(std::span<char*> argv, Arguments& to) {
  to.sources.environment = own_environment();
  for (size_t i = 1; i < argv.size(); ++i) {
    const std::string_view a = argv[i];
    if (a == "--help" || a == "-h") {
      std::fputs((kHelp + settings_help()).c_str(), stdout);
      return kOk;
    }
    if (a == "--version") {
      std::puts("wigeond " WIGEON_VERSION);
      return kOk;
    }
    if (a == "--print-public-key") {
      to.print_public_key = true;
    } else if (a == "--list-state") {
      to.state = StateTask{};
    } else if (a == "--clean-state" || a == "--delete-state") {
      if (++i == argv.size()) return say(kUsage, std::string(a) + " needs a name or all");
      to.state = StateTask{
          a == "--clean-state" ? StateTask::Verb::clean : StateTask::Verb::forget,
          argv[i] == std::string_view("all") ? "" : argv[i]};
    } else if (a == "--restore-dns") {
      to.state = StateTask{StateTask::Verb::restore_dns};
    } else if (a == "--config") {
      if (++i == argv.size()) return say(kUsage, "--config needs a file");
      to.sources.file = argv[i];
      const auto slash = to.sources.file.rfind('/');
      to.sources.directory =
          (slash == std::string::npos ? "." : to.sources.file.substr(0, slash)) +
          "/config.d";
    } else {
      to.sources.flags.emplace_back(a);
    }
  }
  return std::nullopt;
}

int state_failed(const Error& e) {
  return say(e.code == EBADR                       ? kNotFound
             : e.code == EALREADY                  ? kAlreadyRunning
             : e.code == EACCES || e.code == EPERM ? kNotPermitted
                                                   : kError,
             e.what);
}

int handle_state(const Config& config, const StateTask& task) {
  if (task.verb == StateTask::Verb::list) {
    const auto list = list_states(config);
    if (!list) return state_failed(list.error());
    for (const auto& e : *list)
      std::printf("%s %s\n", state_name(e).c_str(), e.detail.c_str());
    return kOk;
  }
  if (task.verb != StateTask::Verb::forget) {
    if (auto may = require_net_admin(); !may) return say(kNotPermitted, may.error().what);
    if (auto shed = shed_privileges(); !shed) return say(kError, shed.error().what);
  }
  if (task.verb == StateTask::Verb::restore_dns) {
    const auto notes = restore_dns(config);
    if (!notes) return state_failed(notes.error());
    for (const auto& note : *notes) std::puts(note.c_str());
    return kOk;
  }
  const auto done = task.verb == StateTask::Verb::clean
                        ? clean_states(config, task.name)
                        : delete_states(config, task.name);
  if (!done) return state_failed(done.error());
  if (!done->note.empty()) say(kOk, done->note);
  for (const auto& name : done->names) std::puts(name.c_str());
  return kOk;
}

int run(std::span<char*> argv) {
  Arguments arguments;
  if (const auto code = read_arguments(argv, arguments)) return *code;
  {
    // Flags that are no settings are a matter of usage, not of settings.
    Config scratch;
    Problems ignored;
    const auto rest = apply_flags(scratch, ignored, arguments.sources.flags);
    if (!rest.empty())
      return say(kUsage, "unknown argument " + rest[0] + "; see wigeond --help");
  }
  auto config = load_config(arguments.sources);
  if (!config) return say(kInvalid, "invalid settings\n" + config.error().text());
  log::set_program("wigeond");
  log::set_level(config->log_level);
  log::set_format(config->log_format);

  if (arguments.print_public_key) {
    const auto key = load_or_make_private_key(config->private_key_file);
    if (!key)
      return say(key.error().code == EACCES ? kNotPermitted : kInvalid, key.error().what);
    std::puts(key->public_key().text().c_str());
    return kOk;
  }
  if (arguments.state) return handle_state(*config, *arguments.state);
  if (auto may = require_net_admin(); !may) return say(kNotPermitted, may.error().what);
  if (auto shed = shed_privileges(); !shed) return say(kError, shed.error().what);

  const std::string key_file = config->private_key_file,
                    psk_file = config->preshared_key_file;
  auto daemon = Daemon::open(std::move(*config), std::move(arguments.sources));
  if (!daemon) {
    const Error& e = daemon.error();
    const bool about_key = e.what.starts_with(key_file) ||
                           (!psk_file.empty() && e.what.starts_with(psk_file));
    return say(about_key            ? kInvalid
               : e.code == EALREADY ? kAlreadyRunning
                                    : kError,
               e.what);
  }
  const auto code = (*daemon)->run();
  return code ? *code : say(kError, code.error().what);
}

}  // namespace
}  // namespace wigeon

int main(int argc, char** argv) {
  // What a map or a look at 10,000 peers took goes back to the system: the default
  // thresholds grow with the largest block ever freed.
  ::mallopt(M_MMAP_THRESHOLD, 128 << 10);
  ::mallopt(M_TRIM_THRESHOLD, 256 << 10);
  return wigeon::run({argv, static_cast<size_t>(argc)});
}
