// The entry points of every family, for the dispatch table alone.
#ifndef SYSOPT_CORE_KERNELS_FAMILIES_H_
#define SYSOPT_CORE_KERNELS_FAMILIES_H_

#include "kernels.h"

namespace sysopt::kernels {

double ReduceReference(Reduction reduction, const Column& column);
WideResult ReduceWideReference(Reduction reduction, const Column& column);
double DotReference(const Column& a, const Column& b);
std::size_t FilterReference(const Column& column, const Predicate& predicate, std::uint32_t* out);

#if SYSOPT_VECTORS
double ReduceBaseline(Reduction reduction, const Column& column);
WideResult ReduceWideBaseline(Reduction reduction, const Column& column);
double DotBaseline(const Column& a, const Column& b);
#endif

#if SYSOPT_X86_KERNELS
double ReduceAvx2(Reduction reduction, const Column& column);
WideResult ReduceWideAvx2(Reduction reduction, const Column& column);
double DotAvx2(const Column& a, const Column& b);
std::size_t FilterAvx2(const Column& column, const Predicate& predicate, std::uint32_t* out);

double ReduceAvx512(Reduction reduction, const Column& column);
WideResult ReduceWideAvx512(Reduction reduction, const Column& column);
double DotAvx512(const Column& a, const Column& b);
std::size_t FilterAvx512(const Column& column, const Predicate& predicate, std::uint32_t* out);
#endif

}  // namespace sysopt::kernels

#endif  // SYSOPT_CORE_KERNELS_FAMILIES_H_
