// SPDX-License-Identifier: GPL-2.0-or-later
#include "dns/loader.hh"

#include <malloc.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include <system_error>
#include <utility>

#include "dns/control.hh"

namespace wigeon::dns {
namespace {

constexpr int kLowest = 19;

Result<Loaded> read(int fd) {
  auto config = read_sealed_config(fd);
  if (!config) return std::unexpected(std::move(config).error());
  auto zones = Zones::build(config->zones, config->overlay);
  if (!zones) return std::unexpected(std::move(zones).error());
  config->zones = {};
  return Loaded{std::move(*config), std::move(*zones)};
}

}  // namespace

Result<std::unique_ptr<Loader>> Loader::start(Loop& loop, Done done) {
  std::unique_ptr<Loader> l(new Loader(std::move(done)));
  l->ready_.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!l->ready_) return fail_errno("eventfd");
  auto* self = l.get();
  l->watch_ =
      TRY(loop.watch(self->ready_.get(), EPOLLIN, [self](uint32_t) { self->collect(); }));
  try {
    l->thread_ = std::thread([self] { self->work(); });
  } catch (const std::system_error& e) {
    return fail(e.code().value(), std::string("starting a thread: ") + e.what());
  }
  std::unique_lock lock(l->mutex_);
  l->changed_.wait(lock, [self] { return self->running_; });
  return l;
}

Loader::~Loader() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Loader::load(uint32_t generation, UniqueFd fd) {
  {
    const std::lock_guard lock(mutex_);
    job_ = Job{generation, std::move(fd)};
  }
  changed_.notify_all();
}

void Loader::discard(std::shared_ptr<const Zones> zones) {
  {
    const std::lock_guard lock(mutex_);
    discarded_.push_back(std::move(zones));
  }
  changed_.notify_all();
}

void Loader::work() {
  // A thread's own on Linux. Without it loading is as good, replies come later.
  (void)::setpriority(PRIO_PROCESS, 0, kLowest);
  // The first allocation of a thread makes system calls that are gone later.
  void* volatile first = ::malloc(1);
  ::free(first);
  std::unique_lock lock(mutex_);
  running_ = true;
  changed_.notify_all();
  for (;;) {
    changed_.wait(lock, [this] { return ending_ || job_ || !discarded_.empty(); });
    if (ending_) return;
    auto job = std::exchange(job_, {});
    auto discarded = std::exchange(discarded_, {});
    lock.unlock();
    discarded.clear();
    std::optional<Outcome> outcome;
    if (job) outcome = Outcome{job->first, read(job->second.get())};
    job.reset();
    // What a large configuration took while it was text goes back to the system.
    ::malloc_trim(0);
    lock.lock();
    if (!outcome) continue;
    outcomes_.push_back(std::move(*outcome));
    const uint64_t one = 1;
    (void)!::write(ready_.get(), &one, sizeof one);  // it cannot be full
  }
}

void Loader::collect() {
  uint64_t count = 0;
  (void)!::read(ready_.get(), &count, sizeof count);
  std::vector<Outcome> outcomes;
  {
    const std::lock_guard lock(mutex_);
    outcomes = std::exchange(outcomes_, {});
  }
  for (auto& [generation, loaded] : outcomes) done_(generation, std::move(loaded));
}

}  // namespace wigeon::dns
