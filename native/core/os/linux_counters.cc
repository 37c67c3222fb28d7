// Performance counters on Linux: perf_event_open(2), and reading without the kernel by rdpmc on x86-64 and by
// the counters' system registers on aarch64.
//
// Method of the latter, as linux/perf_event.h describes it: the kernel keeps a page a counter with a sequence
// number, an offset, and the number of the register that holds the counter now. The permission is checked in the
// page at each read, within the sequence, and on aarch64 in the processor's own register of permissions: an
// administrator may take it away at any time, and the instruction would then end the process. Where the page has no clock (cap_user_time, absent with kvm-clock) there would be no
// times that belong to the value, so such a counter is read through the kernel.
#include <errno.h>
#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstring>

#include "os.h"

namespace sysopt::os {
namespace {

long OpenWith(perf_event_attr* attributes, std::uint64_t config1, std::uint32_t tid, int group) noexcept {
  attributes->config1 = config1;
  return syscall(SYS_perf_event_open, attributes, static_cast<pid_t>(tid), /*cpu=*/-1, group,
                 static_cast<unsigned long>(PERF_FLAG_FD_CLOEXEC));
}

#if defined(__aarch64__)
// Of arm's format/: bit 0 wants 64 bits, bit 1 reading without the kernel.
constexpr std::uint64_t kLong = 1;
constexpr std::uint64_t kUserRead = 2;
constexpr std::uint32_t kCycleCounter = 31;
#endif

#if defined(__x86_64__) || defined(__aarch64__)
constexpr bool kReadsUser = true;
#else
constexpr bool kReadsUser = false;
#endif

#if defined(__x86_64__)

std::uint64_t ReadRegister(std::uint32_t index) noexcept {
  std::uint32_t low, high;
  asm volatile("rdpmc" : "=a"(low), "=d"(high) : "c"(index));
  return static_cast<std::uint64_t>(high) << 32 | low;
}

// CR4.PCE cannot be read here: the page is all there is to go by.
bool MayRead(std::uint32_t) noexcept { return true; }

std::uint64_t ReadClock() noexcept {
  std::uint32_t low, high;
  asm volatile("rdtsc" : "=a"(low), "=d"(high));
  return static_cast<std::uint64_t>(high) << 32 | low;
}

#elif defined(__aarch64__)

// The register's number is part of the instruction, hence a case for each.
std::uint64_t ReadRegister(std::uint32_t index) noexcept {
  std::uint64_t value = 0;
#define SYSOPT_CASE(n)                                        \
  case n:                                                     \
    asm volatile("mrs %0, pmevcntr" #n "_el0" : "=r"(value)); \
    break;
  switch (index) {
    case kCycleCounter:
      asm volatile("mrs %0, pmccntr_el0" : "=r"(value));
      break;
      SYSOPT_CASE(0)
      SYSOPT_CASE(1)
      SYSOPT_CASE(2)
      SYSOPT_CASE(3)
      SYSOPT_CASE(4)
      SYSOPT_CASE(5)
      SYSOPT_CASE(6)
      SYSOPT_CASE(7)
      SYSOPT_CASE(8)
      SYSOPT_CASE(9)
      SYSOPT_CASE(10)
      SYSOPT_CASE(11)
      SYSOPT_CASE(12)
      SYSOPT_CASE(13)
      SYSOPT_CASE(14)
      SYSOPT_CASE(15)
      SYSOPT_CASE(16)
      SYSOPT_CASE(17)
      SYSOPT_CASE(18)
      SYSOPT_CASE(19)
      SYSOPT_CASE(20)
      SYSOPT_CASE(21)
      SYSOPT_CASE(22)
      SYSOPT_CASE(23)
      SYSOPT_CASE(24)
      SYSOPT_CASE(25)
      SYSOPT_CASE(26)
      SYSOPT_CASE(27)
      SYSOPT_CASE(28)
      SYSOPT_CASE(29)
      SYSOPT_CASE(30)
  }
#undef SYSOPT_CASE
  return value;
}

// Whether the registers may be read at this moment: the kernel takes the right away on all processors at once
// (kernel.perf_user_access), and leaves the pages as they are.
bool MayRead(std::uint32_t index) noexcept {
  constexpr std::uint64_t kCycles = 1 << 2;
  constexpr std::uint64_t kEvents = 1 << 3;
  constexpr std::uint64_t kAll = 1 << 0;
  std::uint64_t rights;
  asm volatile("mrs %0, pmuserenr_el0" : "=r"(rights));
  return (rights & (kAll | (index == kCycleCounter ? kCycles : kEvents))) != 0;
}

std::uint64_t ReadClock() noexcept {
  std::uint64_t value;
  asm volatile("mrs %0, cntvct_el0" : "=r"(value));
  return value;
}

#else

std::uint64_t ReadRegister(std::uint32_t) noexcept { return 0; }
bool MayRead(std::uint32_t) noexcept { return false; }
std::uint64_t ReadClock() noexcept { return 0; }

#endif

// The page is written by the kernel on this processor, so ordering by the compiler is enough.
void Barrier() noexcept { asm volatile("" ::: "memory"); }

}  // namespace

Status CounterOpen(const CounterSpec& spec, int* descriptor) noexcept {
  perf_event_attr attributes;
  std::memset(&attributes, 0, sizeof attributes);
  attributes.size = sizeof attributes;
  attributes.type = spec.type;
  attributes.config = spec.config;
  attributes.disabled = spec.disabled;
  attributes.inherit = spec.inherit;
  attributes.exclude_kernel = spec.exclude_kernel;
  attributes.exclude_hv = 1;
  attributes.read_format =
      PERF_FORMAT_GROUP | PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING;
  long fd = -1;
#if defined(__aarch64__)
  // 64 bits only where they cost nothing: two chained counters an event would halve what can be counted at once,
  // and could not be read without the kernel anyway.
  if (spec.user_read && spec.config1 == 0) {
    fd = OpenWith(&attributes, kUserRead | kLong, spec.tid, spec.group);
    if (fd < 0) fd = OpenWith(&attributes, kUserRead, spec.tid, spec.group);
  }
#endif
  if (fd < 0) fd = OpenWith(&attributes, spec.config1, spec.tid, spec.group);
  if (fd < 0) return Status::Fail(errno, "perf_event_open");
  *descriptor = static_cast<int>(fd);
  return Status::Ok();
}

Status CounterEnable(int leader) noexcept {
  return ioctl(leader, PERF_EVENT_IOC_ENABLE, PERF_IOC_FLAG_GROUP) == 0 ? Status::Ok()
                                                                        : Status::Fail(errno, "ioctl");
}

Status CounterDisable(int leader) noexcept {
  return ioctl(leader, PERF_EVENT_IOC_DISABLE, PERF_IOC_FLAG_GROUP) == 0 ? Status::Ok()
                                                                         : Status::Fail(errno, "ioctl");
}

Status CounterRead(int leader, std::uint64_t* numbers, std::size_t capacity, std::size_t* count) noexcept {
  const ssize_t length = read(leader, numbers, capacity * sizeof *numbers);
  if (length < 0) return Status::Fail(errno == ENOSPC ? ERANGE : errno, "read");
  *count = static_cast<std::size_t>(length) / sizeof *numbers;
  return Status::Ok();
}

void CounterClose(int descriptor) noexcept { close(descriptor); }

Status CounterMap(int descriptor, const void** page) noexcept {
  if (!kReadsUser) return Status::Fail(ENOTSUP, "mmap");
  void* const mapped = mmap(nullptr, PageSize(), PROT_READ, MAP_SHARED, descriptor, 0);
  if (mapped == MAP_FAILED) return Status::Fail(errno, "mmap");
  *page = mapped;
  return Status::Ok();
}

void CounterUnmap(const void* page) noexcept { munmap(const_cast<void*>(page), PageSize()); }

bool CounterReadUser(const void* mapped, CounterSample* out) noexcept {
  const auto* const page = static_cast<const volatile perf_event_mmap_page*>(mapped);
  CounterSample sample;
  std::uint32_t sequence;
  do {
    sequence = page->lock;
    Barrier();
    const std::uint32_t index = page->index;
    if (!kReadsUser || !page->cap_user_rdpmc || !page->cap_user_time || index == 0) return false;
    if (!MayRead(index - 1)) return false;
    const unsigned unused_bits = 64u - page->pmc_width;
    // Sign-extended from its width: the kernel lets counters start below zero.
    const auto counted = static_cast<std::int64_t>(ReadRegister(index - 1) << unused_bits) >> unused_bits;
    sample.value = static_cast<std::uint64_t>(page->offset + counted);

    std::uint64_t cycles = ReadClock();
    if (page->cap_user_time_short) {
      cycles = page->time_cycles + ((cycles - page->time_cycles) & page->time_mask);
    }
    const std::uint64_t quotient = cycles >> page->time_shift;
    const std::uint64_t remainder = cycles & ((std::uint64_t{1} << page->time_shift) - 1);
    const std::uint64_t since = page->time_offset + quotient * page->time_mult +
                                ((remainder * page->time_mult) >> page->time_shift);
    sample.enabled_ns = page->time_enabled + since;
    sample.running_ns = page->time_running + since;
    Barrier();
  } while (page->lock != sequence);
  *out = sample;
  return true;
}

}  // namespace sysopt::os
