#include "pool.h"

#include <algorithm>
#include <chrono>
#include <system_error>

#include "../os/os.h"
#include "spin.h"
#include "thread.h"

namespace sysopt::sched {
namespace {

// How long a caller looks for the end of others' chunks before it sleeps: some times what waking costs.
constexpr std::chrono::microseconds kCallerSpin{500};
// How long a helper looks for the next job before it sleeps.
constexpr std::chrono::microseconds kHelperSpin{100};
// Moments in vain after which a helper sleeps at once, and jobs after which it tries again.
constexpr unsigned kPatience = 8;
constexpr unsigned kTryAgainAfter = 16;

// What a thread of the pool knows of where it may run.
class Place {
 public:
  Place() {
    if (!os::GetAffinity(0, &allowed_).ok()) return;
    for (int cpu = 0; cpu < os::CpuSet::kMaxCpus; ++cpu) cpus_ += allowed_.Has(cpu) ? 1 : 0;
  }

  // Leaves the CPU that the caller is on, and does not come back until jobs come from elsewhere.
  void KeepOff(int caller_cpu) {
    if (cpus_ < 2 || caller_cpu < 0 || caller_cpu >= os::CpuSet::kMaxCpus || caller_cpu == off_) return;
    if (os::CurrentCpu() != caller_cpu || !allowed_.Has(caller_cpu)) return;
    os::CpuSet others = allowed_;
    others.words[caller_cpu / 64] &= ~(std::uint64_t{1} << (caller_cpu % 64));
    if (os::SetAffinity(0, others).ok()) off_ = caller_cpu;
  }

  unsigned cpus() const { return cpus_; }

 private:
  os::CpuSet allowed_;
  unsigned cpus_ = 0;
  int off_ = -1;
};

}  // namespace

Pool& Pool::Process() {
  static Pool* const pool = new Pool;
  return *pool;
}

Pool::~Pool() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void Pool::Retain() {
  const std::lock_guard lock(lifetime_);
  ++users_;
}

void Pool::Release() {
  const std::lock_guard lifetime(lifetime_);
  if (--users_ > 0) return;
  std::vector<std::thread> ending;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    ending.swap(threads_);
  }
  wake_.notify_all();
  for (std::thread& thread : ending) thread.join();
  const std::lock_guard lock(mutex_);
  stopping_ = false;
}

std::size_t Pool::threads() {
  const std::lock_guard lock(mutex_);
  return threads_.size();
}

void Pool::Start(unsigned wanted) {
  wanted = std::min(wanted, kMaxThreads);
  try {
    while (threads_.size() < wanted) threads_.emplace_back([this] { ThreadMain(); });
  } catch (const std::system_error&) {
    // No more threads to be had: those that there are do the work.
  }
}

void Pool::Enqueue(const std::shared_ptr<Job>& job, unsigned helpers) {
  job->caller_cpu_ = os::CurrentCpu();
  {
    const std::lock_guard lock(mutex_);
    Start(helpers);
    job->helpers_ = std::min<unsigned>(helpers, static_cast<unsigned>(threads_.size()));
    helpers = job->helpers_;
    if (helpers > 0) queue_.push_back(job);
    queued_.store(queue_.size(), std::memory_order_release);
    // Those that linger see it by themselves, at the latest when they are about to sleep.
    helpers -= std::min(helpers, lingering_);
  }
  for (unsigned k = 0; k < helpers; ++k) wake_.notify_one();
}

void Pool::RunAndWait(const std::shared_ptr<Job>& job, unsigned threads) {
  if (job->chunks() == 0) return;
  const auto others = static_cast<unsigned>(std::min<std::size_t>(job->chunks() - 1, kMaxThreads));
  const unsigned helpers = std::min(threads > 0 ? threads - 1 : 0, others);
  if (helpers > 0) {
    Enqueue(job, helpers);
    WorkAsCaller(*job);
  }
  Work(*job);
  Wait(*job);
}

void Pool::Submit(const std::shared_ptr<Job>& job, unsigned threads, void (*done)(void*), void* argument) {
  job->done_ = done;
  job->argument_ = argument;
  if (job->chunks() == 0) {
    Take(*job, 0);
    return;
  }
  const auto useful = static_cast<unsigned>(std::min<std::size_t>(job->chunks(), kMaxThreads));
  Enqueue(job, std::max(1u, std::min(threads, useful)));
  bool orphaned;
  {
    const std::lock_guard lock(mutex_);
    orphaned = threads_.empty();
  }
  if (orphaned) Work(*job);
}

void Pool::CancelAndWait(const std::shared_ptr<Job>& job) {
  const std::size_t claimed = std::min(job->next_.exchange(job->chunks()), job->chunks());
  if (claimed < job->chunks()) Take(*job, job->chunks() - claimed);
  Wait(*job);
}

// Counts chunks as finished; the last ones end the job.
void Pool::Take(Job& job, std::size_t chunks) {
  if (job.left_.fetch_sub(chunks, std::memory_order_acq_rel) != chunks) return;
  if (job.done_) job.done_(job.argument_);
  const std::lock_guard lock(job.mutex_);
  job.is_ended_.store(true, std::memory_order_release);
  job.ended_.notify_all();
}

// Runs a chunk that nobody has claimed. Returns false where there is none.
bool Pool::RunNext(Job& job) {
  // Looked at first, so that the counter does not run on without end.
  if (job.next_.load(std::memory_order_relaxed) >= job.chunks()) return false;
  const std::size_t chunk = job.next_.fetch_add(1, std::memory_order_relaxed);
  if (chunk >= job.chunks()) return false;
  job.Run(chunk);
  Take(job, 1);
  return true;
}

void Pool::Work(Job& job) {
  while (RunNext(job)) {
  }
}

// Until a helper has come. A helper that was woken on this CPU cannot run before it is given away.
void Pool::WorkAsCaller(Job& job) {
  do {
    if (job.joined_.load(std::memory_order_relaxed) > 0) return;
    std::this_thread::yield();
  } while (RunNext(job));
}

void Pool::Wait(Job& job) {
  const auto is_ended = [&job] { return job.is_ended_.load(std::memory_order_acquire); };
  SpinFor(kCallerSpin, false, is_ended);
  if (is_ended()) {
    // Whoever ended the job may still hold its mutex, and the caller may be the last to keep the job.
    const std::lock_guard lock(job.mutex_);
    return;
  }
  std::unique_lock lock(job.mutex_);
  job.ended_.wait(lock, is_ended);
}

// Looks for a job before sleeping. Returns whether there was one.
bool Pool::Linger() {
  const auto is_over = [this] {
    return queued_.load(std::memory_order_acquire) > 0 || stopping_.load(std::memory_order_relaxed);
  };
  SpinFor(kHelperSpin, true, is_over);
  return queued_.load(std::memory_order_acquire) > 0;
}

void Pool::ThreadMain() {
  // Without a name it works as well.
  static_cast<void>(NameThread("sysopt-kernels").ok());
  // Whoever asked for the pool first may be pinned; its helpers are for all threads of the process.
  static_cast<void>(UseProcessCpus().ok());
  Place place;
  unsigned patience = kPatience;
  unsigned skipped = 0;
  std::unique_lock lock(mutex_);
  for (bool is_first = true;; is_first = false) {
    if (queue_.empty() && !stopping_ && !is_first && place.cpus() > 1 &&
        (patience > 0 || ++skipped >= kTryAgainAfter)) {
      skipped = 0;
      ++lingering_;
      lock.unlock();
      const bool found = Linger();
      lock.lock();
      --lingering_;
      patience = found ? kPatience : patience - (patience > 0 ? 1 : 0);
    }
    wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    if (queue_.empty()) return;  // stopping, and nothing left to do
    const std::shared_ptr<Job> job = queue_.front();
    if (--job->helpers_ == 0) queue_.pop_front();
    queued_.store(queue_.size(), std::memory_order_relaxed);
    lock.unlock();
    job->joined_.fetch_add(1, std::memory_order_relaxed);
    place.KeepOff(job->caller_cpu_);
    Work(*job);
    lock.lock();
    // What is claimed to the end needs no more helpers.
    if (!queue_.empty() && queue_.front() == job) queue_.pop_front();
    queued_.store(queue_.size(), std::memory_order_relaxed);
  }
}

}  // namespace sysopt::sched
