// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/cli/cli.hh"

#include <catch2/catch.hpp>

using namespace wigeon::cli;

TEST_CASE("usage errors end in 2 and guess what was meant") {
  const std::vector<std::tuple<std::vector<std::string>, std::string>> table{
      {{"statsu"},
       "Error: unknown command \"statsu\" for \"wigeon\"\nDid you mean status?\n"
       "Run 'wigeon --help' for usage.\n"},
      {{"status", "--jsno"},
       "Error: unknown flag --jsno for \"wigeon status\"\nDid you mean --json?\n"
       "Run 'wigeon status --help' for usage.\n"},
      {{"up", "--waitt=1"},
       "Error: unknown flag --waitt for \"wigeon up\"\nDid you mean --wait?\n"
       "Run 'wigeon up --help' for usage.\n"},
      {{"up", "--daemon-adr", "x"},
       "Error: unknown flag --daemon-adr for \"wigeon up\"\nDid you mean --daemon-addr?\n"
       "Run 'wigeon up --help' for usage.\n"},
      {{"config", "chekc"},
       "Error: unknown command \"chekc\" for \"wigeon config\"\nDid you mean check?\n"
       "Run 'wigeon config --help' for usage.\n"},
      {{"frobnicate"},
       "Error: unknown command \"frobnicate\" for \"wigeon\"\n"
       "Run 'wigeon --help' for usage.\n"},
      {{"down", "now"},
       "Error: unexpected argument \"now\" for \"wigeon down\"\n"
       "Run 'wigeon down --help' for usage.\n"},
      {{"up", "--timeout", "5x"},
       "Error: --timeout: must be a duration like 30s, 500ms or 2m, up to 24h\n"
       "Run 'wigeon up --help' for usage.\n"},
      {{"status", "-j", "-y"},
       "Error: only one of --detail, --json, --yaml, --ipv4 and --ipv6 can be given\n"},
      {{"debug", "log", "level", "loud"},
       "Error: log level must be one of error, warning, info, debug, trace, got: loud\n"},
  };
  for (const auto& [args, err] : table) {
    const auto output = run(args, {});
    CHECK(output.exit == 2);
    CHECK(output.out.empty());
    CHECK(output.err == err);
  }
}

TEST_CASE("a command group alone shows what there is, as an error") {
  for (const std::vector<std::string>& args :
       {std::vector<std::string>{}, {"config"}, {"map"}, {"debug"}, {"debug", "log"}}) {
    const auto output = run(args, {});
    CHECK(output.exit == 2);
    CHECK(output.err.starts_with("Error: a command is required\n\n"));
    CHECK(output.err.find("Subcommands:") != std::string::npos);
  }
}

TEST_CASE("every command has help with an example") {
  for (const std::vector<std::string>& command : {std::vector<std::string>{},
                                                  {"up"},
                                                  {"down"},
                                                  {"status"},
                                                  {"version"},
                                                  {"config"},
                                                  {"config", "check"},
                                                  {"config", "show"},
                                                  {"map"},
                                                  {"map", "check"},
                                                  {"debug"},
                                                  {"debug", "log"},
                                                  {"debug", "log", "level"}}) {
    auto args = command;
    args.emplace_back("--help");
    const auto output = run(args, {});
    CHECK(output.exit == 0);
    CHECK(output.err.empty());
    const auto example = output.out.find("Example");
    REQUIRE(example != std::string::npos);
    std::string name = "  wigeon";
    for (const auto& word : command) name += " " + word;
    CHECK(output.out.find(name, example) != std::string::npos);
  }
}

TEST_CASE("the version needs no daemon") {
  CHECK(run({"version"}, {}).out == WIGEON_VERSION "\n");
  CHECK(run({"--version"}, {}).out == WIGEON_VERSION "\n");
}

TEST_CASE("the daemon's address comes from flag, then WIGEON_, then NB_ variable") {
  const Environment environment{.variables = {{"WIGEON_DAEMON_ADDR", "unix:///w"},
                                              {"NB_DAEMON_ADDR", "unix:///n"}}};
  CHECK(run({"down"}, environment).err.find("connect to /w:") != std::string::npos);
  CHECK(run({"down"}, {.variables = {{"NB_DAEMON_ADDR", "unix:///n"}}})
            .err.find("connect to /n:") != std::string::npos);
  for (const std::vector<std::string>& args :
       {std::vector<std::string>{"--daemon-addr", "unix:///f", "down"},
        {"down", "--daemon-addr=unix:///f"}})
    CHECK(run(args, environment).err.find("connect to /f:") != std::string::npos);
  CHECK(run({"down", "--daemon-addr", "tcp://127.0.0.1:1"}, {}).exit == 2);
}

TEST_CASE("without a daemon the exit code is 3 and the text says how to start it") {
  const auto output = run({"status", "--daemon-addr", "unix:///nonexistent/s"}, {});
  CHECK(output.exit == 3);
  CHECK(
      output.err ==
      "Error: failed to connect to daemon error: connect to /nonexistent/s: No such file "
      "or directory\n"
      "If the daemon is not running please run: \n"
      "systemctl start wigeond\n");
  CHECK(
      run({"status", "--check", "live", "--daemon-addr", "unix:///nonexistent/s"}, {})
          .err ==
      "Error: failed to connect to daemon error: connect to /nonexistent/s: No such file "
      "or directory\n");
}

TEST_CASE("files that are not there are 10") {
  for (const std::vector<std::string>& args :
       {std::vector<std::string>{"config", "check", "/nonexistent"},
        {"config", "show", "/nonexistent"},
        {"map", "check", "/nonexistent"},
        {"up", "--map", "/nonexistent"}})
    CHECK(run(args, {}).exit == 10);
}
