// Hexadecimal digits. Node 20 encodes and decodes them one by one; base64, which it does with simdutf, is not here.
//
// A byte becomes a 16-bit word with one half of it in each byte, lower address first, and a digit is its value plus '0', or
// plus 'a' - 10: no tables and no shuffles, so one body serves every instruction set.
#include "array_families.h"

namespace sysopt::kernels {
namespace {

SYSOPT_INLINE char DigitOf(unsigned value) { return static_cast<char>(value + (value > 9 ? 'a' - 10 : '0')); }

// 16 and more for what is no digit.
SYSOPT_INLINE unsigned ValueOf(char digit) {
  const auto code = static_cast<unsigned>(static_cast<unsigned char>(digit));
  const unsigned number = code - '0';
  if (number <= 9) return number;
  const unsigned letter = (code | 0x20u) - 'a';
  return letter <= 5 ? letter + 10 : 16;
}

SYSOPT_INLINE void EncodePlain(const std::byte* data, std::size_t bytes, char* out) {
  for (std::size_t i = 0; i < bytes; ++i) {
    const auto byte = static_cast<unsigned>(data[i]);
    out[2 * i] = DigitOf(byte >> 4);
    out[2 * i + 1] = DigitOf(byte & 15);
  }
}

SYSOPT_INLINE std::size_t DecodePlain(const char* digits, std::size_t bytes, std::byte* out) {
  for (std::size_t i = 0; i < bytes; ++i) {
    const unsigned high = ValueOf(digits[2 * i]);
    const unsigned low = ValueOf(digits[2 * i + 1]);
    if ((high | low) > 15) return i;
    out[i] = static_cast<std::byte>(high * 16 + low);
  }
  return bytes;
}

#if SYSOPT_VECTORS

template <std::size_t kBytes>
SYSOPT_INLINE void EncodeOf(const std::byte* data, std::size_t bytes, char* out) {
  using Half = Vector<std::uint8_t, kBytes / 2>;
  using Words = Vector<std::uint16_t, kBytes>;
  using Digits = Vector<std::uint8_t, kBytes>;
  std::size_t i = 0;
  for (; i + kBytes / 2 <= bytes; i += kBytes / 2) {
    Half half;
    Load(half, data + i);
    Words words = __builtin_convertvector(half, Words);
    words = (words >> 4) | ((words & 15) << 8);  // little-endian, as all targets are
    Digits digits = reinterpret_cast<Digits>(words);
    digits += '0' + (reinterpret_cast<Digits>(digits > 9) & ('a' - 10 - '0'));
    Store(out + 2 * i, digits);
  }
  EncodePlain(data + i, bytes - i, out + 2 * i);
}

template <std::size_t kBytes>
SYSOPT_INLINE std::size_t DecodeOf(const char* digits, std::size_t bytes, std::byte* out) {
  using Half = Vector<std::uint8_t, kBytes / 2>;
  using Words = Vector<std::uint16_t, kBytes>;
  using Digits = Vector<std::uint8_t, kBytes>;
  // So many vectors at a time are looked at for what is no digit.
  constexpr std::size_t kAtOnce = 8;
  constexpr std::size_t kEach = kBytes / 2;
  std::size_t i = 0;
  for (; i + kAtOnce * kEach <= bytes; i += kAtOnce * kEach) {
    Digits wrong = {};
    for (std::size_t k = 0; k < kAtOnce; ++k) {
      Digits code;
      Load(code, digits + 2 * (i + k * kEach));
      const Digits number = code - '0';
      const Digits letter = (code | 0x20) - 'a';
      const Digits is_number = reinterpret_cast<Digits>(number < 10);
      const Digits is_letter = reinterpret_cast<Digits>(letter < 6);
      wrong |= ~(is_number | is_letter);
      const Words words = reinterpret_cast<Words>((number & is_number) | ((letter + 10) & is_letter));
      const Half half = __builtin_convertvector(((words << 4) | (words >> 8)) & 255, Half);
      Store(out + i + k * kEach, half);
    }
    std::uint64_t all[kBytes / 8];
    std::memcpy(all, &wrong, sizeof all);
    std::uint64_t any = 0;
    for (const std::uint64_t each : all) any |= each;
    if (any != 0) break;
  }
  return i + DecodePlain(digits + 2 * i, bytes - i, out + i);
}

#endif  // SYSOPT_VECTORS

}  // namespace

#define SYSOPT_HEX(target, Suffix, EncodeBody, DecodeBody)                                                     \
  target void HexEncode##Suffix(const std::byte* data, std::size_t bytes, char* out) {                         \
    EncodeBody(data, bytes, out);                                                                              \
  }                                                                                                            \
  target std::size_t HexDecode##Suffix(const char* digits, std::size_t bytes, std::byte* out) {                \
    return DecodeBody(digits, bytes, out);                                                                     \
  }

SYSOPT_HEX(, Reference, EncodePlain, DecodePlain)
#if SYSOPT_VECTORS
SYSOPT_HEX(, Baseline, EncodeOf<16>, DecodeOf<16>)
#endif
#if SYSOPT_X86_KERNELS
SYSOPT_HEX(SYSOPT_AVX2, Avx2, EncodeOf<32>, DecodeOf<32>)
SYSOPT_HEX(SYSOPT_AVX512, Avx512, EncodeOf<64>, DecodeOf<64>)
#endif

}  // namespace sysopt::kernels
