// A pool of native threads for bulk kernels: one for the process, whoever asks first starts it, all JavaScript threads
// share it. A job is a number of chunks that any thread may run in any order; the caller of `RunAndWait` takes part.
//
// Method: one queue under one mutex, chunks claimed by an atomic counter in the job. A chunk takes tens of microseconds,
// so claiming is not what costs; per-thread deques would buy nothing. Waiting is for finished chunks, not for threads:
// a helper that the kernel has not woken yet delays nobody.
//
// What costs is waking: tens of microseconds across CPUs, as long as a kernel takes. So
// - a helper that has run out of work looks for more for a moment before it sleeps, but only while that keeps paying and
//   nobody else wants its CPU: after a few moments in vain it sleeps at once, and a yield that takes long ends the moment;
// - a helper that finds itself on its caller's CPU leaves it and keeps off. Kernels like to wake a thread there, which
//   is right for a pipe's two ends and wrong here: the two would take turns. So that it can find that out, the caller
//   gives its CPU away for a moment, after each chunk until a helper has come;
// - the caller looks for the end of the last chunks before it sleeps, which pays where they take as long as waking.
#ifndef SYSOPT_CORE_SCHED_POOL_H_
#define SYSOPT_CORE_SCHED_POOL_H_

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace sysopt::sched {

class Job {
 public:
  explicit Job(std::size_t chunks) : chunks_(chunks), left_(chunks) {}
  virtual ~Job() = default;
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;

  // Each chunk once, on any thread. Chunks are begun in ascending order: one may wait for those before it, which
  // some thread runs or has run.
  virtual void Run(std::size_t chunk) noexcept = 0;

  std::size_t chunks() const { return chunks_; }

 private:
  friend class Pool;
  const std::size_t chunks_;
  std::atomic<std::size_t> next_{0};  // the first chunk that nobody has claimed
  std::atomic<std::size_t> left_;     // chunks neither run nor cancelled
  unsigned helpers_ = 0;              // threads that may still join; under the pool's mutex
  std::atomic<unsigned> joined_{0};   // threads that have
  int caller_cpu_ = -1;               // where the job came from, -1 where unknown; set before it is queued
  void (*done_)(void*) = nullptr;     // called once, by the thread that ends the job
  void* argument_ = nullptr;
  std::mutex mutex_;
  std::condition_variable ended_;
  std::atomic<bool> is_ended_{false};  // after done_ has returned; set under mutex_
};

class Pool {
 public:
  // The pool of the process. Never destroyed: threads may outlive static objects where a process exits without
  // ending its environments.
  static Pool& Process();

  Pool() = default;
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  // Every environment that may submit jobs retains the pool. With the last release its threads end; the next job
  // starts new ones. Not from a thread of the pool.
  void Retain();
  void Release();

  // Runs a job on the calling thread and up to `threads - 1` others. Returns when every chunk has run.
  void RunAndWait(const std::shared_ptr<Job>& job, unsigned threads);

  // Runs a job on up to `threads` threads of the pool, then `done(argument)` on one of them. Where not one thread can
  // be started the calling thread runs it all, `done` included.
  void Submit(const std::shared_ptr<Job>& job, unsigned threads, void (*done)(void*), void* argument);

  // Chunks that nobody has begun are left out. Then waits for the job's end, `done` included.
  void CancelAndWait(const std::shared_ptr<Job>& job);

  // Threads that live.
  std::size_t threads();

 private:
  static constexpr unsigned kMaxThreads = 64;

  void Start(unsigned threads);  // with mutex_ held
  void Enqueue(const std::shared_ptr<Job>& job, unsigned helpers);
  void ThreadMain();
  bool Linger();
  static bool RunNext(Job& job);
  static void Work(Job& job);
  static void WorkAsCaller(Job& job);
  static void Take(Job& job, std::size_t chunks);
  static void Wait(Job& job);

  std::mutex lifetime_;  // of retain and release: a release joins threads before the next retain
  std::size_t users_ = 0;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::shared_ptr<Job>> queue_;
  std::vector<std::thread> threads_;
  std::atomic<bool> stopping_{false};  // set under mutex_
  unsigned lingering_ = 0;              // threads that look for a job without sleeping
  std::atomic<std::size_t> queued_{0};  // jobs in queue_, for those that look without the mutex
};

}  // namespace sysopt::sched

#endif  // SYSOPT_CORE_SCHED_POOL_H_
