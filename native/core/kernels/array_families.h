// The entry points of the families in arrays.h, for the dispatch table alone.
#ifndef SYSOPT_CORE_KERNELS_ARRAY_FAMILIES_H_
#define SYSOPT_CORE_KERNELS_ARRAY_FAMILIES_H_

#include "arrays.h"

namespace sysopt::kernels {

#define SYSOPT_ARRAY_FAMILIES(Suffix)                                                                          \
  Compensated SumCompensated##Suffix(const Column& values);                                                    \
  Moments Moments##Suffix(const Column& values);                                                               \
  void Scale##Suffix(Element element, double a, void* x, std::size_t count);                                   \
  void Axpy##Suffix(Element element, double a, const void* x, void* y, std::size_t count);                     \
  double RunningSum##Suffix(const Column& values, double base, double* out);                                   \
  double RunningTotal##Suffix(const Column& values);                                                           \
  void Histogram##Suffix(const Column& values, const Bins& bins, std::uint32_t* slots);                        \
  void Bits##Suffix(BitOperation operation, const std::byte* a, const std::byte* b, std::byte* out,            \
                    std::size_t bytes);                                                                        \
  std::uint64_t CountBits##Suffix(const std::byte* data, std::size_t bytes);                                   \
  std::uint64_t CountCodePoints##Suffix(const std::byte* data, std::size_t bytes);                             \
  void HexEncode##Suffix(const std::byte* data, std::size_t bytes, char* out);                                 \
  std::size_t HexDecode##Suffix(const char* digits, std::size_t bytes, std::byte* out);

SYSOPT_ARRAY_FAMILIES(Reference)
#if SYSOPT_VECTORS
SYSOPT_ARRAY_FAMILIES(Baseline)
#endif
#if SYSOPT_X86_KERNELS
SYSOPT_ARRAY_FAMILIES(Avx2)
SYSOPT_ARRAY_FAMILIES(Avx512)
#endif
#undef SYSOPT_ARRAY_FAMILIES

std::uint32_t Crc32cReference(std::uint32_t crc, const std::byte* data, std::size_t bytes);
#if SYSOPT_X86_KERNELS
std::uint32_t Crc32cSse42(std::uint32_t crc, const std::byte* data, std::size_t bytes);
#endif

}  // namespace sysopt::kernels

#endif  // SYSOPT_CORE_KERNELS_ARRAY_FAMILIES_H_
