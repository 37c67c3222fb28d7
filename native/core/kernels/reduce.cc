#include "reduce.h"

#include "families.h"

namespace sysopt::kernels {

double ReduceReference(Reduction reduction, const Column& column) {
  return ReduceColumn<Scalar>(reduction, column);
}
WideResult ReduceWideReference(Reduction reduction, const Column& column) {
  return ReduceWideColumn<Scalar>(reduction, column);
}
double DotReference(const Column& a, const Column& b) { return DotColumns<Scalar>(a, b); }

#if SYSOPT_VECTORS
double ReduceBaseline(Reduction reduction, const Column& column) {
  return ReduceColumn<Wide<16>>(reduction, column);
}
WideResult ReduceWideBaseline(Reduction reduction, const Column& column) {
  return ReduceWideColumn<Wide<16>>(reduction, column);
}
double DotBaseline(const Column& a, const Column& b) { return DotColumns<Wide<16>>(a, b); }
#endif

#if SYSOPT_X86_KERNELS
SYSOPT_AVX2 double ReduceAvx2(Reduction reduction, const Column& column) {
  return ReduceColumn<Wide<32>>(reduction, column);
}
SYSOPT_AVX2 WideResult ReduceWideAvx2(Reduction reduction, const Column& column) {
  return ReduceWideColumn<Wide<32>>(reduction, column);
}
SYSOPT_AVX2 double DotAvx2(const Column& a, const Column& b) { return DotColumns<Wide<32>>(a, b); }

SYSOPT_AVX512 double ReduceAvx512(Reduction reduction, const Column& column) {
  return ReduceColumn<Wide<64>>(reduction, column);
}
SYSOPT_AVX512 WideResult ReduceWideAvx512(Reduction reduction, const Column& column) {
  return ReduceWideColumn<Wide<64>>(reduction, column);
}
SYSOPT_AVX512 double DotAvx512(const Column& a, const Column& b) { return DotColumns<Wide<64>>(a, b); }
#endif

}  // namespace sysopt::kernels
