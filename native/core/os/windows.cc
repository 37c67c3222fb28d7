#include <windows.h>
// windows.h first
#include <psapi.h>

#include <cerrno>
#include <cstring>

#include "os.h"

namespace sysopt::os {
namespace {

int Translate(DWORD error) noexcept {
  switch (error) {
    case ERROR_SUCCESS:
      return 0;
    case ERROR_FILE_NOT_FOUND:
    case ERROR_PATH_NOT_FOUND:
      return ENOENT;
    case ERROR_ACCESS_DENIED:
      return EACCES;
    case ERROR_NOT_ENOUGH_MEMORY:
    case ERROR_OUTOFMEMORY:
    case ERROR_COMMITMENT_LIMIT:
    case ERROR_NO_SYSTEM_RESOURCES:
      return ENOMEM;
    case ERROR_INVALID_PARAMETER:
    case ERROR_INVALID_ADDRESS:
      return EINVAL;
    case ERROR_NOT_SUPPORTED:
    case ERROR_CALL_NOT_IMPLEMENTED:
      return ENOTSUP;
    default:
      return EIO;
  }
}

Status LastError(const char* call) noexcept {
  const int error = Translate(GetLastError());
  return Status::Fail(error == 0 ? EIO : error, call);
}

std::uint64_t ToNs(const FILETIME& time) noexcept {
  return ((static_cast<std::uint64_t>(time.dwHighDateTime) << 32) | time.dwLowDateTime) * 100;
}

// A thread of this process, or the calling one for 0. Closes itself.
class Thread {
 public:
  Thread(std::uint32_t tid, DWORD access) noexcept
      : owned_(tid != 0), handle_(owned_ ? OpenThread(access, FALSE, tid) : GetCurrentThread()) {}
  Thread(const Thread&) = delete;
  Thread& operator=(const Thread&) = delete;
  ~Thread() {
    if (owned_ && handle_) CloseHandle(handle_);
  }
  HANDLE get() const noexcept { return handle_; }
  bool IsOurs() const noexcept { return handle_ && GetProcessIdOfThread(handle_) == GetCurrentProcessId(); }

 private:
  bool owned_;
  HANDLE handle_;
};

}  // namespace

std::size_t PageSize() noexcept {
  static const std::size_t size = [] {
    SYSTEM_INFO info;
    GetSystemInfo(&info);
    return static_cast<std::size_t>(info.dwPageSize);
  }();
  return size;
}

// Large pages here need a privilege, are never swapped and cannot be advised for existing memory.
std::size_t HugePageSize() noexcept { return 0; }
Status AdviseHuge(void*, std::size_t) noexcept { return Status::Fail(ENOTSUP, "VirtualAlloc"); }
Status Populate(void*, std::size_t) noexcept { return Status::Fail(ENOTSUP, "VirtualAlloc"); }

// Part of a reservation cannot be released. So the slack for the alignment stays reserved, which costs
// address space only, and just the aligned part is committed.
Status Map(std::size_t size, std::size_t alignment, Mapping* out) noexcept {
  const std::size_t length = size + alignment;
  void* const base = VirtualAlloc(nullptr, length, MEM_RESERVE, PAGE_NOACCESS);
  if (!base) return LastError("VirtualAlloc");
  const auto address = reinterpret_cast<std::uintptr_t>(base);
  void* const aligned = static_cast<char*>(base) + (alignment - address % alignment) % alignment;
  if (!VirtualAlloc(aligned, size, MEM_COMMIT, PAGE_READWRITE)) {
    const Status status = LastError("VirtualAlloc");
    VirtualFree(base, 0, MEM_RELEASE);
    return status;
  }
  *out = {aligned, size, base, length};
  return Status::Ok();
}

Status Unmap(const Mapping& mapping) noexcept {
  return VirtualFree(mapping.base, 0, MEM_RELEASE) ? Status::Ok() : LastError("VirtualFree");
}

// Committing again after a decommit gives zeros; MEM_RESET promises nothing about the contents.
Status Discard(void* start, std::size_t size) noexcept {
  if (!VirtualFree(start, size, MEM_DECOMMIT)) return LastError("VirtualFree");
  return VirtualAlloc(start, size, MEM_COMMIT, PAGE_READWRITE) ? Status::Ok() : LastError("VirtualAlloc");
}

// The heaps keep account of what they committed.
Status DiscardForeign(void*, std::size_t) noexcept { return Status::Fail(ENOTSUP, "VirtualFree"); }

// A node can be preferred when memory is allocated, not for memory that exists.
Status BindToNode(void*, std::size_t, unsigned) noexcept {
  return Status::Fail(ENOTSUP, "VirtualAllocExNuma");
}

Status Resident(const void* start, std::size_t size, std::uint64_t* bytes) noexcept {
  const std::size_t page = PageSize();
  std::uint64_t resident = 0;
  for (std::size_t done = 0; done < size;) {
    PSAPI_WORKING_SET_EX_INFORMATION pages[256];
    std::size_t count = 0;
    for (; count < 256 && done < size; ++count, done += page) {
      pages[count].VirtualAddress = const_cast<char*>(static_cast<const char*>(start)) + done;
    }
    if (!QueryWorkingSetEx(GetCurrentProcess(), pages, static_cast<DWORD>(count * sizeof *pages))) {
      return LastError("QueryWorkingSetEx");
    }
    for (std::size_t i = 0; i < count; ++i) resident += pages[i].VirtualAttributes.Valid ? page : 0;
  }
  *bytes = resident;
  return Status::Ok();
}

std::uint64_t ThreadId() noexcept { return GetCurrentThreadId(); }

// Within its processor group, and the calls below know the first group alone.
int CurrentCpu() noexcept { return static_cast<int>(GetCurrentProcessorNumber()); }

Status ThreadCpuTime(std::uint64_t* ns) noexcept {
  FILETIME created, ended, kernel, user;
  if (!GetThreadTimes(GetCurrentThread(), &created, &ended, &kernel, &user))
    return LastError("GetThreadTimes");
  *ns = ToNs(kernel) + ToNs(user);
  return Status::Ok();
}

// A thread's mask can only be read by setting it. Processor groups beyond the first are left alone.
Status GetAffinity(std::uint32_t tid, CpuSet* out) noexcept {
  const Thread thread(tid, THREAD_SET_INFORMATION | THREAD_QUERY_INFORMATION);
  if (!thread.IsOurs()) return Status::Fail(ESRCH, "OpenThread");
  DWORD_PTR process = 0;
  DWORD_PTR system = 0;
  if (!GetProcessAffinityMask(GetCurrentProcess(), &process, &system))
    return LastError("GetProcessAffinityMask");
  const DWORD_PTR before = SetThreadAffinityMask(thread.get(), process);
  if (before == 0) return LastError("SetThreadAffinityMask");
  SetThreadAffinityMask(thread.get(), before);
  *out = CpuSet();
  out->words[0] = before;
  return Status::Ok();
}

Status SetAffinity(std::uint32_t tid, const CpuSet& cpus) noexcept {
  const Thread thread(tid, THREAD_SET_INFORMATION | THREAD_QUERY_INFORMATION);
  if (!thread.IsOurs()) return Status::Fail(ESRCH, "OpenThread");
  return SetThreadAffinityMask(thread.get(), static_cast<DWORD_PTR>(cpus.words[0])) != 0
             ? Status::Ok()
             : LastError("SetThreadAffinityMask");
}

Status GetProcessAffinity(CpuSet* out) noexcept {
  DWORD_PTR process = 0;
  DWORD_PTR system = 0;
  if (!GetProcessAffinityMask(GetCurrentProcess(), &process, &system))
    return LastError("GetProcessAffinityMask");
  *out = CpuSet();
  out->words[0] = process;
  return Status::Ok();
}

// Four steps of Windows for nineteen.
Status SetNice(std::uint32_t tid, int nice) noexcept {
  const Thread thread(tid, THREAD_SET_INFORMATION | THREAD_QUERY_INFORMATION);
  if (!thread.IsOurs()) return Status::Fail(ESRCH, "OpenThread");
  const int priority = nice <= 0    ? THREAD_PRIORITY_NORMAL
                       : nice < 10  ? THREAD_PRIORITY_BELOW_NORMAL
                       : nice < 19  ? THREAD_PRIORITY_LOWEST
                                    : THREAD_PRIORITY_IDLE;
  return SetThreadPriority(thread.get(), priority) ? Status::Ok() : LastError("SetThreadPriority");
}

Status SetThreadName(const char* name) noexcept {
  wchar_t wide[16];
  if (MultiByteToWideChar(CP_UTF8, 0, name, -1, wide, 16) == 0) return LastError("MultiByteToWideChar");
  // Looked up: headers hide it from targets before Windows 10, and its first version was in this library
  // alone.
  using Describe = HRESULT(WINAPI*)(HANDLE, PCWSTR);
  static const auto describe = reinterpret_cast<Describe>(
      reinterpret_cast<void*>(GetProcAddress(GetModuleHandleW(L"KernelBase.dll"), "SetThreadDescription")));
  if (describe == nullptr) return Status::Fail(ENOTSUP, "SetThreadDescription");
  return SUCCEEDED(describe(GetCurrentThread(), wide)) ? Status::Ok()
                                                       : Status::Fail(EINVAL, "SetThreadDescription");
}

// V8's profiler suspends threads here; no signal reaches the event loop.
int ProfilerSignal() noexcept { return 0; }

Status GetProcessUsage(ProcessUsage* out) noexcept {
  FILETIME created, ended, kernel, user;
  if (!GetProcessTimes(GetCurrentProcess(), &created, &ended, &kernel, &user))
    return LastError("GetProcessTimes");
  PROCESS_MEMORY_COUNTERS memory;
  if (!GetProcessMemoryInfo(GetCurrentProcess(), &memory, sizeof memory))
    return LastError("GetProcessMemoryInfo");
  *out = ProcessUsage();
  out->user_ns = ToNs(user);
  out->system_ns = ToNs(kernel);
  out->minor_faults = memory.PageFaultCount;  // Windows does not tell the two kinds apart
  return Status::Ok();
}

Status OpenDescriptors(std::uint64_t* count) noexcept {
  DWORD handles = 0;
  if (!GetProcessHandleCount(GetCurrentProcess(), &handles)) return LastError("GetProcessHandleCount");
  *count = handles;
  return Status::Ok();
}

std::uint64_t TickNs() noexcept { return 10'000'000; }

std::uint64_t MonotonicNs() noexcept {
  LARGE_INTEGER frequency, count;
  QueryPerformanceFrequency(&frequency);  // neither can fail since Windows XP
  QueryPerformanceCounter(&count);
  const auto ticks = static_cast<std::uint64_t>(count.QuadPart);
  const auto rate = static_cast<std::uint64_t>(frequency.QuadPart);
  return ticks / rate * 1'000'000'000 + ticks % rate * 1'000'000'000 / rate;
}

// There is no procfs: what the core would read does not exist.
Status ReadFile(const char*, char*, std::size_t, std::size_t*) noexcept {
  return Status::Fail(ENOENT, "open");
}
Status OpenKept(const char*, int*) noexcept { return Status::Fail(ENOENT, "open"); }
Status ReadKept(int, char*, std::size_t, std::size_t*) noexcept { return Status::Fail(EBADF, "read"); }
void CloseKept(int) noexcept {}
Status ReadAt(int, std::uint64_t, char*, std::size_t, std::size_t*) noexcept { return Status::Fail(EBADF, "read"); }
Status StreamFile(const char*, Sink, void*) noexcept { return Status::Fail(ENOENT, "open"); }
Status ListDirectory(const char*, Entry, void*) noexcept { return Status::Fail(ENOENT, "opendir"); }

// macOS and Windows have no timer on a thread's CPU clock.
Status StartSamples(std::uint64_t, TakeSample, void*) noexcept { return Status::Fail(ENOTSUP, "timer_create"); }
void StopSamples() noexcept {}
Status StackBounds(std::uintptr_t*, std::uintptr_t*) noexcept { return Status::Fail(ENOTSUP, "pthread_getattr_np"); }
bool EndsInSystemCall(const unsigned char*, std::size_t) noexcept { return false; }
bool Demangle(const char*, char*, std::size_t) noexcept { return false; }

Status CounterOpen(const CounterSpec&, int*) noexcept { return Status::Fail(ENOTSUP, "perf_event_open"); }
Status CounterEnable(int) noexcept { return Status::Fail(ENOTSUP, "ioctl"); }
Status CounterDisable(int) noexcept { return Status::Fail(ENOTSUP, "ioctl"); }
Status CounterRead(int, std::uint64_t*, std::size_t, std::size_t*) noexcept {
  return Status::Fail(ENOTSUP, "read");
}
void CounterClose(int) noexcept {}
Status CounterMap(int, const void**) noexcept { return Status::Fail(ENOTSUP, "mmap"); }
void CounterUnmap(const void*) noexcept {}
bool CounterReadUser(const void*, CounterSample*) noexcept { return false; }

}  // namespace sysopt::os
