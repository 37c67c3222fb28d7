#include "sampling.h"

#include <cerrno>
#include <cstdint>

#include "../core/sampling/named_stacks.h"
#include "arguments.h"
#include "environment.h"
#include "errors.h"

namespace sysopt::binding {
namespace {

using sampling::kDepth;
using sampling::ThreadSampler;

constexpr double kLeastIntervalUs = 100;
constexpr double kMostIntervalUs = 1e6;

void StackSamplesStart(const Napi::CallbackInfo& info) {
  const std::uint64_t interval_us = IntegerArgument(info, 0, "intervalUs", kLeastIntervalUs, kMostIntervalUs);
  ThrowIfFailed(info.Env(), Environment::Of(info).sampler.Start(interval_us * 1000), "the thread's CPU clock");
}

Napi::Value StackSamplesStop(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), Environment::Of(info).sampler.Stop());
}

Napi::Array ModulesOf(Napi::Env env, const sampling::NamedStacks& named) {
  Napi::Array modules = Napi::Array::New(env, named.modules.size());
  for (const auto& [number, module] : named.modules) {
    Napi::Object entry = Napi::Object::New(env);
    entry.Set("path", module.path);
    entry.Set("symbols", module.table == sampling::SymbolTable::kFull       ? "full"
                         : module.table == sampling::SymbolTable::kExported ? "exported"
                                                                            : "none");
    entry.Set("code", module.error == 0 ? "" : ErrorName(module.error));
    modules.Set(number, entry);
  }
  return modules;
}

Napi::Array FramesOf(Napi::Env env, const sampling::NamedStacks& named) {
  Napi::Array frames = Napi::Array::New(env, named.frames.size());
  for (const auto& [number, frame] : named.frames) {
    Napi::Object entry = Napi::Object::New(env);
    entry.Set("name", frame.name);
    entry.Set("module", Napi::Number::New(env, frame.module));
    entry.Set("inKernel", Napi::Boolean::New(env, frame.in_kernel));
    frames.Set(number, entry);
  }
  return frames;
}

Napi::Value StackSamplesTake(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  ThreadSampler& sampler = Environment::Of(info).sampler;
  if (sampler.is_running()) {
    ThrowIfFailed(env, Status::Fail(EBUSY, "timer_create", "stop it first"), "samples of a thread that is sampled");
  }
  sampling::NamedStacks named;
  ThrowIfFailed(env, sampling::NameStacks(sampler, &named), "the names of the samples");
  Napi::Int32Array stacks = Napi::Int32Array::New(env, sampler.size() * kDepth);
  std::int32_t* at = stacks.Data();
  for (std::size_t i = 0; i < sampler.size(); ++i) {
    const std::uintptr_t* const frames = sampler.stacks()[i].frames;
    bool ended = false;
    for (std::size_t j = 0; j < kDepth; ++j) {
      ended = ended || frames[j] == 0;
      *at++ = ended ? -1 : static_cast<std::int32_t>((j == 0 ? named.leaves : named.callers).at(frames[j]));
    }
  }
  Napi::Object result = Napi::Object::New(env);
  result.Set("taken", Napi::Number::New(env, static_cast<double>(sampler.taken())));
  result.Set("depth", Napi::Number::New(env, static_cast<double>(kDepth)));
  result.Set("stacks", stacks);
  result.Set("frames", FramesOf(env, named));
  result.Set("modules", ModulesOf(env, named));
  result.Set("bytesRead", Napi::Number::New(env, static_cast<double>(named.bytes_read)));
  sampler.Forget();
  return result;
}

}  // namespace

void DefineSampling(Napi::Env env, Napi::Object exports) {
  exports.Set("stackSamplesStart", Napi::Function::New(env, StackSamplesStart, "stackSamplesStart"));
  exports.Set("stackSamplesStop", Napi::Function::New(env, StackSamplesStop, "stackSamplesStop"));
  exports.Set("stackSamplesTake", Napi::Function::New(env, StackSamplesTake, "stackSamplesTake"));
}

}  // namespace sysopt::binding
