// SPDX-License-Identifier: GPL-2.0-or-later
// Turns configurations into zones on a thread of its own: 100,000 names take tens of
// milliseconds to read, and as many to forget, in which nobody must wait for a reply.
//
// But for the first, for which queries wait, the thread has a low priority, so that one
// that comes in takes the CPU from it at once. It holds nothing that the loop reads;
// what it made is handed over whole.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "agent/base/loop.hh"
#include "dns/config.hh"
#include "dns/zone.hh"

namespace wigeon::dns {

struct Loaded {
  ResolverConfig config{};  // without its zones
  std::shared_ptr<const Zones> zones{};
};

class Loader {
 public:
  // From the loop.
  using Done = std::move_only_function<void(uint32_t generation, Result<Loaded> loaded)>;

  // The thread runs when this returns: before system calls are taken away.
  static Result<std::unique_ptr<Loader>> start(Loop& loop, Done done);
  // Waits for the thread, so for what it is reading.
  ~Loader();

  // fd: a sealed memfd (dns/control.hh). One that is read now is finished; of those that
  // wait the last one wins, and done is called for no other.
  void load(uint32_t generation, UniqueFd fd);
  // Lets go of them on the thread.
  void discard(std::shared_ptr<const Zones> zones);

 private:
  // With the configuration's generation.
  using Job = std::pair<uint32_t, UniqueFd>;
  using Outcome = std::pair<uint32_t, Result<Loaded>>;

  explicit Loader(Done done) : done_(std::move(done)) {}
  void work();
  void collect();

  Done done_;
  UniqueFd ready_{};  // eventfd: outcomes_ is not empty
  std::mutex mutex_{};
  std::condition_variable changed_{};
  // Under the mutex:
  std::optional<Job> job_{};
  std::vector<std::shared_ptr<const Zones>> discarded_{};
  std::vector<Outcome> outcomes_{};
  bool running_ = false, ending_ = false;

  std::thread thread_{};
  Loop::Watch watch_{};
};

}  // namespace wigeon::dns
