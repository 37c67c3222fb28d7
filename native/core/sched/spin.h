// Waiting without sleeping, for what takes less time than waking a thread.
#ifndef SYSOPT_CORE_SCHED_SPIN_H_
#define SYSOPT_CORE_SCHED_SPIN_H_

#include <chrono>
#include <thread>

#if defined(__x86_64__) || defined(_M_X64)
#include <immintrin.h>
#endif

namespace sysopt::sched {

// Tells the CPU that this is a loop that waits.
inline void Relax() noexcept {
#if defined(__x86_64__) || defined(_M_X64)
  _mm_pause();
#elif defined(__aarch64__) && (defined(__GNUC__) || defined(__clang__))
  __asm__ __volatile__("yield");
#endif
}

// A yield that takes this long has let somebody else run.
inline constexpr std::chrono::microseconds kLongYield{10};

// Until `is_over` or the time is up. By time, never by iterations: a pause takes from 5 to 140 cycles. Gives the CPU away
// now and then: what is waited for may need it. Ends early where somebody took it for long and `is_polite`.
template <typename IsOver>
void SpinFor(std::chrono::microseconds time, bool is_polite, IsOver is_over) noexcept {
  using Clock = std::chrono::steady_clock;
  const auto until = Clock::now() + time;
  for (;;) {
    for (int k = 0; k < 64; ++k) {
      if (is_over()) return;
      Relax();
    }
    const auto before = Clock::now();
    if (before >= until) return;
    std::this_thread::yield();
    if (is_polite && Clock::now() - before > kLongYield) return;
  }
}

// Without an end: only for what some running thread is about to do.
template <typename IsOver>
void SpinUntil(IsOver is_over) noexcept {
  for (;;) {
    for (int k = 0; k < 64; ++k) {
      if (is_over()) return;
      Relax();
    }
    std::this_thread::yield();
  }
}

}  // namespace sysopt::sched

#endif  // SYSOPT_CORE_SCHED_SPIN_H_
