#include "sched.h"

#include <cerrno>
#include <cmath>
#include <string>

#include "../core/sched/thread.h"
#include "arguments.h"
#include "environment.h"
#include "errors.h"

// From uv.h, which only Node's own header set has; the call and the option are stable since libuv 1.0.
extern "C" int uv_loop_configure(struct uv_loop_s* loop, int option, ...);

namespace sysopt::binding {
namespace {

constexpr int kUvLoopBlockSignal = 0;  // UV_LOOP_BLOCK_SIGNAL
constexpr double kMaxThreadId = 2147483647;
constexpr double kMaxNice = 19;

std::uint32_t ThreadIdArgument(const Napi::CallbackInfo& info, std::size_t index) {
  return static_cast<std::uint32_t>(IntegerArgument(info, index, "tid", 0, kMaxThreadId));
}

std::string DescribeThread(std::uint32_t tid) {
  return tid == 0 ? std::string("the calling thread") : "thread " + std::to_string(tid);
}

Napi::Value CurrentThreadId(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(os::ThreadId()));
}

Napi::Value KeepOffCpu(const Napi::CallbackInfo& info) {
  const std::uint32_t tid = ThreadIdArgument(info, 0);
  const os::CpuSet* const cpus = sched::ProcessCpus();
  return Napi::Boolean::New(info.Env(), cpus != nullptr && Environment::Of(info).kept_off.Begin(tid, *cpus));
}

void LetBack(const Napi::CallbackInfo& info) { Environment::Of(info).kept_off.End(); }

Napi::Value ThreadCpuTimeNs(const Napi::CallbackInfo& info) {
  std::uint64_t ns = 0;
  const bool known = os::ThreadCpuTime(&ns).ok();
  return Napi::Number::New(info.Env(), known ? static_cast<double>(ns) : std::nan(""));
}

Napi::Value ListCpus(const Napi::CallbackInfo& info, const os::CpuSet& cpus, const View<std::int32_t>& out) {
  std::size_t count = 0;
  for (int cpu = 0; cpu < os::CpuSet::kMaxCpus; ++cpu) {
    if (!cpus.Has(cpu)) continue;
    if (count < out.length) out.data[count] = cpu;
    ++count;
  }
  return Napi::Number::New(info.Env(), static_cast<double>(count));
}

Napi::Value GetAffinity(const Napi::CallbackInfo& info) {
  const std::uint32_t tid = ThreadIdArgument(info, 0);
  const View<std::int32_t> out = Int32Argument(info, 1, "out");
  os::CpuSet cpus;
  ThrowIfFailed(info.Env(), os::GetAffinity(tid, &cpus), DescribeThread(tid));
  return ListCpus(info, cpus, out);
}

Napi::Value ProcessAffinity(const Napi::CallbackInfo& info) {
  const View<std::int32_t> out = Int32Argument(info, 0, "out");
  const os::CpuSet* const cpus = sched::ProcessCpus();
  return ListCpus(info, cpus != nullptr ? *cpus : os::CpuSet(), out);
}

Napi::Value UseProcessAffinity(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), sched::UseProcessCpus().ok());
}

void SetAffinity(const Napi::CallbackInfo& info) {
  const std::uint32_t tid = ThreadIdArgument(info, 0);
  const View<std::int32_t> list = Int32Argument(info, 1, "cpus");
  os::CpuSet cpus;
  Status status;
  if (list.length == 0) status = Status::Fail(EINVAL, "sched_setaffinity", "the list of CPUs is empty");
  for (std::size_t i = 0; i < list.length; ++i) {
    const std::int32_t cpu = list.data[i];
    if (cpu < 0 || cpu >= os::CpuSet::kMaxCpus) {
      status = Status::Fail(EINVAL, "sched_setaffinity", "a CPU in the list does not exist");
      break;
    }
    cpus.Add(cpu);
  }
  if (status.ok()) status = sched::PinThread(tid, cpus);
  ThrowIfFailed(info.Env(), status, DescribeThread(tid));
}

void SetNice(const Napi::CallbackInfo& info) {
  const std::uint32_t tid = ThreadIdArgument(info, 0);
  const int nice = static_cast<int>(IntegerArgument(info, 1, "nice", 0, kMaxNice));
  ThrowIfFailed(info.Env(), os::SetNice(tid, nice), DescribeThread(tid));
}

void CountComputeThread(const Napi::CallbackInfo& info) { Environment::Of(info).compute_thread.Count(); }

Napi::Value ComputeThreads(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(sched::ComputeThreads()));
}

Napi::Value SetThreadName(const Napi::CallbackInfo& info) {
  const std::string name = StringArgument(info, 0, "name");
  return Napi::Boolean::New(info.Env(), sched::NameThread(name).ok());
}

Napi::Value BlockProfilerSignal(const Napi::CallbackInfo& info) {
  uv_loop_s* loop = nullptr;
  const int signal = os::ProfilerSignal();
  const bool blocked = signal != 0 && napi_get_uv_event_loop(info.Env(), &loop) == napi_ok &&
                       uv_loop_configure(loop, kUvLoopBlockSignal, signal) == 0;
  return Napi::Boolean::New(info.Env(), blocked);
}

}  // namespace

void DefineSched(Napi::Env env, Napi::Object exports) {
  sched::ProcessCpus();  // remembered now, before any thread is pinned
  exports.Set("currentThreadId", Napi::Function::New(env, CurrentThreadId, "currentThreadId"));
  exports.Set("keepOffCpu", Napi::Function::New(env, KeepOffCpu, "keepOffCpu"));
  exports.Set("letBack", Napi::Function::New(env, LetBack, "letBack"));
  exports.Set("threadCpuTimeNs", Napi::Function::New(env, ThreadCpuTimeNs, "threadCpuTimeNs"));
  exports.Set("getAffinity", Napi::Function::New(env, GetAffinity, "getAffinity"));
  exports.Set("setAffinity", Napi::Function::New(env, SetAffinity, "setAffinity"));
  exports.Set("processAffinity", Napi::Function::New(env, ProcessAffinity, "processAffinity"));
  exports.Set("useProcessAffinity", Napi::Function::New(env, UseProcessAffinity, "useProcessAffinity"));
  exports.Set("setNice", Napi::Function::New(env, SetNice, "setNice"));
  exports.Set("countComputeThread", Napi::Function::New(env, CountComputeThread, "countComputeThread"));
  exports.Set("computeThreads", Napi::Function::New(env, ComputeThreads, "computeThreads"));
  exports.Set("setThreadName", Napi::Function::New(env, SetThreadName, "setThreadName"));
  exports.Set("blockProfilerSignal", Napi::Function::New(env, BlockProfilerSignal, "blockProfilerSignal"));
}

}  // namespace sysopt::binding
