// Samples on the system that this was built for. Also built for ThreadSanitizer, which delivers signals late.
#include <cerrno>
#include <chrono>
#include <string>
#include <thread>

#if defined(__linux__)
#include <signal.h>
#endif

#include "../core/os/os.h"
#include "../core/sampling/named_stacks.h"
#include "harness.h"

using namespace sysopt;
using sampling::ThreadSampler;

namespace {

constexpr std::uint64_t kInterval = 1'000'000;

bool IsSupported() {
  ThreadSampler sampler;
  return sampler.Start(kInterval).error != ENOTSUP;
}

volatile std::uint64_t sink = 0;

// Uses the thread's CPU until enough samples are in, or for ten seconds at the most. Not instrumented for
// ThreadSanitizer: each access to memory would be a call of its runtime, and nearly every sample would lie there.
__attribute__((noinline, no_sanitize_thread)) void SpinUntil(const ThreadSampler& sampler, std::uint64_t samples) {
  std::uint64_t begin = 0, now = 0;
  (void)os::ThreadCpuTime(&begin);
  do {
    for (int i = 0; i < 100'000; ++i) sink = sink + static_cast<std::uint64_t>(i);
    (void)os::ThreadCpuTime(&now);
  } while (sampler.taken() < samples && now - begin < 10'000'000'000u);
}

}  // namespace

TEST(ABusyThreadIsSampledAndNamed) {
  if (!IsSupported()) return;
  ThreadSampler sampler;
  EXPECT(sampler.Start(kInterval).ok());
  SpinUntil(sampler, 10);
  EXPECT(sampler.Stop());
  EXPECT(sampler.size() >= 10);
  sampling::NamedStacks named;
  EXPECT(NameStacks(sampler, &named).ok());
  std::size_t spinning = 0;
  for (std::size_t i = 0; i < sampler.size(); ++i) {
    const auto& frame = named.frames.at(named.leaves.at(sampler.stacks()[i].frames[0]));
    EXPECT(frame.module != sampling::kCompiledCode);
    if (frame.name.find("SpinUntil") != std::string::npos) ++spinning;
  }
  EXPECT(spinning > 0);
  EXPECT(named.bytes_read > 0);
}

TEST(AThreadThatSleepsIsNotSampled) {
  if (!IsSupported()) return;
  ThreadSampler sampler;
  EXPECT(sampler.Start(5 * kInterval).ok());
  for (int i = 0; i < 20; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT(sampler.Stop());
  EXPECT(sampler.taken() <= 1);
}

TEST(OneAtATimeInAProcess) {
  if (!IsSupported()) return;
  ThreadSampler first, second;
  EXPECT(!first.Stop());
  EXPECT(first.Start(kInterval).ok());
  EXPECT_EQ(first.Start(kInterval).error, EALREADY);
  EXPECT_EQ(second.Start(kInterval).error, EBUSY);
  int elsewhere = 0;
  std::thread([&] {
    ThreadSampler third;
    elsewhere = third.Start(kInterval).error;
  }).join();
  EXPECT_EQ(elsewhere, EBUSY);
  EXPECT(first.Stop());
  EXPECT(second.Start(kInterval).ok());
  EXPECT(second.Stop());
}

TEST(AThreadThatEndsGivesItsTimerBack) {
  if (!IsSupported()) return;
  for (int round = 0; round < 50; ++round) {
    std::thread([] {
      ThreadSampler sampler;
      EXPECT(sampler.Start(100'000).ok());
      SpinUntil(sampler, 1);
    }).join();
  }
  ThreadSampler after;
  EXPECT(after.Start(kInterval).ok());
}

TEST(StartingAndStoppingAgainAndAgainWhileItFires) {
  if (!IsSupported()) return;
  ThreadSampler sampler;
  for (int round = 0; round < 2000; ++round) {
    EXPECT(sampler.Start(1'000).ok());
    for (int i = 0; i < 1000; ++i) sink = sink + 1;
    EXPECT(sampler.Stop());
  }
}

#if defined(__linux__)
namespace {
int Defaults() {
  int count = 0;
  for (int number = SIGRTMIN; number <= SIGRTMAX; ++number) {
    struct sigaction current;
    if (sigaction(number, nullptr, &current) == 0 && current.sa_handler == SIG_DFL) ++count;
  }
  return count;
}
}  // namespace

TEST(SignalsOfTheProgramAreLeftAlone) {
  if (!IsSupported()) return;
  const int free_before = Defaults();
  ThreadSampler sampler;
  EXPECT(sampler.Start(kInterval).ok());
  EXPECT_EQ(Defaults(), free_before - 1);
  EXPECT(sampler.Stop());
  EXPECT_EQ(Defaults(), free_before);

  struct sigaction mine = {};
  mine.sa_handler = [](int) {};
  for (int number = SIGRTMIN; number <= SIGRTMAX; ++number) sigaction(number, &mine, nullptr);
  const Status refused = sampler.Start(kInterval);
  EXPECT_EQ(refused.error, EBUSY);
  EXPECT_EQ(std::string(refused.detail), "the program uses every real-time signal");
  // A signal that the program takes over while it is in use stays the program's.
  struct sigaction none = {};
  none.sa_handler = SIG_DFL;
  sigaction(SIGRTMAX, &none, nullptr);
  EXPECT(sampler.Start(kInterval).ok());
  sigaction(SIGRTMAX, &mine, nullptr);
  EXPECT(sampler.Stop());
  struct sigaction current;
  sigaction(SIGRTMAX, nullptr, &current);
  EXPECT(current.sa_handler == mine.sa_handler);
  for (int number = SIGRTMIN; number <= SIGRTMAX; ++number) sigaction(number, &none, nullptr);
}

TEST(PendingSamplesOfABlockedSignalAreDropped) {
  if (!IsSupported()) return;
  sigset_t all, before;
  sigfillset(&all);
  ThreadSampler sampler;
  pthread_sigmask(SIG_BLOCK, &all, &before);
  EXPECT(sampler.Start(kInterval).ok());
  std::uint64_t begin = 0, now = 0;
  (void)os::ThreadCpuTime(&begin);
  do {
    sink = sink + 1;
    (void)os::ThreadCpuTime(&now);
  } while (now - begin < 50'000'000);
  EXPECT(sampler.Stop());
  // The default disposition of a pending real-time signal would end the process here.
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  EXPECT_EQ(sampler.taken(), 0u);
}
#endif

