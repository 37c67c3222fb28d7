// Kernels on the pool's threads against the same on one: sorts, running sums and reductions, to the bit; several callers at
// once; jobs that are cancelled while threads wait for each other. Run under ThreadSanitizer by scripts/test-native.js.
#include "../core/kernels/bulk.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <numeric>
#include <random>
#include <thread>
#include <vector>

#include "../core/kernels/order.h"
#include "harness.h"

using namespace sysopt::kernels;
using sysopt::sched::Pool;

namespace {

template <typename T>
constexpr Element ElementOf() {
  if constexpr (std::is_same_v<T, std::uint8_t>) return Element::kU8;
  if constexpr (std::is_same_v<T, std::uint32_t>) return Element::kU32;
  if constexpr (std::is_same_v<T, std::int64_t>) return Element::kI64;
  if constexpr (std::is_same_v<T, float>) return Element::kF32;
  return Element::kF64;
}

// Random, one value, few values, skewed over many magnitudes, sorted but for the end, in narrow clusters.
template <typename T>
std::vector<T> Values(std::size_t count, int shape) {
  std::mt19937_64 random(count + static_cast<std::size_t>(shape));
  std::vector<T> values(count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto bits = random();
    double value = static_cast<double>(bits % 2000001) - 1000000.0;
    if (shape == 1) value = 7;
    if (shape == 2) value = static_cast<double>(bits % 5);
    if (shape == 3) value = static_cast<double>(std::uint64_t{1} << (bits % 31));
    if (shape == 5) value = static_cast<double>(bits % 40 * 50000 + bits / 64 % 500) / (std::is_floating_point_v<T> ? 512 : 1);
    if constexpr (std::is_floating_point_v<T>) {
      values[i] = static_cast<T>(value / 7);
      if (shape == 0 && bits % 97 == 0) values[i] = std::numeric_limits<T>::quiet_NaN();
      if (shape == 0 && bits % 89 == 0) values[i] = T(-0.0);
      if (shape == 0 && bits % 83 == 0) values[i] = T(0.0);
    } else {
      values[i] = static_cast<T>(static_cast<std::int64_t>(value));
    }
  }
  if (shape == 4) std::sort(values.begin(), values.end() - static_cast<std::ptrdiff_t>(count / 50));
  return values;
}

template <typename T>
Column ColumnOf(const std::vector<T>& values) {
  Column column;
  column.data = values.data();
  column.count = values.size();
  column.element = ElementOf<T>();
  return column;
}

template <typename T>
bool SameBits(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0);
}

template <typename T>
void TestSort(Pool& pool, std::size_t count, int shape, unsigned threads) {
  const std::vector<T> values = Values<T>(count, shape);
  const Element element = ElementOf<T>();
  std::vector<T> expected = values, sorted = values;
  std::vector<std::uint32_t> expected_order(count), order(count);
  const std::unique_ptr<std::byte[]> scratch(new std::byte[ArgsortScratch(element, count) + 8]);
  Sort(element, expected.data(), count, scratch.get());
  Argsort(element, values.data(), count, expected_order.data(), scratch.get());
  pool.RunAndWait(MakeSortJob(element, sorted.data(), count, nullptr, threads), threads);
  EXPECT(SameBits(sorted, expected));
  std::vector<T> unchanged = values;
  pool.RunAndWait(MakeSortJob(element, unchanged.data(), count, order.data(), threads), threads);
  EXPECT(order == expected_order);
  EXPECT(SameBits(unchanged, values));
}

template <typename T>
void TestRunningSum(Pool& pool, std::size_t count, unsigned threads) {
  const std::vector<T> values = Values<T>(count, 2);
  std::vector<double> expected(count), out(count);
  RunningSums(ActiveArrays(), ColumnOf(values), expected.data());
  pool.RunAndWait(MakeRunningSumJob(ColumnOf(values), out.data()), threads);
  EXPECT(SameBits(out, expected));
}

void Ignore(void*) {}

}  // namespace

TEST(SortsTheSameOnSeveralThreads) {
  Pool pool;
  for (const std::size_t count : {0u, 1u, 65536u, 65537u, 131073u}) {
    for (const unsigned threads : {1u, 2u, 5u}) {
      for (int shape = 0; shape < 6; ++shape) {
        if (count < 65537 && shape != 2) continue;
        if (threads != 2 && shape % 2 == 1) continue;
        TestSort<double>(pool, count, shape, threads);
        if (shape % 2 == 0 && threads == 2) {
          TestSort<float>(pool, count, shape, threads);
          TestSort<std::uint32_t>(pool, count, shape, threads);
          TestSort<std::int64_t>(pool, count, shape, threads);
          TestSort<std::uint8_t>(pool, count, shape, threads);
        }
      }
    }
  }
}

TEST(AddsUpTheSameOnSeveralThreads) {
  Pool pool;
  for (const std::size_t count : {0u, 1u, 16384u, 16385u, 65537u, 131073u, 400001u}) {
    for (const unsigned threads : {1u, 2u, 3u, 9u}) {
      TestRunningSum<double>(pool, count, threads);
      TestRunningSum<float>(pool, count, threads);
      TestRunningSum<std::uint8_t>(pool, count, threads);
    }
    // In place.
    std::vector<double> values = Values<double>(count, 1), expected(count);
    RunningSums(ActiveArrays(), ColumnOf(values), expected.data());
    pool.RunAndWait(MakeRunningSumJob(ColumnOf(values), values.data()), 2);
    EXPECT(SameBits(values, expected));
  }
}

TEST(ServesSeveralCallersOfEveryKind) {
  Pool pool;
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 3; ++caller) {
    callers.emplace_back([&pool, caller] {
      for (int k = 0; k < 2; ++k) {
        TestSort<double>(pool, 140000, caller, 3);
        TestRunningSum<double>(pool, 200000, 3);
        const std::vector<double> values = Values<double>(300000, 3);
        double expected[3];
        ReduceArray(ActiveTables(), Bulk::kMoments, ColumnOf(values), {}, expected);
        const auto job = MakeReduceJob(Bulk::kMoments, ColumnOf(values), {});
        pool.RunAndWait(job, 2);
        const std::vector<double> out = job->Result();
        EXPECT(out[0] == expected[0] && out[1] == expected[1] && out[2] == expected[2]);
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
}

TEST(EndsWhenItIsCancelledInAnyPhase) {
  Pool pool;
  const std::vector<double> values = Values<double>(200000, 0);
  for (int k = 0; k < 24; ++k) {
    std::vector<double> sorted = values, sums(values.size());
    const auto sort = MakeSortJob(Element::kF64, sorted.data(), sorted.size(), nullptr, 3);
    const auto sum = MakeRunningSumJob(ColumnOf(values), sums.data());
    pool.Submit(sort, 3, Ignore, nullptr);
    pool.Submit(sum, 2, Ignore, nullptr);
    if (k % 2 == 0) std::this_thread::sleep_for(std::chrono::microseconds(100 * k));
    pool.CancelAndWait(sort);
    pool.CancelAndWait(sum);
  }
}
