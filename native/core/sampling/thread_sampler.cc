#include "thread_sampler.h"

#include <cerrno>
#include <new>

// The walk reads other functions' frames, between whose variables the sanitizers keep memory that nobody may read.
#if defined(__GNUC__) || defined(__clang__)
#define SYSOPT_READS_FOREIGN_FRAMES __attribute__((no_sanitize("address"), no_sanitize("thread"), noinline))
#else
#define SYSOPT_READS_FOREIGN_FRAMES
#endif

namespace sysopt::sampling {
namespace {

SYSOPT_READS_FOREIGN_FRAMES std::uintptr_t WordAt(std::uintptr_t address) noexcept {
  return *reinterpret_cast<const volatile std::uintptr_t*>(address);
}

}  // namespace

ThreadSampler::~ThreadSampler() { Stop(); }

Status ThreadSampler::Start(std::uint64_t interval_ns) noexcept {
  if (is_running_) return Status::Fail(EALREADY, "timer_create", "this thread is sampled already");
  if (const Status status = os::StackBounds(&stack_low_, &stack_high_); !status.ok()) return status;
  if (!stacks_) stacks_.reset(new (std::nothrow) Stack[kCapacity]);
  if (!stacks_) return Status::Fail(ENOMEM, "malloc");
  size_.store(0, std::memory_order_relaxed);
  taken_.store(0, std::memory_order_relaxed);
  stride_.store(1, std::memory_order_relaxed);
  const Status status = os::StartSamples(
      interval_ns,
      [](void* context, const os::Interrupted& at) noexcept { static_cast<ThreadSampler*>(context)->Take(at); },
      this);
  if (!status.ok()) {
    Forget();
    return status;
  }
  is_running_ = true;
  return Status::Ok();
}

bool ThreadSampler::Stop() noexcept {
  if (!is_running_) return false;
  os::StopSamples();
  is_running_ = false;
  return true;
}

void ThreadSampler::Forget() noexcept {
  stacks_.reset();
  size_.store(0, std::memory_order_relaxed);
  taken_.store(0, std::memory_order_relaxed);
}

void ThreadSampler::Take(const os::Interrupted& at) noexcept {
  const std::uint64_t taken = taken_.load(std::memory_order_relaxed);
  taken_.store(taken + 1, std::memory_order_relaxed);
  std::uint64_t stride = stride_.load(std::memory_order_relaxed);
  if (taken % stride != 0) return;
  std::size_t size = size_.load(std::memory_order_relaxed);
  if (size == kCapacity) {
    // Half a megabyte is moved, at the 8,192nd sample and then each time that as many have passed as before it.
    for (std::size_t i = 0; i < kCapacity / 2; ++i) stacks_[i] = stacks_[2 * i];
    size = kCapacity / 2;
    stride *= 2;
    stride_.store(stride, std::memory_order_relaxed);
    size_.store(size, std::memory_order_relaxed);
    if (taken % stride != 0) return;
  }
  Walk(at, &stacks_[size]);
  size_.store(size + 1, std::memory_order_relaxed);
}

void ThreadSampler::Walk(const os::Interrupted& at, Stack* stack) const noexcept {
  std::size_t depth = 0;
  stack->frames[depth++] = at.pc;
  std::uintptr_t frame = at.fp;
  std::uintptr_t least = at.sp;
  constexpr std::size_t kWord = sizeof(std::uintptr_t);
  // On a stack of another's making (sigaltstack, a coroutine's) nothing is known of what is mapped.
  const bool is_known = at.sp >= stack_low_ && at.sp < stack_high_;
  while (is_known && depth < kDepth) {
    const bool is_plausible = frame >= least && frame % kWord == 0 && frame <= stack_high_ - 2 * kWord;
    if (!is_plausible) break;
    const std::uintptr_t back = WordAt(frame + kWord);
    if (back == 0) break;
    stack->frames[depth++] = back;
    least = frame + 2 * kWord;
    frame = WordAt(frame);
  }
  if (depth < kDepth) stack->frames[depth] = 0;
}

}  // namespace sysopt::sampling
