// SPDX-License-Identifier: GPL-2.0-or-later
// One run of a program that may take long: without a shell, with a fixed environment, its
// input given whole, what it says bounded, killed with all it started when it takes more
// than its time.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "agent/base/loop.hh"

namespace wigeon::dns::os {

inline constexpr size_t kMaxSaid = 400;  // bytes of output that are kept

class ProgramRun {
 public:
  // failure: "exit status 99: no such command", "took more than 5 s"; empty: all is well.
  using Done = std::move_only_function<void(const std::string& failure)>;

  // argv[0] is an absolute path. done is called once, from the loop, and may destroy the
  // run. Destroying it before kills the program.
  static Result<std::unique_ptr<ProgramRun>> start(Loop& loop,
                                                   const std::vector<std::string>& argv,
                                                   const std::string& input,
                                                   std::chrono::milliseconds limit,
                                                   Done done);
  ~ProgramRun();

 private:
  ProgramRun() = default;
  Result<void> spawn(const std::vector<std::string>& argv, const std::string& input);
  void read();
  void ended(const siginfo_t& info);
  void kill();

  pid_t pid_ = 0;  // and process group; 0: it has ended
  UniqueFd output_{};
  std::string said_{};
  bool late_ = false;
  std::chrono::milliseconds allowed_{};
  Done done_{};
  Loop::Watch reading_{}, child_{}, limit_{};
};

}  // namespace wigeon::dns::os
