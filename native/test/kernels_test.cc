// Kernels of every instruction set that this CPU runs against the scalar reference and against plain loops, over
// lengths around every tile and vector, strides, blocks, and memory that ends right behind the column.
#include "../core/kernels/kernels.h"

#include <cstdlib>
#include <limits>
#include <memory>
#include <random>
#include <type_traits>
#include <vector>

#include "harness.h"

using namespace sysopt::kernels;

namespace {

struct Shape {
  std::size_t stride;
  std::size_t block;
};
constexpr Shape kShapes[] = {{1, 0}, {3, 0}, {1, 40}, {2, 32}};
constexpr std::size_t kCounts[] = {0, 1, 2, 15, 16, 17, 31, 63, 64, 65, 127, 128, 129, 511, 512, 513, 1000, 2049};
constexpr Isa kAll[] = {Isa::kReference, Isa::kBaseline, Isa::kAvx2, Isa::kAvx512};

template <typename T>
constexpr Element ElementOf() {
  if constexpr (std::is_same_v<T, std::uint8_t>) return Element::kU8;
  if constexpr (std::is_same_v<T, std::int8_t>) return Element::kI8;
  if constexpr (std::is_same_v<T, std::uint16_t>) return Element::kU16;
  if constexpr (std::is_same_v<T, std::int16_t>) return Element::kI16;
  if constexpr (std::is_same_v<T, std::uint32_t>) return Element::kU32;
  if constexpr (std::is_same_v<T, std::int32_t>) return Element::kI32;
  if constexpr (std::is_same_v<T, float>) return Element::kF32;
  if constexpr (std::is_same_v<T, double>) return Element::kF64;
  if constexpr (std::is_same_v<T, std::uint64_t>) return Element::kU64;
  return Element::kI64;
}

// A column in memory of exactly its size, so that AddressSanitizer sees every step beyond.
template <typename T>
struct Data {
  std::vector<T> values;
  std::unique_ptr<T[]> memory;
  Column column;

  Data(std::size_t count, Shape shape, unsigned seed, std::size_t offset = 0) {
    std::mt19937_64 random(seed);
    column.count = count;
    column.stride = shape.stride;
    column.block = shape.block;
    column.element = ElementOf<T>();
    const std::size_t length = count == 0 ? 0 : Place<T>(column, count - 1) + 1;
    memory.reset(new T[length + offset]());
    column.data = memory.get() + offset;
    for (std::size_t i = 0; i < count; ++i) {
      T value;
      if constexpr (std::is_floating_point_v<T>) {
        value = static_cast<T>(static_cast<double>(random() % 2000000) / 7.0 - 100000.0);
      } else {
        value = static_cast<T>(random());
      }
      memory[offset + Place<T>(column, i)] = value;
      values.push_back(value);
    }
  }
};

bool SameBits(double a, double b) { return std::memcmp(&a, &b, sizeof a) == 0; }

template <typename T>
double PlainSum(const std::vector<T>& values) {
  if constexpr (std::is_integral_v<T>) {
    std::int64_t sum = 0;
    for (const T value : values) sum += value;
    return static_cast<double>(sum);
  } else {
    double lanes[32] = {};
    if (values.size() < 128) {
      for (const T value : values) lanes[0] += value;
      return lanes[0];
    }
    for (std::size_t i = 0; i < values.size(); ++i) lanes[i % 32] += values[i];
    for (int half = 16; half > 0; half /= 2) {
      for (int k = 0; k < half; ++k) lanes[k] += lanes[k + half];
    }
    return lanes[0];
  }
}

template <typename Use>
void ForIsas(Use use) {
  int ran = 0;
  for (const Isa isa : kAll) {
    const Kernels* kernels = KernelsFor(isa);
    if (!kernels) continue;
    use(*kernels);
    ++ran;
  }
  EXPECT(ran >= 2);
}

template <typename T>
void TestReduce() {
  for (const Shape shape : kShapes) {
    for (const std::size_t count : kCounts) {
      const Data<T> data(count, shape, static_cast<unsigned>(count), count % 3);
      double least = std::numeric_limits<double>::infinity();
      double most = -least;
      for (const T value : data.values) {
        least = static_cast<double>(value) < least ? static_cast<double>(value) : least;
        most = static_cast<double>(value) > most ? static_cast<double>(value) : most;
      }
      ForIsas([&](const Kernels& kernels) {
        EXPECT(SameBits(kernels.reduce(Reduction::kSum, data.column), PlainSum(data.values)));
        EXPECT_EQ(kernels.reduce(Reduction::kMin, data.column), least);
        EXPECT_EQ(kernels.reduce(Reduction::kMax, data.column), most);
      });
    }
  }
}

template <typename T>
void TestReduceWide() {
  for (const Shape shape : kShapes) {
    for (const std::size_t count : kCounts) {
      const Data<T> data(count, shape, static_cast<unsigned>(count));
      __extension__ using Big = __int128;
      Big sum = 0;
      T least = std::numeric_limits<T>::max();
      T most = std::numeric_limits<T>::min();
      for (const T value : data.values) {
        sum += value;
        least = value < least ? value : least;
        most = value > most ? value : most;
      }
      ForIsas([&](const Kernels& kernels) {
        const WideResult result = kernels.reduce_wide(Reduction::kSum, data.column);
        EXPECT((static_cast<Big>(result.high) * (Big{1} << 32)) + static_cast<Big>(result.low) == sum);
        if (count == 0) return;
        EXPECT_EQ(static_cast<T>(kernels.reduce_wide(Reduction::kMin, data.column).low), least);
        EXPECT_EQ(static_cast<T>(kernels.reduce_wide(Reduction::kMax, data.column).low), most);
      });
    }
  }
}

template <typename T>
void TestFilterIntegers() {
  for (const Shape shape : kShapes) {
    for (const std::size_t count : kCounts) {
      const Data<T> data(count, shape, static_cast<unsigned>(count) + 5);
      std::mt19937_64 random(count);
      for (int round = 0; round < 4; ++round) {
        T low = static_cast<T>(random());
        T high = static_cast<T>(random());
        if (low > high) std::swap(low, high);
        if (round == 3) low = std::numeric_limits<T>::min(), high = std::numeric_limits<T>::max();
        Predicate predicate;
        predicate.low = static_cast<std::uint64_t>(static_cast<std::make_unsigned_t<T>>(low));
        predicate.high = static_cast<std::uint64_t>(static_cast<std::make_unsigned_t<T>>(high));
        predicate.inverted = round % 2 == 1;
        predicate.mask = round == 2 ? random() : ~std::uint64_t{0};
        const auto mask = static_cast<std::make_unsigned_t<T>>(predicate.mask);
        std::vector<std::uint32_t> expected;
        for (std::size_t i = 0; i < count; ++i) {
          const T masked = static_cast<T>(static_cast<std::make_unsigned_t<T>>(data.values[i]) & mask);
          if ((masked >= low && masked <= high) != predicate.inverted) {
            expected.push_back(static_cast<std::uint32_t>(i));
          }
        }
        ForIsas([&](const Kernels& kernels) {
          std::unique_ptr<std::uint32_t[]> out(new std::uint32_t[count]);
          const std::size_t found = kernels.filter(data.column, predicate, out.get());
          EXPECT(std::vector<std::uint32_t>(out.get(), out.get() + found) == expected);
        });
      }
    }
  }
}

template <typename T>
void TestFilterFloats() {
  for (const Shape shape : kShapes) {
    for (const std::size_t count : kCounts) {
      Data<T> data(count, shape, static_cast<unsigned>(count) + 9);
      if (count > 5) {
        const T special[] = {std::numeric_limits<T>::quiet_NaN(), std::numeric_limits<T>::infinity(), T{0}};
        for (std::size_t k = 0; k < 3; ++k) {
          data.values[k + 2] = special[k];
          data.memory[Place<T>(data.column, k + 2)] = special[k];
        }
      }
      for (const double against : {0.0, 12345.5, std::numeric_limits<double>::quiet_NaN()}) {
        for (int code = 0; code < 6; ++code) {
          Predicate predicate;
          predicate.compare = static_cast<Predicate::Compare>(code);
          predicate.value = against;
          std::vector<std::uint32_t> expected;
          for (std::size_t i = 0; i < count; ++i) {
            const double value = data.values[i];
            const bool passes[] = {value < against,  value <= against, value > against,
                                   value >= against, value == against, value != against};
            if (passes[code]) expected.push_back(static_cast<std::uint32_t>(i));
          }
          ForIsas([&](const Kernels& kernels) {
            std::unique_ptr<std::uint32_t[]> out(new std::uint32_t[count]);
            const std::size_t found = kernels.filter(data.column, predicate, out.get());
            EXPECT(std::vector<std::uint32_t>(out.get(), out.get() + found) == expected);
          });
        }
      }
    }
  }
}

template <typename A, typename B>
void TestDot() {
  for (const Shape shape : kShapes) {
    for (const std::size_t count : kCounts) {
      const Data<A> a(count, shape, 1);
      const Data<B> b(count, kShapes[count % 4], 2);
      std::vector<double> products;
      for (std::size_t i = 0; i < count; ++i) {
        products.push_back(static_cast<double>(a.values[i]) * static_cast<double>(b.values[i]));
      }
      ForIsas([&](const Kernels& kernels) {
        EXPECT(SameBits(kernels.dot(a.column, b.column), PlainSum(products)));
      });
    }
  }
}

}  // namespace

TEST(ReducesEveryType) {
  TestReduce<std::uint8_t>();
  TestReduce<std::int8_t>();
  TestReduce<std::uint16_t>();
  TestReduce<std::int16_t>();
  TestReduce<std::uint32_t>();
  TestReduce<std::int32_t>();
  TestReduce<float>();
  TestReduce<double>();
  TestReduceWide<std::uint64_t>();
  TestReduceWide<std::int64_t>();
}

TEST(SumsOfSmallIntegersDoNotOverflowTheirLanes) {
  // Beyond the 2^14 additions after which lanes are emptied.
  std::vector<std::uint16_t> values(4000000, 65535);
  Column column;
  column.data = values.data();
  column.count = values.size();
  column.element = Element::kU16;
  ForIsas([&](const Kernels& kernels) {
    EXPECT_EQ(kernels.reduce(Reduction::kSum, column), 65535.0 * 4000000.0);
  });
}

TEST(ExtremesKnowNanAndHaveNoNegativeZero) {
  for (const std::size_t count : {1u, 40u, 700u}) {
    for (std::size_t at = 0; at < count; at += 13) {
      std::vector<double> values(count, -0.0);
      Column column;
      column.data = values.data();
      column.count = count;
      ForIsas([&](const Kernels& kernels) {
        EXPECT(SameBits(kernels.reduce(Reduction::kMin, column), 0.0));
        EXPECT(SameBits(kernels.reduce(Reduction::kMax, column), 0.0));
      });
      for (const double odd : {std::numeric_limits<double>::quiet_NaN(), -std::numeric_limits<double>::quiet_NaN()}) {
        values[at] = odd;
        ForIsas([&](const Kernels& kernels) {
          EXPECT(std::isnan(kernels.reduce(Reduction::kMin, column)));
          EXPECT(std::isnan(kernels.reduce(Reduction::kMax, column)));
        });
      }
      values[at] = -std::numeric_limits<double>::infinity();
      ForIsas([&](const Kernels& kernels) {
        EXPECT_EQ(kernels.reduce(Reduction::kMin, column), -std::numeric_limits<double>::infinity());
        EXPECT_EQ(kernels.reduce(Reduction::kMax, column), count == 1 ? values[at] : 0.0);
      });
    }
  }
}

TEST(FiltersEveryType) {
  TestFilterIntegers<std::uint8_t>();
  TestFilterIntegers<std::int8_t>();
  TestFilterIntegers<std::uint16_t>();
  TestFilterIntegers<std::int16_t>();
  TestFilterIntegers<std::uint32_t>();
  TestFilterIntegers<std::int32_t>();
  TestFilterIntegers<std::uint64_t>();
  TestFilterIntegers<std::int64_t>();
  TestFilterFloats<float>();
  TestFilterFloats<double>();
}

TEST(MultipliesAndAddsWithoutFusing) {
  TestDot<double, double>();
  TestDot<float, float>();
  TestDot<float, double>();
  TestDot<std::int32_t, double>();
  TestDot<std::uint32_t, std::int8_t>();
  TestDot<std::uint16_t, std::uint8_t>();
}

TEST(GathersAndStopsAtBadIndices) {
  for (const Shape shape : kShapes) {
    const Data<double> data(100, shape, 3);
    const std::uint32_t indices[] = {99, 0, 5, 5, 17, 42, 16, 15, 100, 1};
    double out[10] = {};
    EXPECT_EQ(Gather(data.column, indices, 10, out), std::size_t{8});
    for (int k = 0; k < 8; ++k) EXPECT_EQ(out[k], data.values[indices[k]]);
    EXPECT_EQ(out[8], 0.0);
    EXPECT_EQ(Gather(data.column, indices, 8, out), std::size_t{8});
  }
}

TEST(MovesRunsBetweenOrders) {
  for (const std::size_t bytes : {1u, 2u, 3u, 4u, 8u, 13u}) {
    for (const std::size_t count : {1u, 15u, 16u, 17u, 127u, 128u, 129u, 300u}) {
      const std::size_t stride = bytes + 5;
      const std::size_t blocks = (count + 15) / 16;
      const std::size_t block = 16 * bytes + 7;
      std::vector<std::byte> rows(stride * (count - 1) + bytes);
      for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<std::byte>(i * 31 % 251);
      std::vector<std::byte> columns(bytes * count), tiled(block * blocks), back(rows.size());
      const Move first = {rows.data(), columns.data(), stride, 0, bytes, 0, bytes};
      const Move second = {columns.data(), tiled.data(), bytes, 0, bytes, block, bytes};
      const Move third = {tiled.data(), back.data(), bytes, block, stride, 0, bytes};
      MoveRecords(&first, 1, count);
      MoveRecords(&second, 1, count);
      MoveRecords(&third, 1, count);
      bool equal = true;
      for (std::size_t i = 0; i < count; ++i) {
        equal &= std::memcmp(rows.data() + i * stride, back.data() + i * stride, bytes) == 0;
        equal &= std::memcmp(rows.data() + i * stride, columns.data() + i * bytes, bytes) == 0;
      }
      EXPECT(equal);
    }
  }
}
