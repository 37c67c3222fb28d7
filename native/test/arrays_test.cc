// Kernels over arrays: every instruction set that this CPU runs against the scalar reference, to the bit, over lengths
// around every vector and block, at every alignment, in memory that ends right behind the values; and whole arrays on one
// thread against the same in chunks.
#include "../core/kernels/arrays.h"

#include <algorithm>
#include <cctype>
#include <functional>
#include <limits>
#include <memory>
#include <numeric>
#include <random>
#include <vector>

#include "../core/kernels/bulk.h"
#include "../core/kernels/order.h"
#include "harness.h"

using namespace sysopt::kernels;

namespace {

constexpr std::size_t kCounts[] = {0, 1, 7, 8, 9, 31, 33, 127, 128, 129, 255, 257, 300, 511, 513, 1000, 4095, 4096};
constexpr Isa kVectorIsas[] = {Isa::kBaseline, Isa::kAvx2, Isa::kAvx512};

template <typename T>
constexpr Element ElementOf() {
  if constexpr (std::is_same_v<T, std::uint8_t>) return Element::kU8;
  if constexpr (std::is_same_v<T, std::int16_t>) return Element::kI16;
  if constexpr (std::is_same_v<T, std::int32_t>) return Element::kI32;
  if constexpr (std::is_same_v<T, std::uint32_t>) return Element::kU32;
  if constexpr (std::is_same_v<T, float>) return Element::kF32;
  return Element::kF64;
}

// Exactly as much memory as there are values, `offset` of them before the first, so that AddressSanitizer sees every
// step beyond and loads are at every alignment that a typed array can have.
template <typename T>
struct Data {
  std::unique_ptr<T[]> memory;
  std::size_t count;
  std::size_t offset;

  Data(std::size_t length, std::size_t before, unsigned seed, bool odd = false)
      : memory(new T[length + before]), count(length), offset(before) {
    std::mt19937_64 random(seed);
    for (std::size_t i = 0; i < length + before; ++i) {
      if constexpr (std::is_floating_point_v<T>) {
        memory[i] = static_cast<T>((static_cast<double>(random() % 2000001) - 1000000.0) / 7.0);
        if (odd && random() % 5 == 0) {
          using Limits = std::numeric_limits<T>;
          const T odds[] = {Limits::quiet_NaN(), Limits::infinity(), -Limits::infinity(), T(-0.0), Limits::denorm_min()};
          memory[i] = odds[random() % 5];
        }
      } else {
        memory[i] = static_cast<T>(random());
      }
    }
  }
  T* values() const { return memory.get() + offset; }
  Column column() const {
    Column column;
    column.data = values();
    column.count = count;
    column.element = ElementOf<T>();
    return column;
  }
};

bool Same(double a, double b) { return std::memcmp(&a, &b, sizeof a) == 0 || (a != a && b != b); }

template <typename Use>
void ForIsas(Use use) {
  int ran = 0;
  for (const Isa isa : kVectorIsas) {
    const ArrayKernels* arrays = ArrayKernelsFor(isa);
    if (!arrays) continue;
    use(*KernelsFor(isa), *arrays);
    ++ran;
  }
  EXPECT(ran >= 1);
}
const ArrayKernels& Reference() { return *ArrayKernelsFor(Isa::kReference); }

template <typename T>
void TestNumeric() {
  for (const std::size_t count : kCounts) {
    for (const std::size_t offset : {0u, 1u, 3u, 7u}) {
      for (const bool odd : {false, true}) {
        const Data<T> data(count, offset, static_cast<unsigned>(count + offset), odd);
        const Column column = data.column();
        std::vector<double> expected_sums(count), sums(count);
        const double total = Reference().running_sum(column, 1.5, expected_sums.data());
        EXPECT(count == 0 || Same(expected_sums[count - 1], 1.5 + total));
        const Moments expected = Reference().moments(column);
        const Bins bins = {-5000, 70000, 37 / 75000.0, 37};
        std::vector<std::uint32_t> expected_slots(40), slots(40);
        Reference().histogram(column, bins, expected_slots.data());
        EXPECT_EQ(std::accumulate(expected_slots.begin(), expected_slots.end(), std::size_t{0}), count);
        ForIsas([&](const Kernels&, const ArrayKernels& arrays) {
          EXPECT(Same(arrays.running_sum(column, 1.5, sums.data()), total));
          EXPECT(Same(arrays.running_total(column), total));
          for (std::size_t i = 0; i < count; ++i) EXPECT(Same(sums[i], expected_sums[i]));
          const Moments moments = arrays.moments(column);
          EXPECT(Same(moments.mean, expected.mean) && Same(moments.m2, expected.m2) && moments.count == expected.count);
          std::fill(slots.begin(), slots.end(), 0);
          arrays.histogram(column, bins, slots.data());
          EXPECT(slots == expected_slots);
        });
      }
    }
  }
}

template <typename T>
void TestFloats() {
  for (const std::size_t count : kCounts) {
    for (const std::size_t offset : {0u, 1u, 5u}) {
      const Data<T> x(count, offset, 1, offset == 5), y(count, offset / 2, 2);
      const Compensated expected = Reference().sum_compensated(x.column());
      Data<T> scaled(count, offset, 1, offset == 5), added(count, offset / 2, 2);
      Reference().scale(ElementOf<T>(), -0.37, scaled.values(), count);
      Reference().axpy(ElementOf<T>(), 0.1, x.values(), added.values(), count);
      ForIsas([&](const Kernels&, const ArrayKernels& arrays) {
        const Compensated sum = arrays.sum_compensated(x.column());
        EXPECT(Same(sum.sum, expected.sum) && Same(sum.error, expected.error));
        Data<T> one(count, offset, 1, offset == 5), two(count, offset / 2, 2);
        arrays.scale(ElementOf<T>(), -0.37, one.values(), count);
        arrays.axpy(ElementOf<T>(), 0.1, x.values(), two.values(), count);
        for (std::size_t i = 0; i < count; ++i) {
          EXPECT(Same(one.values()[i], scaled.values()[i]) && Same(two.values()[i], added.values()[i]));
        }
      });
    }
  }
}

// Random, few different, up to five ascending runs, descending; in narrow clusters, which top digits cannot part; in one
// narrow cluster between two values far away.
template <typename T>
void Shape(int shape, std::size_t count, T* values) {
  if (shape == 1) {
    for (std::size_t i = 0; i < count; ++i) values[i] = static_cast<T>(i * 7919 % 3);
  } else if (shape >= 2 && shape <= 6) {
    const std::size_t run = count / static_cast<std::size_t>(shape - 1) + 1;
    for (std::size_t start = 0; start < count; start += run) std::sort(values + start, values + std::min(start + run, count));
  } else if (shape == 7) {
    std::sort(values, values + count, std::greater<>());
  } else if (shape >= 8) {
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t cluster = shape == 8 ? i % 50 : 25;
      const std::size_t place = i * 7919 % 997;
      if constexpr (std::is_floating_point_v<T>) {
        values[i] = static_cast<T>(static_cast<double>(cluster) * 1e5 + static_cast<double>(place) / 1024);
      } else {
        constexpr auto kWidth = static_cast<std::size_t>(std::numeric_limits<T>::max() / 64) + 1;
        values[i] = static_cast<T>(cluster * kWidth + place % kWidth);
      }
    }
    if (shape == 9) values[count / 2] = std::numeric_limits<T>::max(), values[count / 3] = std::numeric_limits<T>::min();
  }
}

template <typename T>
void TestOrder() {
  std::vector<std::size_t> counts = {95, 96, 100, 255, 256, 257, 1023, 1024, 1025, 5000, 20000};
  for (std::size_t count = 0; count <= 66; ++count) counts.push_back(count);
  for (const std::size_t count : counts) {
    for (int shape = 0; shape < 10; ++shape) {
      if (shape > 1 && count < 64) continue;
      Data<T> data(count, 1, 5);
      Shape(shape, count, data.values());
      std::vector<T> sorted(data.values(), data.values() + count);
      std::vector<std::uint32_t> order(count), places(count);
      std::iota(order.begin(), order.end(), 0u);
      std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return sorted[a] < sorted[b]; });
      std::sort(sorted.begin(), sorted.end());
      const Element element = ElementOf<T>();
      const std::vector<T> original(data.values(), data.values() + count);
      std::unique_ptr<std::byte[]> scratch(new std::byte[ArgsortScratch(element, count)]);
      Argsort(element, data.values(), count, places.data(), scratch.get());
      EXPECT(places == order);
      if (count > 0) {
        std::vector<std::uint32_t> ranks;
        for (std::size_t k = 0; k < 37; ++k) ranks.push_back(static_cast<std::uint32_t>(k * k * (count - 1) / (36 * 36)));
        std::vector<double> found(ranks.size());
        scratch.reset(new std::byte[SelectScratch(element, count)]);
        Select(element, data.values(), count, ranks.data(), ranks.size(), found.data(), scratch.get());
        for (std::size_t k = 0; k < ranks.size(); ++k) EXPECT_EQ(found[k], static_cast<double>(sorted[ranks[k]]));
      }
      scratch.reset(new std::byte[SortScratch(element, count)]);
      Sort(element, data.values(), count, scratch.get());
      EXPECT(std::equal(sorted.begin(), sorted.end(), data.values()));
    }
  }
}

}  // namespace

TEST(CalculatesTheSameWithEveryInstructionSet) {
  TestNumeric<double>();
  TestNumeric<float>();
  TestNumeric<std::int32_t>();
  TestNumeric<std::uint32_t>();
  TestNumeric<std::int16_t>();
  TestNumeric<std::uint8_t>();
  TestFloats<double>();
  TestFloats<float>();
}

TEST(WorksOnBytesTheSameWithEveryInstructionSet) {
  for (const std::size_t count : kCounts) {
    for (const std::size_t offset : {0u, 1u, 9u}) {
      const Data<std::uint8_t> a(count, offset, 3), b(count, offset + 2, 4);
      const auto* x = reinterpret_cast<const std::byte*>(a.values());
      const auto* y = reinterpret_cast<const std::byte*>(b.values());
      ForIsas([&](const Kernels&, const ArrayKernels& arrays) {
        EXPECT_EQ(arrays.count_bits(x, count), Reference().count_bits(x, count));
        EXPECT_EQ(arrays.count_code_points(x, count), Reference().count_code_points(x, count));
        EXPECT_EQ(arrays.crc32c(7, x, count), Reference().crc32c(7, x, count));
        for (int code = 0; code < 4; ++code) {
          std::vector<std::byte> out(count), expected(count);
          arrays.bits(static_cast<BitOperation>(code), x, y, out.data(), count);
          Reference().bits(static_cast<BitOperation>(code), x, y, expected.data(), count);
          EXPECT(out == expected);
        }
      });
    }
  }
  const char text[] = "123456789";
  EXPECT_EQ(Reference().crc32c(0, reinterpret_cast<const std::byte*>(text), 9), 0xe3069283u);
  EXPECT_EQ(Xxh64(reinterpret_cast<const std::byte*>("abc"), 3, 0), 0x44bc2cf5ad770999u);
}

TEST(EncodesAndDecodesDigitsTheSameWithEveryInstructionSet) {
  std::vector<std::size_t> counts = {127, 128, 129, 255, 256, 257, 600};
  for (std::size_t count = 0; count <= 65; ++count) counts.push_back(count);
  for (const std::size_t count : counts) {
    for (const std::size_t offset : {0u, 1u, 9u}) {
      const Data<std::uint8_t> data(count, offset, 11);
      const auto* bytes = reinterpret_cast<const std::byte*>(data.values());
      Data<std::uint8_t> expected(2 * count, 0, 1);
      for (std::size_t i = 0; i < count; ++i) {
        expected.values()[2 * i] = static_cast<std::uint8_t>("0123456789abcdef"[data.values()[i] >> 4]);
        expected.values()[2 * i + 1] = static_cast<std::uint8_t>("0123456789abcdef"[data.values()[i] & 15]);
      }
      const auto decode = [&](const ArrayKernels& arrays) {
        Data<std::uint8_t> digits(2 * count, offset, 1);
        arrays.hex_encode(bytes, count, reinterpret_cast<char*>(digits.values()));
        EXPECT(std::equal(digits.values(), digits.values() + 2 * count, expected.values()));
        for (std::size_t i = 0; i < 2 * count; i += 3) {
          digits.values()[i] = static_cast<std::uint8_t>(std::toupper(digits.values()[i]));
        }
        Data<std::uint8_t> decoded(count, offset + 1, 2);
        auto* const out = reinterpret_cast<std::byte*>(decoded.values());
        const auto* const text = reinterpret_cast<const char*>(digits.values());
        EXPECT_EQ(arrays.hex_decode(text, count, out), count);
        EXPECT(std::equal(decoded.values(), decoded.values() + count, data.values()));
        // Neighbours of the digits and letters, and what loses a bit on the way.
        for (const int wrong : {+'/', +':', +'@', +'G', +'`', +'g', 0, 0x10, 0xb0, 0xc1, 0xff}) {
          for (std::size_t place = 0; place < 2 * count; place += 1 + count / 9) {
            const std::uint8_t right = digits.values()[place];
            digits.values()[place] = static_cast<std::uint8_t>(wrong);
            EXPECT_EQ(arrays.hex_decode(text, count, out), place / 2);
            digits.values()[place] = right;
          }
        }
      };
      decode(Reference());
      ForIsas([&](const Kernels&, const ArrayKernels& arrays) { decode(arrays); });
    }
  }
}

TEST(ScattersUpToTheFirstIndexThatIsOutside) {
  for (const std::size_t count : {0u, 1u, 3u, 4u, 5u, 8u, 100u}) {
    const Data<float> data(count, 1, 3);
    std::vector<std::uint32_t> indices(count);
    for (std::size_t i = 0; i < count; ++i) indices[i] = static_cast<std::uint32_t>(i * 7 % (count + 1));
    for (std::size_t bad = 0; bad <= count; ++bad) {
      if (bad < count) indices[bad] = static_cast<std::uint32_t>(count + 1 + bad);
      std::vector<float> expected(count + 1), out(count + 1);
      for (std::size_t i = 0; i < bad; ++i) expected[indices[i]] = data.values()[i];
      EXPECT_EQ(Scatter(data.column(), indices.data(), out.data(), out.size()), bad);
      for (std::size_t i = 0; i < out.size(); ++i) EXPECT(Same(out[i], expected[i]) || bad < count);
      if (bad < count) indices[bad] = static_cast<std::uint32_t>(bad * 7 % (count + 1));
    }
  }
}

TEST(CountsManyCodePointsWithoutOverflow) {
  const std::vector<std::byte> text(100000, std::byte{'a'});
  ForIsas([&](const Kernels&, const ArrayKernels& arrays) {
    EXPECT_EQ(arrays.count_code_points(text.data(), text.size()), std::uint64_t{100000});
  });
}

TEST(SortsAndSelects) {
  TestOrder<double>();
  TestOrder<float>();
  TestOrder<std::int32_t>();
  TestOrder<std::uint32_t>();
  TestOrder<std::int16_t>();
  TestOrder<std::uint8_t>();
}

TEST(KeepsTheValuesThatPass) {
  for (const std::size_t count : {0u, 63u, 64u, 511u, 512u, 2000u}) {
    const Data<double> data(count, 1, 8);
    Predicate predicate;
    predicate.compare = Predicate::Compare::kGreater;
    predicate.value = 0;
    std::vector<double> expected;
    std::copy_if(data.values(), data.values() + count, std::back_inserter(expected), [](double v) { return v > 0; });
    ForIsas([&](const Kernels& kernels, const ArrayKernels&) {
      std::unique_ptr<double[]> out(new double[count]);
      const std::size_t found = Compact(kernels, data.column(), predicate, out.get());
      EXPECT(std::vector<double>(out.get(), out.get() + found) == expected);
    });
  }
}

TEST(JoinsBlocksTheSameOnOneThreadAndInChunks) {
  for (const std::size_t count : {1u, 16384u, 16385u, 65536u, 65537u, 500001u}) {
    const Data<double> a(count, 1, 9), b(count, 0, 10);
    for (std::size_t code = 0; code < kBulks; ++code) {
      const auto operation = static_cast<Bulk>(code);
      double expected[3];
      ReduceArray(ActiveTables(), operation, a.column(), b.column(), expected);
      for (const Isa isa : kVectorIsas) {
        if (!KernelsFor(isa)) continue;
        double out[3];
        ReduceArray({*KernelsFor(isa), *ArrayKernelsFor(isa)}, operation, a.column(), b.column(), out);
        for (int k = 0; k < 3; ++k) EXPECT(Same(out[k], expected[k]));
      }
      const auto job = MakeReduceJob(operation, a.column(), b.column());
      for (std::size_t chunk = job->chunks(); chunk-- > 0;) job->Run(chunk);
      const std::vector<double> out = job->Result();
      for (int k = 0; k < 3; ++k) EXPECT(Same(out[k], expected[k]));
    }
  }
}

TEST(StopsAtKeysThatAreNoGroup) {
  std::vector<std::int32_t> keys(1000, 3);
  const std::vector<double> values(1000, 1.0);
  Column key, value;
  key.data = keys.data();
  value.data = values.data();
  key.count = value.count = 1000;
  key.element = Element::kI32;
  for (const std::int32_t bad : {4, -1, std::numeric_limits<std::int32_t>::min()}) {
    keys[517] = bad;
    std::vector<GroupEntry> entries(16);
    double sums[4], counts[4];
    EXPECT_EQ(GroupSumArray(key, value, 4, entries.data(), sums, counts), std::size_t{517});
    EXPECT_EQ(MakeGroupSumJob(key, value, 4)->BadKey(), BulkJob::kNone);  // not run yet
  }
}
