#include "figures.h"

#include "../core/figures/figures.h"
#include "arguments.h"
#include "environment.h"

namespace sysopt::binding {
namespace {

Napi::Value ReadThreads(const Napi::CallbackInfo& info) {
  const View<double> out = Float64Argument(info, 0, "out", 0);
  const std::size_t count = figures::ReadThreads(out.data, out.length / figures::kThreadColumns);
  return Napi::Number::New(info.Env(), static_cast<double>(count));
}

Napi::Value ThreadName(const Napi::CallbackInfo& info) {
  constexpr double kMaxThreadId = 2147483647;
  char name[figures::kMaxThreadName];
  figures::ReadThreadName(static_cast<std::uint32_t>(IntegerArgument(info, 0, "tid", 0, kMaxThreadId)), name);
  return Napi::String::New(info.Env(), name);
}

template <void (*read)(double*) noexcept, std::size_t columns>
void ReadInto(const Napi::CallbackInfo& info) {
  read(Float64Argument(info, 0, "out", columns).data);
}

void ReadTick(const Napi::CallbackInfo& info) {
  Environment::Of(info).tick.Read(Float64Argument(info, 0, "out", figures::kTickColumns).data);
}

void CloseTick(const Napi::CallbackInfo& info) { Environment::Of(info).tick.Close(); }

}  // namespace

void DefineFigures(Napi::Env env, Napi::Object exports) {
  using namespace figures;
  exports.Set("readThreads", Napi::Function::New(env, binding::ReadThreads, "readThreads"));
  exports.Set("threadName", Napi::Function::New(env, ThreadName, "threadName"));
  exports.Set("readProcess", Napi::Function::New(env, ReadInto<ReadProcess, kProcessColumns>, "readProcess"));
  exports.Set("readHostCpu", Napi::Function::New(env, ReadInto<ReadHostCpu, kHostCpuColumns>, "readHostCpu"));
  exports.Set("readMemoryMap",
              Napi::Function::New(env, ReadInto<ReadMemoryMap, kMemoryMapColumns>, "readMemoryMap"));
  exports.Set("readCgroup", Napi::Function::New(env, ReadInto<ReadCgroup, kCgroupColumns>, "readCgroup"));
  exports.Set("readPressure",
              Napi::Function::New(env, ReadInto<ReadPressure, kPressureColumns>, "readPressure"));
  exports.Set("readTick", Napi::Function::New(env, ReadTick, "readTick"));
  exports.Set("closeTick", Napi::Function::New(env, CloseTick, "closeTick"));
}

}  // namespace sysopt::binding
