#include "array_families.h"
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

#define SYSOPT_TABLE(Suffix, crc)                                                                              \
  {SumCompensated##Suffix, Moments##Suffix,   Scale##Suffix,           Axpy##Suffix, RunningSum##Suffix,       \
   RunningTotal##Suffix,   Histogram##Suffix, Bits##Suffix,            CountBits##Suffix,                       \
   CountCodePoints##Suffix, crc,              HexEncode##Suffix,       HexDecode##Suffix}
constexpr ArrayKernels kReferenceArrays = SYSOPT_TABLE(Reference, Crc32cReference);
#if SYSOPT_VECTORS
constexpr ArrayKernels kBaselineArrays = SYSOPT_TABLE(Baseline, Crc32cReference);
#else
constexpr ArrayKernels kBaselineArrays = kReferenceArrays;
#endif
#if SYSOPT_X86_KERNELS
constexpr ArrayKernels kAvx2Arrays = SYSOPT_TABLE(Avx2, Crc32cSse42);
constexpr ArrayKernels kAvx512Arrays = SYSOPT_TABLE(Avx512, Crc32cSse42);
#endif
#undef SYSOPT_TABLE

Isa Choose() {
#if SYSOPT_X86_KERNELS
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("popcnt") || !__builtin_cpu_supports("sse4.2")) return Isa::kBaseline;
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

const ArrayKernels* ArrayKernelsFor(Isa isa) {
  if (static_cast<int>(isa) > static_cast<int>(kActive)) return nullptr;
  switch (isa) {
    case Isa::kReference:
      return &kReferenceArrays;
#if SYSOPT_X86_KERNELS
    case Isa::kAvx2:
      return &kAvx2Arrays;
    case Isa::kAvx512:
      return &kAvx512Arrays;
#endif
    default:
      return &kBaselineArrays;
  }
}

Isa ActiveIsa() { return kActive; }

const Kernels& Active() {
  static const Kernels& active = *KernelsFor(kActive);
  return active;
}

const ArrayKernels& ActiveArrays() {
  static const ArrayKernels& active = *ArrayKernelsFor(kActive);
  return active;
}

}  // namespace sysopt::kernels
