#include "probe.h"

#include <cstdint>
#include <string>

#include "../core/probe/memory_probe.h"
#include "arguments.h"
#include "errors.h"

namespace sysopt::binding {
namespace {

constexpr double kMaxBudgetNs = 1e10;
constexpr double kMaxStride = 1 << 20;
constexpr double kMaxSize = 1099511627776.0;  // 2^40

// The first `size` bytes of a view, aligned for words.
View<std::byte> MemoryArgument(const Napi::CallbackInfo& info, std::size_t size) {
  const View<std::byte> memory = BytesArgument(info, 0, "memory");
  if (!memory.data || memory.length < size) {
    throw BadArgument(info.Env(), true,
                      "memory has " + std::to_string(memory.length) + " bytes; it needs " + std::to_string(size) +
                          " (a detached one has none)");
  }
  if (reinterpret_cast<std::uintptr_t>(memory.data) % sizeof(std::uint64_t) != 0) {
    throw BadArgument(info.Env(), true, "memory starts at an odd address; pass one that is a multiple of 8");
  }
  return memory;
}

Napi::Value ProbeLatency(const Napi::CallbackInfo& info) {
  const auto size = static_cast<std::size_t>(IntegerArgument(info, 1, "sizeBytes", 1, kMaxSize));
  const auto stride = static_cast<std::size_t>(IntegerArgument(info, 2, "strideBytes", 8, kMaxStride));
  const std::uint64_t budget = IntegerArgument(info, 3, "budgetNs", 1, kMaxBudgetNs);
  if (stride % sizeof(std::uint64_t) != 0) {
    throw BadArgument(info.Env(), true, "strideBytes is " + std::to_string(stride) + "; pass a multiple of 8");
  }
  const View<std::byte> memory = MemoryArgument(info, size);
  return Napi::Number::New(info.Env(), probe::ChaseLatency(memory.data, size, stride, budget));
}

Napi::Value ProbeBandwidth(const Napi::CallbackInfo& info) {
  const auto size = static_cast<std::size_t>(IntegerArgument(info, 1, "sizeBytes", 1, kMaxSize));
  const std::uint64_t budget = IntegerArgument(info, 2, "budgetNs", 1, kMaxBudgetNs);
  const View<std::byte> memory = MemoryArgument(info, size);
  return Napi::Number::New(info.Env(), probe::ReadBandwidth(memory.data, size, budget));
}

void ProbeClocks(const Napi::CallbackInfo& info) {
  const View<double> out = Float64Argument(info, 0, "out", 3);
  const probe::ClockCosts costs = probe::MeasureClocks();
  out.data[0] = costs.resolution_ns;
  out.data[1] = costs.clock_ns;
  out.data[2] = costs.syscall_ns;
}

// Without the C++ wrapper: the floor that other calls are compared with.
napi_value EmptyCall(napi_env, napi_callback_info) { return nullptr; }

}  // namespace

void DefineProbe(Napi::Env env, Napi::Object exports) {
  exports.Set("probeLatency", Napi::Function::New(env, ProbeLatency, "probeLatency"));
  exports.Set("probeBandwidth", Napi::Function::New(env, ProbeBandwidth, "probeBandwidth"));
  exports.Set("probeClocks", Napi::Function::New(env, ProbeClocks, "probeClocks"));
  napi_value empty = nullptr;
  if (napi_create_function(env, "emptyCall", NAPI_AUTO_LENGTH, EmptyCall, nullptr, &empty) != napi_ok) {
    throw Napi::Error::New(env);
  }
  exports.Set("emptyCall", Napi::Value(env, empty));
}

}  // namespace sysopt::binding
