// SPDX-License-Identifier: GPL-2.0-or-later
#include "dns/loader.hh"

#include <sched.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <system_error>
#include <utility>

#include "dns/sealed.hh"

namespace wigeon::dns {
namespace {

// Nice 19 and SCHED_IDLE may take seconds for it where others want all of the CPU.
constexpr int kLow = 10;
constexpr std::chrono::nanoseconds kSlice = std::chrono::microseconds(100);

// From the second configuration on others are answered meanwhile. Being nice alone is not
// enough: since Linux 6.6 a thread that wakes may have to wait until the slice of the one
// that runs has ended, whatever their priorities; since 6.12 we may say how long ours
// is. Without it loading is as good, replies come later.
void yield_from_now_on() {
  struct {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
  } attributes{};  // struct sched_attr, its first version
  attributes.size = sizeof attributes;
  attributes.policy = SCHED_OTHER;
  attributes.nice = kLow;
  attributes.runtime = static_cast<uint64_t>(kSlice.count());
  (void)::syscall(SYS_sched_setattr, 0, &attributes, 0);
}

Result<Loaded> read(int fd) {
  const auto sealed = TRY(SealedConfig::map(fd));
  auto config = TRY(view_config(sealed.bytes()));
  auto zones = TRY(Zones::build_of(config.zones, config.rest.overlay));
  return Loaded{std::move(config.rest), std::move(zones)};
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
    if (job) yield_from_now_on();
    job.reset();
    lock.lock();
    if (!outcome) continue;
    outcomes_.push_back(std::move(*outcome));
    // The loop wakes at once and takes the CPU: with the mutex held it would wait until
    // the lowest priority has its turn again.
    lock.unlock();
    const uint64_t one = 1;
    (void)!::write(ready_.get(), &one, sizeof one);  // it cannot be full
    lock.lock();
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
