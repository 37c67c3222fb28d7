#include "capabilities.h"

#include <cerrno>
#include <cmath>

#include "../core/counters/counter_group.h"
#include "../core/figures/figures.h"
#include "../core/os/os.h"
#include "environment.h"

namespace sysopt::binding {
namespace {

int ProbeHugePages() { return os::HugePageSize() != 0 ? 0 : ENOTSUP; }

// Setting the mask that is in force: tries the call and changes nothing.
int ProbeAffinity() {
  os::CpuSet cpus;
  const Status read = os::GetAffinity(0, &cpus);
  return read.ok() ? os::SetAffinity(0, cpus).error : read.error;
}

int ProbeThreadClock() {
  std::uint64_t ns = 0;
  return os::ThreadCpuTime(&ns).error;
}

int ProbeThreadStatistics() {
  double row[figures::kThreadColumns];
  return figures::ReadThreads(row, 1) > 0 && !std::isnan(row[1]) ? 0 : ENOENT;
}

int ProbeProfilerSignal() { return os::ProfilerSignal() != 0 ? 0 : ENOTSUP; }

int ProbeCgroup() {
  double row[figures::kCgroupColumns];
  figures::ReadCgroup(row);
  for (const double figure : row) {
    if (std::isfinite(figure)) return 0;
  }
  return ENOENT;
}

int ProbePressure() {
  double row[figures::kPressureColumns];
  figures::ReadPressure(row);
  return std::isnan(row[0]) ? ENOENT : 0;
}

// In the order of PROBES in src/native/capabilities.ts, after external buffers.
constexpr int (*kProbes[])() = {ProbeHugePages,
                                ProbeAffinity,
                                ProbeThreadClock,
                                ProbeThreadStatistics,
                                ProbeProfilerSignal,
                                [] { return counters::ProbeSoftware(); },
                                [] { return counters::ProbeHardware(); },
                                ProbeCgroup,
                                ProbePressure};

Napi::Value ProbeCapabilities(const Napi::CallbackInfo& info) {
  Napi::Array codes = Napi::Array::New(info.Env());
  std::uint32_t count = 0;
  codes.Set(count++, Environment::Of(info).regions->external_buffers() ? "" : "ENOTSUP");
  for (const auto probe : kProbes) {
    const int error = probe();
    codes.Set(count++, error == 0 ? "" : ErrorName(error));
  }
  return codes;
}

}  // namespace

void DefineCapabilities(Napi::Env env, Napi::Object exports) {
  exports.Set("probeCapabilities", Napi::Function::New(env, ProbeCapabilities, "probeCapabilities"));
}

}  // namespace sysopt::binding
