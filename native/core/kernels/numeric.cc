#include "numeric.h"

#include "array_families.h"

namespace sysopt::kernels {

#define SYSOPT_NUMERIC(target, Suffix, Body)                                                                   \
  target Compensated SumCompensated##Suffix(const Column& values) { return SumCompensatedOf<Body>(values); }    \
  target Moments Moments##Suffix(const Column& values) { return MomentsOf<Body>(values); }                      \
  target void Scale##Suffix(Element element, double a, void* x, std::size_t count) {                            \
    ScaleOf<Body>(element, a, x, count);                                                                        \
  }                                                                                                             \
  target void Axpy##Suffix(Element element, double a, const void* x, void* y, std::size_t count) {              \
    AxpyOf<Body>(element, a, x, y, count);                                                                      \
  }                                                                                                             \
  target double RunningSum##Suffix(const Column& values, double base, double* out) {                            \
    return RunningSumOf<Body>(values, base, out);                                                               \
  }                                                                                                             \
  target double RunningTotal##Suffix(const Column& values) { return RunningTotalOf<Body>(values); }             \
  target void Histogram##Suffix(const Column& values, const Bins& bins, std::uint32_t* slots) {                 \
    HistogramOf<Body>(values, bins, slots);                                                                     \
  }

SYSOPT_NUMERIC(, Reference, ScalarNumeric)
#if SYSOPT_VECTORS
SYSOPT_NUMERIC(, Baseline, WideNumeric<16>)
#endif
#if SYSOPT_X86_KERNELS
SYSOPT_NUMERIC(SYSOPT_AVX2, Avx2, WideNumeric<32>)
SYSOPT_NUMERIC(SYSOPT_AVX512, Avx512, WideNumeric<64>)
#endif

}  // namespace sysopt::kernels
