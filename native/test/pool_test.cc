// The pool under many threads: every chunk runs once, every job ends once, cancelling and ending at any moment. Run under
// ThreadSanitizer by scripts/test-native.js.
#include "../core/sched/pool.h"

#include <atomic>
#include <thread>
#include <vector>

#include "harness.h"

using sysopt::sched::Job;
using sysopt::sched::Pool;

namespace {

// Counts in plain memory, so that ThreadSanitizer sees whether a job's end orders what its chunks wrote.
class CountingJob final : public Job {
 public:
  explicit CountingJob(std::size_t chunks) : Job(chunks), runs(chunks) {}
  void Run(std::size_t chunk) noexcept override {
    for (int k = 0; k < 50; ++k) spun += k;
    ++runs[chunk];
  }
  std::vector<int> runs;
  std::atomic<long> spun{0};
};

bool AllOnce(const CountingJob& job) {
  for (const int count : job.runs) {
    if (count != 1) return false;
  }
  return true;
}

void Count(void* counter) { static_cast<std::atomic<int>*>(counter)->fetch_add(1); }

}  // namespace

TEST(RunsEveryChunkOnce) {
  Pool pool;
  for (const unsigned threads : {1u, 2u, 4u, 100u}) {
    for (const std::size_t chunks : {0u, 1u, 2u, 7u, 300u}) {
      const auto job = std::make_shared<CountingJob>(chunks);
      pool.RunAndWait(job, threads);
      EXPECT(AllOnce(*job));
    }
  }
  EXPECT(pool.threads() <= 64);
}

TEST(TellsTheEndOnce) {
  Pool pool;
  std::atomic<int> ended{0};
  std::vector<std::shared_ptr<CountingJob>> jobs;
  for (std::size_t k = 0; k < 200; ++k) {
    jobs.push_back(std::make_shared<CountingJob>(k % 9));
    pool.Submit(jobs.back(), 3, Count, &ended);
  }
  for (const auto& job : jobs) pool.CancelAndWait(job);
  EXPECT_EQ(ended.load(), 200);
  for (const auto& job : jobs) {
    for (const int count : job->runs) EXPECT(count <= 1);
  }
}

TEST(ServesManyThreadsAtOnce) {
  Pool pool;
  std::vector<std::thread> users;
  std::atomic<int> wrong{0};
  std::atomic<int> ended{0};
  for (int user = 0; user < 4; ++user) {
    users.emplace_back([&pool, &wrong, &ended, user] {
      for (std::size_t k = 0; k < 100; ++k) {
        pool.Retain();
        const auto waiting = std::make_shared<CountingJob>(1 + k % 13);
        const auto later = std::make_shared<CountingJob>(1 + k % 5);
        pool.Submit(later, 2, Count, &ended);
        pool.RunAndWait(waiting, 3);
        if (!AllOnce(*waiting)) ++wrong;
        pool.CancelAndWait(later);
        if (user == 0 && k % 10 == 0) std::this_thread::yield();
        pool.Release();  // the last of them joins the threads, the next starts new ones
      }
    });
  }
  for (std::thread& user : users) user.join();
  EXPECT_EQ(wrong.load(), 0);
  EXPECT_EQ(ended.load(), 400);
  EXPECT_EQ(pool.threads(), std::size_t{0});
}

TEST(EndsItsThreadsWithTheLastUser) {
  Pool pool;
  pool.Retain();
  pool.Retain();
  pool.RunAndWait(std::make_shared<CountingJob>(10), 3);
  pool.Release();
  EXPECT_EQ(pool.threads(), std::size_t{2});
  pool.Release();
  EXPECT_EQ(pool.threads(), std::size_t{0});
  pool.Retain();
  const auto job = std::make_shared<CountingJob>(10);
  pool.RunAndWait(job, 2);
  EXPECT(AllOnce(*job));
  pool.Release();
}
