// Kernels that know no numbers: bits, characters, checksums, hashes.
//
// Not here: validating UTF-8 and base64. Node does them with simdutf (`buffer.isUtf8`, `toString('base64')`), and a second
// copy would win nothing.
#include <array>

#include "array_families.h"

namespace sysopt::kernels {
namespace {

// --- Bits --------------------------------------------------------------------------------------------------

template <BitOperation kOperation, typename T>
SYSOPT_INLINE void Combine(T& out, const T& a, const T& b) {
  if constexpr (kOperation == BitOperation::kAnd) out = a & b;
  if constexpr (kOperation == BitOperation::kOr) out = a | b;
  if constexpr (kOperation == BitOperation::kXor) out = a ^ b;
  if constexpr (kOperation == BitOperation::kAndNot) out = a & ~b;
}

template <typename Word, BitOperation kOperation>
SYSOPT_INLINE void BitsAs(const std::byte* a, const std::byte* b, std::byte* out, std::size_t bytes) {
  std::size_t i = 0;
  for (; i + sizeof(Word) <= bytes; i += sizeof(Word)) {
    Word x, y, result;
    Load(x, a + i);
    Load(y, b + i);
    Combine<kOperation>(result, x, y);
    Store(out + i, result);
  }
  for (; i < bytes; ++i) {
    auto result = std::uint8_t{0};
    Combine<kOperation>(result, static_cast<std::uint8_t>(a[i]), static_cast<std::uint8_t>(b[i]));
    out[i] = static_cast<std::byte>(result);
  }
}

template <typename Word>
SYSOPT_INLINE void BitsOf(BitOperation operation, const std::byte* a, const std::byte* b, std::byte* out,
                          std::size_t bytes) {
  switch (operation) {
    case BitOperation::kAnd:
      return BitsAs<Word, BitOperation::kAnd>(a, b, out, bytes);
    case BitOperation::kOr:
      return BitsAs<Word, BitOperation::kOr>(a, b, out, bytes);
    case BitOperation::kXor:
      return BitsAs<Word, BitOperation::kXor>(a, b, out, bytes);
    default:
      return BitsAs<Word, BitOperation::kAndNot>(a, b, out, bytes);
  }
}

SYSOPT_INLINE std::uint64_t Ones(std::uint64_t word) {
#if SYSOPT_VECTORS
  return static_cast<std::uint64_t>(__builtin_popcountll(word));
#else
  word -= (word >> 1) & 0x5555555555555555u;
  word = (word & 0x3333333333333333u) + ((word >> 2) & 0x3333333333333333u);
  word = (word + (word >> 4)) & 0x0f0f0f0f0f0f0f0fu;
  return (word * 0x0101010101010101u) >> 56;
#endif
}

SYSOPT_INLINE std::uint64_t CountBitsOf(const std::byte* data, std::size_t bytes) {
  std::uint64_t counts[4] = {};
  std::size_t i = 0;
  for (; i + 32 <= bytes; i += 32) {
    std::uint64_t words[4];
    Load(words, data + i);
#pragma GCC unroll 4
    for (std::size_t k = 0; k < 4; ++k) counts[k] += Ones(words[k]);
  }
  for (; i < bytes; ++i) counts[0] += Ones(static_cast<std::uint64_t>(data[i]));
  return (counts[0] + counts[1]) + (counts[2] + counts[3]);
}

// --- Characters --------------------------------------------------------------------------------------------

SYSOPT_INLINE std::uint64_t CountCodePointsPlain(const std::byte* data, std::size_t bytes) {
  std::uint64_t count = 0;
  for (std::size_t i = 0; i < bytes; ++i) count += (data[i] & std::byte{0xc0}) != std::byte{0x80};
  return count;
}

#if SYSOPT_VECTORS
template <std::size_t kBytes>
SYSOPT_INLINE std::uint64_t CountCodePointsOf(const std::byte* data, std::size_t bytes) {
  using Bytes = Vector<std::int8_t, kBytes>;
  using Counts = Vector<std::uint8_t, kBytes>;
  std::uint64_t count = 0;
  std::size_t i = 0;
  while (i + kBytes <= bytes) {
    Counts counts = {};
    for (std::size_t k = 0; k < 255 && i + kBytes <= bytes; ++k, i += kBytes) {
      Bytes each;
      Load(each, data + i);
      counts -= reinterpret_cast<Counts>(each > static_cast<std::int8_t>(-65));  // true is -1
    }
    for (std::size_t k = 0; k < kBytes; ++k) count += counts[k];
  }
  return count + CountCodePointsPlain(data + i, bytes - i);
}
#endif

// --- CRC-32C -----------------------------------------------------------------------------------------------

constexpr std::uint32_t kCastagnoli = 0x82f63b78;

// Slicing by eight (Kounavis and Berry, 2005): table k advances a byte by k more bytes.
struct CrcTables {
  std::array<std::array<std::uint32_t, 256>, 8> of;
  constexpr CrcTables() : of() {
    for (std::uint32_t byte = 0; byte < 256; ++byte) {
      std::uint32_t crc = byte;
      for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? kCastagnoli : 0);
      of[0][byte] = crc;
    }
    for (std::size_t k = 1; k < 8; ++k) {
      for (std::size_t byte = 0; byte < 256; ++byte) {
        of[k][byte] = (of[k - 1][byte] >> 8) ^ of[0][of[k - 1][byte] & 255];
      }
    }
  }
};
constexpr CrcTables kCrc;

// --- XXH64 -------------------------------------------------------------------------------------------------

constexpr std::uint64_t kPrime1 = 0x9e3779b185ebca87u;
constexpr std::uint64_t kPrime2 = 0xc2b2ae3d27d4eb4fu;
constexpr std::uint64_t kPrime3 = 0x165667b19e3779f9u;
constexpr std::uint64_t kPrime4 = 0x85ebca77c2b2ae63u;
constexpr std::uint64_t kPrime5 = 0x27d4eb2f165667c5u;

constexpr std::uint64_t Rotate(std::uint64_t value, int by) { return (value << by) | (value >> (64 - by)); }
constexpr std::uint64_t Round(std::uint64_t state, std::uint64_t input) {
  return Rotate(state + input * kPrime2, 31) * kPrime1;
}
constexpr std::uint64_t MergeRound(std::uint64_t hash, std::uint64_t state) {
  return (hash ^ Round(0, state)) * kPrime1 + kPrime4;
}

template <typename T>
SYSOPT_INLINE T Read(const std::byte* from) {
  T value;
  std::memcpy(&value, from, sizeof value);  // little-endian, as all targets are
  return value;
}

}  // namespace

#define SYSOPT_BYTES(target, Suffix, Word, CountCodePointsBody)                                                \
  target void Bits##Suffix(BitOperation operation, const std::byte* a, const std::byte* b, std::byte* out,     \
                           std::size_t bytes) {                                                                \
    BitsOf<Word>(operation, a, b, out, bytes);                                                                 \
  }                                                                                                            \
  target std::uint64_t CountBits##Suffix(const std::byte* data, std::size_t bytes) {                           \
    return CountBitsOf(data, bytes);                                                                           \
  }                                                                                                            \
  target std::uint64_t CountCodePoints##Suffix(const std::byte* data, std::size_t bytes) {                     \
    return CountCodePointsBody(data, bytes);                                                                   \
  }

SYSOPT_BYTES(, Reference, std::uint64_t, CountCodePointsPlain)
#if SYSOPT_VECTORS
using Word16 = Vector<std::uint64_t, 16>;
SYSOPT_BYTES(, Baseline, Word16, CountCodePointsOf<16>)
#endif
#if SYSOPT_X86_KERNELS
using Word32 = Vector<std::uint64_t, 32>;
using Word64 = Vector<std::uint64_t, 64>;
SYSOPT_BYTES(SYSOPT_AVX2_POPCNT, Avx2, Word32, CountCodePointsOf<32>)
SYSOPT_BYTES(SYSOPT_AVX512_POPCNT, Avx512, Word64, CountCodePointsOf<64>)
#endif

std::uint32_t Crc32cReference(std::uint32_t crc, const std::byte* data, std::size_t bytes) {
  crc = ~crc;
  for (; bytes >= 8; bytes -= 8, data += 8) {
    const std::uint64_t word = Read<std::uint64_t>(data) ^ crc;
    crc = kCrc.of[7][word & 255] ^ kCrc.of[6][(word >> 8) & 255] ^ kCrc.of[5][(word >> 16) & 255] ^
          kCrc.of[4][(word >> 24) & 255] ^ kCrc.of[3][(word >> 32) & 255] ^ kCrc.of[2][(word >> 40) & 255] ^
          kCrc.of[1][(word >> 48) & 255] ^ kCrc.of[0][word >> 56];
  }
  for (; bytes > 0; --bytes, ++data) crc = (crc >> 8) ^ kCrc.of[0][(crc ^ static_cast<std::uint32_t>(*data)) & 255];
  return ~crc;
}

#if SYSOPT_X86_KERNELS
SYSOPT_SSE42 std::uint32_t Crc32cSse42(std::uint32_t crc, const std::byte* data, std::size_t bytes) {
  std::uint64_t state = static_cast<std::uint32_t>(~crc);
  for (; bytes >= 8; bytes -= 8, data += 8) state = __builtin_ia32_crc32di(state, Read<std::uint64_t>(data));
  auto small = static_cast<std::uint32_t>(state);
  for (; bytes > 0; --bytes, ++data) small = __builtin_ia32_crc32qi(small, static_cast<unsigned char>(*data));
  return ~small;
}
#endif

std::uint64_t Xxh64(const std::byte* data, std::size_t bytes, std::uint64_t seed) {
  const std::byte* const end = data + bytes;
  std::uint64_t hash = seed + kPrime5;
  if (bytes >= 32) {
    std::uint64_t a = seed + kPrime1 + kPrime2, b = seed + kPrime2, c = seed, d = seed - kPrime1;
    for (; end - data >= 32; data += 32) {
      a = Round(a, Read<std::uint64_t>(data));
      b = Round(b, Read<std::uint64_t>(data + 8));
      c = Round(c, Read<std::uint64_t>(data + 16));
      d = Round(d, Read<std::uint64_t>(data + 24));
    }
    hash = Rotate(a, 1) + Rotate(b, 7) + Rotate(c, 12) + Rotate(d, 18);
    hash = MergeRound(MergeRound(MergeRound(MergeRound(hash, a), b), c), d);
  }
  hash += bytes;
  for (; end - data >= 8; data += 8) {
    hash = Rotate(hash ^ Round(0, Read<std::uint64_t>(data)), 27) * kPrime1 + kPrime4;
  }
  if (end - data >= 4) {
    hash = Rotate(hash ^ (Read<std::uint32_t>(data) * kPrime1), 23) * kPrime2 + kPrime3;
    data += 4;
  }
  for (; data < end; ++data) hash = Rotate(hash ^ (static_cast<std::uint64_t>(*data) * kPrime5), 11) * kPrime1;
  hash = (hash ^ (hash >> 33)) * kPrime2;
  hash = (hash ^ (hash >> 29)) * kPrime3;
  return hash ^ (hash >> 32);
}

}  // namespace sysopt::kernels
