#include "pool.h"

#include <algorithm>
#include <chrono>
#include <system_error>

#include "thread.h"

namespace sysopt::sched {
namespace {

// How long a caller looks for the end of others' chunks before it sleeps: about what waking costs.
constexpr std::chrono::microseconds kSpin{20};

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
  {
    const std::lock_guard lock(mutex_);
    Start(helpers);
    job->helpers_ = std::min<unsigned>(helpers, static_cast<unsigned>(threads_.size()));
    helpers = job->helpers_;
    if (helpers > 0) queue_.push_back(job);
  }
  for (unsigned k = 0; k < helpers; ++k) wake_.notify_one();
}

void Pool::RunAndWait(const std::shared_ptr<Job>& job, unsigned threads) {
  if (job->chunks() == 0) return;
  const auto others = static_cast<unsigned>(std::min<std::size_t>(job->chunks() - 1, kMaxThreads));
  const unsigned helpers = std::min(threads > 0 ? threads - 1 : 0, others);
  if (helpers > 0) Enqueue(job, helpers);
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
  job.is_ended_ = true;
  job.ended_.notify_all();
}

void Pool::Work(Job& job) {
  for (;;) {
    // Looked at first, so that the counter does not run on without end.
    if (job.next_.load(std::memory_order_relaxed) >= job.chunks()) return;
    const std::size_t chunk = job.next_.fetch_add(1, std::memory_order_relaxed);
    if (chunk >= job.chunks()) return;
    job.Run(chunk);
    Take(job, 1);
  }
}

void Pool::Wait(Job& job) {
  const auto until = std::chrono::steady_clock::now() + kSpin;
  while (job.left_.load(std::memory_order_acquire) > 0 && std::chrono::steady_clock::now() < until) {
    std::this_thread::yield();
  }
  std::unique_lock lock(job.mutex_);
  job.ended_.wait(lock, [&job] { return job.is_ended_; });
}

void Pool::ThreadMain() {
  // Without a name it works as well.
  static_cast<void>(NameThread("sysopt-kernels").ok());
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    if (queue_.empty()) return;  // stopping, and nothing left to do
    const std::shared_ptr<Job> job = queue_.front();
    if (--job->helpers_ == 0) queue_.pop_front();
    lock.unlock();
    Work(*job);
    lock.lock();
    // What is claimed to the end needs no more helpers.
    if (!queue_.empty() && queue_.front() == job) queue_.pop_front();
  }
}

}  // namespace sysopt::sched
