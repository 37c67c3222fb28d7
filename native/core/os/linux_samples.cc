// Samples of one thread by its own CPU clock: timer_create(2) with SIGEV_THREAD_ID, which stops that thread and no
// other, and only while it runs.
//
// The signal is a real-time one that nobody uses, the highest that has its default disposition. Rejected: SIGPROF,
// which is V8's profiler's; setitimer, which counts the whole process; perf_event_open, which containers refuse.
#include <cxxabi.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include <atomic>

#include "os.h"

namespace sysopt::os {
namespace {

// The kernel's own struct sigevent: the C libraries disagree on the name of the thread's member, and timer_create's
// symbol would tie the binary to the glibc that it was built with.
struct KernelSigevent {
  union sigval value;
  int signo;
  int notify;
  int tid;
  char rest[64 - sizeof(union sigval) - 3 * sizeof(int)];
};
static_assert(sizeof(KernelSigevent) == 64);
constexpr int kNotifyThread = 4;  // SIGEV_THREAD_ID

// What the handler uses. A signal handler has no other way to its data than globals.
std::atomic<bool> owned{false};
std::atomic<TakeSample> taker{nullptr};
std::atomic<void*> taker_context{nullptr};
int timer = -1;
int signal_number = 0;

// Only registers are copied here; the rest is the caller's, who promised to be async-signal-safe.
void OnSample(int, siginfo_t* info, void* raw) noexcept {
  if (info->si_code != SI_TIMER) return;
  const TakeSample take = taker.load(std::memory_order_acquire);
  if (take == nullptr) return;
  const auto& machine = static_cast<const ucontext_t*>(raw)->uc_mcontext;
  Interrupted at;
#if defined(__x86_64__)
  at.pc = static_cast<std::uintptr_t>(machine.gregs[REG_RIP]);
  at.sp = static_cast<std::uintptr_t>(machine.gregs[REG_RSP]);
  at.fp = static_cast<std::uintptr_t>(machine.gregs[REG_RBP]);
#elif defined(__aarch64__)
  at.pc = machine.pc;
  at.sp = machine.sp;
  at.fp = machine.regs[29];
#else
  (void)machine;
  return;
#endif
  take(taker_context.load(std::memory_order_relaxed), at);
}

// The highest real-time signal with its default disposition; 0 where the program has taken all.
int FreeSignal() noexcept {
  for (int number = SIGRTMAX; number >= SIGRTMIN; --number) {
    struct sigaction current;
    if (sigaction(number, nullptr, &current) == 0 && current.sa_handler == SIG_DFL) return number;
  }
  return 0;
}

bool IsOurs(int number) noexcept {
  struct sigaction current;
  return sigaction(number, nullptr, &current) == 0 && (current.sa_flags & SA_SIGINFO) != 0 &&
         current.sa_sigaction == OnSample;
}

// Ignoring a signal drops what of it is pending; the default disposition would end the process with it.
void GiveBack(int number) noexcept {
  if (!IsOurs(number)) return;  // the program took the signal meanwhile
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = SIG_IGN;
  sigaction(number, &action, nullptr);
  action.sa_handler = SIG_DFL;
  sigaction(number, &action, nullptr);
}

void Release() noexcept {
  taker.store(nullptr, std::memory_order_release);
  owned.store(false, std::memory_order_release);
}

}  // namespace

Status StartSamples(std::uint64_t interval_ns, TakeSample take, void* context) noexcept {
#if !defined(__x86_64__) && !defined(__aarch64__)
  return Status::Fail(ENOTSUP, "timer_create", "this processor's registers are not known here");
#endif
  if (owned.exchange(true, std::memory_order_acquire)) {
    return Status::Fail(EBUSY, "timer_create", "a thread of this process is sampled already");
  }
  const int number = FreeSignal();
  if (number == 0) {
    Release();
    return Status::Fail(EBUSY, "sigaction", "the program uses every real-time signal");
  }
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = OnSample;
  action.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK;
  // V8's profiler would take the handler for the program where its signal came in the middle of it.
  sigfillset(&action.sa_mask);
  for (const int fault : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT}) sigdelset(&action.sa_mask, fault);
  if (sigaction(number, &action, nullptr) != 0) {
    const int error = errno;
    Release();
    return Status::Fail(error, "sigaction");
  }
  taker_context.store(context, std::memory_order_relaxed);
  taker.store(take, std::memory_order_release);

  KernelSigevent event;
  memset(&event, 0, sizeof event);
  event.signo = number;
  event.notify = kNotifyThread;
  event.tid = static_cast<int>(ThreadId());
  int created = -1;
  bool failed = syscall(SYS_timer_create, CLOCK_THREAD_CPUTIME_ID, &event, &created) != 0;
  const char* call = "timer_create";
  if (!failed) {
    struct timespec every;
    every.tv_sec = static_cast<time_t>(interval_ns / 1'000'000'000);
    every.tv_nsec = static_cast<long>(interval_ns % 1'000'000'000);
    const struct itimerspec setting = {every, every};
    failed = syscall(SYS_timer_settime, created, 0, &setting, nullptr) != 0;
    if (failed) call = "timer_settime";
  }
  if (failed) {
    const int error = errno;
    if (created >= 0) syscall(SYS_timer_delete, created);
    GiveBack(number);
    Release();
    return Status::Fail(error, call);
  }
  timer = created;
  signal_number = number;
  return Status::Ok();
}

void StopSamples() noexcept {
  syscall(SYS_timer_delete, timer);
  GiveBack(signal_number);
  timer = -1;
  signal_number = 0;
  Release();
}

Status StackBounds(std::uintptr_t* low, std::uintptr_t* high) noexcept {
  pthread_attr_t attributes;
  int error = pthread_getattr_np(pthread_self(), &attributes);
  if (error != 0) return Status::Fail(error, "pthread_getattr_np");
  void* start = nullptr;
  std::size_t size = 0;
  error = pthread_attr_getstack(&attributes, &start, &size);
  pthread_attr_destroy(&attributes);
  if (error != 0) return Status::Fail(error, "pthread_attr_getstack");
  *low = reinterpret_cast<std::uintptr_t>(start);
  *high = *low + size;
  return Status::Ok();
}

bool EndsInSystemCall(const unsigned char* before, std::size_t length) noexcept {
#if defined(__x86_64__)
  return length >= 2 && before[length - 2] == 0x0f && before[length - 1] == 0x05;
#elif defined(__aarch64__)
  constexpr unsigned char kSvc0[] = {0x01, 0x00, 0x00, 0xd4};
  return length >= sizeof kSvc0 && memcmp(before + length - sizeof kSvc0, kSvc0, sizeof kSvc0) == 0;
#else
  (void)before;
  (void)length;
  return false;
#endif
}

bool Demangle(const char* name, char* out, std::size_t capacity) noexcept {
  int status = 0;
  char* const readable = abi::__cxa_demangle(name, nullptr, nullptr, &status);
  if (readable == nullptr) return false;
  const bool ok = status == 0 && capacity > 0;
  if (ok) {
    const std::size_t length = strnlen(readable, capacity - 1);
    memcpy(out, readable, length);
    out[length] = '\0';
  }
  free(readable);
  return ok;
}

}  // namespace sysopt::os
