// What Linux and macOS have in common.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <csignal>
#include <cstring>

#include "os.h"

namespace sysopt::os {
namespace {

// A descriptor that closes itself. Owned by one call.
class Descriptor {
 public:
  explicit Descriptor(int fd) noexcept : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const noexcept { return fd_; }

 private:
  int fd_;
};

int OpenForReading(const char* path) noexcept {
  int fd;
  do {
    fd = open(path, O_RDONLY | O_CLOEXEC);
  } while (fd < 0 && errno == EINTR);
  return fd;
}

// Like read(2), retried when a signal interrupts it: a sampling profiler interrupts often.
ssize_t ReadSome(int fd, char* buffer, std::size_t capacity) noexcept {
  ssize_t length;
  do {
    length = read(fd, buffer, capacity);
  } while (length < 0 && errno == EINTR);
  return length;
}

std::uint64_t ToNs(const timeval& time) noexcept {
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000u +
         static_cast<std::uint64_t>(time.tv_usec) * 1'000u;
}

}  // namespace

std::size_t PageSize() noexcept {
  static const std::size_t size = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  return size;
}

// Over-maps by the alignment and gives head and tail back. The alternative, asking for an aligned address as
// a hint, fails whenever the hint is taken, and then needs this anyway.
Status Map(std::size_t size, std::size_t alignment, Mapping* out) noexcept {
  const std::size_t slack = alignment > PageSize() ? alignment - PageSize() : 0;
  void* const raw =
      mmap(nullptr, size + slack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, /*fd=*/-1, /*offset=*/0);
  if (raw == MAP_FAILED) return Status::Fail(errno, "mmap");

  char* const base = static_cast<char*>(raw);
  const auto address = reinterpret_cast<std::uintptr_t>(raw);
  const std::size_t head = (alignment - address % alignment) % alignment;
  const std::size_t tail = slack - head;
  // Giving back fails only where the process is at its limit of mappings. Then the mapping is used up too.
  if ((head > 0 && munmap(base, head) != 0) || (tail > 0 && munmap(base + head + size, tail) != 0)) {
    const int error = errno;
    munmap(base, size + slack);
    return Status::Fail(error, "munmap", "the process has too many memory mappings");
  }
  *out = {base + head, size, base + head, size};
  return Status::Ok();
}

Status Unmap(const Mapping& mapping) noexcept {
  return munmap(mapping.base, mapping.length) == 0 ? Status::Ok() : Status::Fail(errno, "munmap");
}

Status Resident(const void* start, std::size_t size, std::uint64_t* bytes) noexcept {
  const std::size_t page = PageSize();
  std::uint64_t resident = 0;
  for (std::size_t done = 0; done < size;) {
    // One byte per page; 4096 pages at a time keeps the table on the stack.
    unsigned char present[4096];
    const std::size_t pages = (size - done) / page < sizeof present ? (size - done) / page : sizeof present;
    if (pages == 0) break;
    char* const from = const_cast<char*>(static_cast<const char*>(start)) + done;
#if defined(__APPLE__)
    const int failed = mincore(from, pages * page, reinterpret_cast<char*>(present));
#else
    const int failed = mincore(from, pages * page, present);
#endif
    if (failed) return Status::Fail(errno, "mincore");
    for (std::size_t i = 0; i < pages; ++i) resident += present[i] & 1 ? page : 0;
    done += pages * page;
  }
  *bytes = resident;
  return Status::Ok();
}

Status ThreadCpuTime(std::uint64_t* ns) noexcept {
  timespec time;
  if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time) != 0) return Status::Fail(errno, "clock_gettime");
  *ns = static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000u + static_cast<std::uint64_t>(time.tv_nsec);
  return Status::Ok();
}

int ProfilerSignal() noexcept { return SIGPROF; }

Status GetProcessUsage(ProcessUsage* out) noexcept {
  rusage usage;
  if (getrusage(RUSAGE_SELF, &usage) != 0) return Status::Fail(errno, "getrusage");
  out->user_ns = ToNs(usage.ru_utime);
  out->system_ns = ToNs(usage.ru_stime);
  out->minor_faults = static_cast<std::uint64_t>(usage.ru_minflt);
  out->major_faults = static_cast<std::uint64_t>(usage.ru_majflt);
  out->voluntary_switches = static_cast<std::uint64_t>(usage.ru_nvcsw);
  out->involuntary_switches = static_cast<std::uint64_t>(usage.ru_nivcsw);
  out->has_switches = true;
  return Status::Ok();
}

std::uint64_t TickNs() noexcept {
  static const long ticks = sysconf(_SC_CLK_TCK);
  return 1'000'000'000u / static_cast<std::uint64_t>(ticks > 0 ? ticks : 100);
}

std::uint64_t MonotonicNs() noexcept {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);  // cannot fail with these arguments
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000u + static_cast<std::uint64_t>(now.tv_nsec);
}

Status ReadFile(const char* path, char* buffer, std::size_t capacity, std::size_t* length) noexcept {
  const Descriptor file(OpenForReading(path));
  if (file.get() < 0) return Status::Fail(errno, "open");
  std::size_t done = 0;
  // procfs gives a file in pieces; only a read of 0 bytes is its end.
  while (done < capacity) {
    const ssize_t got = ReadSome(file.get(), buffer + done, capacity - done);
    if (got < 0) return Status::Fail(errno, "read");
    if (got == 0) {
      *length = done;
      return Status::Ok();
    }
    done += static_cast<std::size_t>(got);
  }
  char beyond;
  const ssize_t more = ReadSome(file.get(), &beyond, 1);
  if (more < 0) return Status::Fail(errno, "read");
  if (more > 0) return Status::Fail(ERANGE, "read", "the file is longer than expected");
  *length = done;
  return Status::Ok();
}

Status OpenKept(const char* path, int* descriptor) noexcept {
  const int opened = OpenForReading(path);
  if (opened < 0) return Status::Fail(errno, "open");
  *descriptor = opened;
  return Status::Ok();
}

Status ReadKept(int descriptor, char* buffer, std::size_t capacity, std::size_t* length) noexcept {
  ssize_t got;
  do {
    got = pread(descriptor, buffer, capacity, 0);
  } while (got < 0 && errno == EINTR);
  if (got < 0) return Status::Fail(errno, "pread");
  *length = static_cast<std::size_t>(got);
  return Status::Ok();
}

void CloseKept(int descriptor) noexcept { close(descriptor); }

Status ReadAt(int descriptor, std::uint64_t offset, char* buffer, std::size_t capacity, std::size_t* length) noexcept {
  std::size_t filled = 0;
  while (filled < capacity) {
    const ssize_t got =
        pread(descriptor, buffer + filled, capacity - filled, static_cast<off_t>(offset + filled));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Status::Fail(errno, "pread");
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
  }
  *length = filled;
  return Status::Ok();
}

Status StreamFile(const char* path, Sink sink, void* context) noexcept {
  const Descriptor file(OpenForReading(path));
  if (file.get() < 0) return Status::Fail(errno, "open");
  char piece[16 * 1024];
  for (;;) {
    const ssize_t got = ReadSome(file.get(), piece, sizeof piece);
    if (got < 0) return Status::Fail(errno, "read");
    if (got == 0) return Status::Ok();
    sink(context, {piece, static_cast<std::size_t>(got)});
  }
}

Status ListDirectory(const char* path, Entry entry, void* context) noexcept {
  DIR* const directory = opendir(path);
  if (!directory) return Status::Fail(errno, "opendir");
  errno = 0;
  while (const dirent* found = readdir(directory)) {
    if (std::strcmp(found->d_name, ".") != 0 && std::strcmp(found->d_name, "..") != 0) {
      entry(context, found->d_name);
    }
    errno = 0;
  }
  const int error = errno;
  closedir(directory);
  return error == 0 ? Status::Ok() : Status::Fail(error, "readdir");
}

}  // namespace sysopt::os
