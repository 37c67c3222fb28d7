// What one thread executes, native code included: its program counter and the return addresses above it, each time
// that it has used so much more of its CPU clock.
//
// Samples go into memory of fixed size. Where it is full, every second sample is dropped and from then on half as many
// are taken, so that a long run ends with 4,096 to 8,192 samples spread evenly over its CPU time. Rejected: a ring,
// which keeps the end of the run alone; draining by the event loop, which a blocked loop does not do.
//
// Callers are found by frame pointers, within the bounds of the stack that were asked for beforehand: nothing outside
// of it is read, so that no register's content can fault. Rejected: unwinding by .eh_frame, which is not
// async-signal-safe, takes microseconds a frame, and knows no V8 frame.
#ifndef SYSOPT_CORE_SAMPLING_THREAD_SAMPLER_H_
#define SYSOPT_CORE_SAMPLING_THREAD_SAMPLER_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "../os/os.h"
#include "../status.h"

namespace sysopt::sampling {

// The program counter, then return addresses from the innermost outwards; 0 ends them.
constexpr std::size_t kDepth = 16;
struct Stack {
  std::uintptr_t frames[kDepth];
};

class ThreadSampler {
 public:
  static constexpr std::size_t kCapacity = 8192;

  ThreadSampler() = default;
  ThreadSampler(const ThreadSampler&) = delete;
  ThreadSampler& operator=(const ThreadSampler&) = delete;
  // Pre: on the sampled thread, where it is still running.
  ~ThreadSampler();

  // Samples the calling thread. EALREADY where this sampler runs, EBUSY where another of the process does, ENOTSUP,
  // ENOMEM. Forgets the samples of a run before.
  Status Start(std::uint64_t interval_ns) noexcept;

  // Ends it, on the same thread; false where it was not running. The samples stay.
  bool Stop() noexcept;
  bool is_running() const noexcept { return is_running_; }

  // Pre: stopped.
  const Stack* stacks() const noexcept { return stacks_.get(); }
  std::size_t size() const noexcept { return size_.load(std::memory_order_relaxed); }
  // All that were taken, dropped ones included.
  std::uint64_t taken() const noexcept { return taken_.load(std::memory_order_relaxed); }
  void Forget() noexcept;

  // What the signal handler calls. Public for tests.
  void Take(const os::Interrupted& at) noexcept;

 private:
  void Walk(const os::Interrupted& at, Stack* stack) const noexcept;

  std::unique_ptr<Stack[]> stacks_;
  std::uintptr_t stack_low_ = 0;
  std::uintptr_t stack_high_ = 0;
  // Atomic because a handler writes them; it runs on the thread that reads, so none needs an order.
  std::atomic<std::size_t> size_{0};
  std::atomic<std::uint64_t> taken_{0};
  std::atomic<std::uint64_t> stride_{1};
  bool is_running_ = false;
};

}  // namespace sysopt::sampling

#endif  // SYSOPT_CORE_SAMPLING_THREAD_SAMPLER_H_
