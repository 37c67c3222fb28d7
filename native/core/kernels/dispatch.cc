#include "families.h"

namespace sysopt::kernels {
namespace {

constexpr Kernels kReference = {ReduceReference, ReduceWideReference, DotReference, FilterReference};
#if SYSOPT_VECTORS
constexpr Kernels kBaseline = {ReduceBaseline, ReduceWideBaseline, DotBaseline, FilterReference};
#else
constexpr Kernels kBaseline = kReference;
#endif
#if SYSOPT_X86_KERNELS
constexpr Kernels kAvx2 = {ReduceAvx2, ReduceWideAvx2, DotAvx2, FilterAvx2};
constexpr Kernels kAvx512 = {ReduceAvx512, ReduceWideAvx512, DotAvx512, FilterAvx512};
#endif

Isa Choose() {
#if SYSOPT_X86_KERNELS
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) {
    return Isa::kAvx512;
  }
  if (__builtin_cpu_supports("avx2")) return Isa::kAvx2;
#endif
  return Isa::kBaseline;
}

const Isa kActive = Choose();

}  // namespace

const Kernels* KernelsFor(Isa isa) {
  if (static_cast<int>(isa) > static_cast<int>(kActive)) return nullptr;
  switch (isa) {
    case Isa::kReference:
      return &kReference;
#if SYSOPT_X86_KERNELS
    case Isa::kAvx2:
      return &kAvx2;
    case Isa::kAvx512:
      return &kAvx512;
#endif
    default:
      return &kBaseline;
  }
}

Isa ActiveIsa() { return kActive; }

const Kernels& Active() {
  static const Kernels& active = *KernelsFor(kActive);
  return active;
}

}  // namespace sysopt::kernels
