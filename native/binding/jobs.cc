#include "jobs.h"

#include <cerrno>
#include <cmath>
#include <exception>
#include <new>
#include <string>
#include <utility>

#include "environment.h"
#include "errors.h"
#include "kernel_arguments.h"

namespace sysopt::binding {

using kernels::Bulk;
using kernels::BulkJob;
using kernels::Column;

struct JobTable::Pending {
  std::shared_ptr<BulkJob> job;
  napi_threadsafe_function deliver;
  napi_deferred deferred;
  Napi::ObjectReference holds;
};

namespace {

constexpr double kMaxThreads = 64;
constexpr double kMaxBins = 16777216;

// Operations beyond those of Bulk, in the numbers of src/native/array-contract.ts.
enum Operation : unsigned {
  kScale = kernels::kBulks,
  kAxpy,
  kHistogram,
  kGroupSum,
  kRunningSum,
  kSort,
  kArgsort,
  kOperations
};
constexpr std::size_t kFirst = 2;  // arguments after operation and threads

void RequireEqual(const Napi::CallbackInfo& info, const Column& a, const Column& b) {
  if (a.count != b.count) throw BadArgument(info.Env(), true, "the arrays differ in length");
}

std::shared_ptr<BulkJob> SortJobOf(const Napi::CallbackInfo& info, bool is_argsort, unsigned threads) {
  const Column values = ValuesArgument(info, kFirst, "values");
  std::uint32_t* indices = nullptr;
  if (is_argsort) {
    const View<std::uint32_t> out = Uint32Argument(info, kFirst + 1, "out");
    if (out.length < values.count) throw BadArgument(info.Env(), true, "out is shorter than values");
    indices = out.data;
  }
  auto job = kernels::MakeSortJob(values.element, const_cast<void*>(values.data), values.count, indices, threads);
  if (!job) {
    ThrowIfFailed(info.Env(), Status::Fail(ENOMEM, "malloc", "no memory to work in"),
                  std::to_string(values.count) + " values");
  }
  return job;
}

std::shared_ptr<BulkJob> JobOf(const Napi::CallbackInfo& info, std::uint64_t operation, unsigned threads) {
  switch (operation) {
    case kScale: {
      const double a = NumberArgument(info, kFirst, "a");
      const Column x = FloatsArgument(info, kFirst + 1, "x");
      return kernels::MakeScaleJob(a, x.element, const_cast<void*>(x.data), x.count);
    }
    case kAxpy: {
      const double a = NumberArgument(info, kFirst, "a");
      const Column x = FloatsArgument(info, kFirst + 1, "x");
      const Column y = FloatsArgument(info, kFirst + 2, "y");
      RequireEqual(info, x, y);
      if (x.element != y.element) throw BadArgument(info.Env(), false, "x and y must be of one type");
      return kernels::MakeAxpyJob(a, x.element, x.data, const_cast<void*>(y.data), x.count);
    }
    case kHistogram: {
      kernels::Bins bins;
      bins.low = NumberArgument(info, kFirst + 1, "low");
      bins.high = NumberArgument(info, kFirst + 2, "high");
      bins.bins = static_cast<std::uint32_t>(IntegerArgument(info, kFirst + 3, "bins", 1, kMaxBins));
      bins.scale = static_cast<double>(bins.bins) / (bins.high - bins.low);
      if (!(bins.high > bins.low) || !std::isfinite(bins.scale) || !std::isfinite(bins.high - bins.low)) {
        throw BadArgument(info.Env(), true, "low and high do not make bins");
      }
      return kernels::MakeHistogramJob(NumbersArgument(info, kFirst, "values"), bins);
    }
    case kGroupSum: {
      const auto groups = IntegerArgument(info, kFirst + 2, "groups", 1, kernels::kSplitGroups);
      const Column keys = KeysArgument(info, kFirst);
      const Column values = NumbersArgument(info, kFirst + 1, "values");
      RequireEqual(info, keys, values);
      return kernels::MakeGroupSumJob(keys, values, groups);
    }
    case kRunningSum: {
      const Column values = NumbersArgument(info, kFirst, "values");
      const View<double> out = Float64Argument(info, kFirst + 1, "out", values.count);
      return kernels::MakeRunningSumJob(values, out.data);
    }
    case kSort:
    case kArgsort:
      return SortJobOf(info, operation == kArgsort, threads);
    default: {
      const auto bulk = static_cast<Bulk>(operation);
      const Column values =
          bulk == Bulk::kSumCompensated ? FloatsArgument(info, kFirst, "values") : NumbersArgument(info, kFirst, "values");
      const Column other = NumbersArgument(info, kFirst + 1, "other");
      RequireEqual(info, values, other);
      return kernels::MakeReduceJob(bulk, values, other);
    }
  }
}

// A result as the contract has it: the place of a bad key comes last where there could be one.
Napi::Value ResultOf(Napi::Env env, const BulkJob& job) {
  const bool has_keys = job.HasKeys();
  const std::vector<double> numbers = job.Result();
  Napi::Float64Array out = Napi::Float64Array::New(env, numbers.size() + (has_keys ? 1 : 0));
  for (std::size_t k = 0; k < numbers.size(); ++k) out[k] = numbers[k];
  if (has_keys) {
    const std::size_t bad = job.BadKey();
    out[numbers.size()] = bad == BulkJob::kNone ? -1 : static_cast<double>(bad);
  }
  return out;
}

std::uint64_t OperationArgument(const Napi::CallbackInfo& info) {
  return IntegerArgument(info, 0, "operation", 0, kOperations - 1);
}
unsigned ThreadsArgument(const Napi::CallbackInfo& info) {
  return static_cast<unsigned>(IntegerArgument(info, 1, "threads", 1, kMaxThreads));
}

Napi::Value ArrayJob(const Napi::CallbackInfo& info) {
  const std::uint64_t operation = OperationArgument(info);
  const unsigned threads = ThreadsArgument(info);
  const std::shared_ptr<BulkJob> job = JobOf(info, operation, threads);
  Environment::Of(info).jobs.PoolOf(info.Env()).RunAndWait(job, threads);
  return ResultOf(info.Env(), *job);
}

Napi::Value ArrayJobAsync(const Napi::CallbackInfo& info) {
  const std::uint64_t operation = OperationArgument(info);
  const unsigned threads = ThreadsArgument(info);
  // Before any pointer is taken: this makes objects.
  Napi::Array holds = Napi::Array::New(info.Env());
  for (std::size_t k = kFirst; k < info.Length(); ++k) {
    if (!info[k].IsTypedArray()) continue;
    napi_value buffer = nullptr;
    bool is_private = true;
    if (napi_get_typedarray_info(info.Env(), info[k], nullptr, nullptr, nullptr, &buffer, nullptr) != napi_ok ||
        napi_is_arraybuffer(info.Env(), buffer, &is_private) != napi_ok || is_private) {
      throw BadArgument(info.Env(), false, "arrays must lie in SharedArrayBuffers: other memory could go away");
    }
    // The buffer, not the view: a view can be given another prototype, but memory lives with its buffer.
    holds[holds.Length()] = Napi::Value(info.Env(), buffer);
  }
  return Environment::Of(info).jobs.Start(info.Env(), JobOf(info, operation, threads), threads, holds);
}

Napi::Value PoolThreads(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(sched::Pool::Process().threads()));
}

}  // namespace

sched::Pool& JobTable::PoolOf(Napi::Env env) {
  sched::Pool& pool = sched::Pool::Process();
  if (is_started_) return pool;
  napi_value name = Napi::String::New(env, "sysopt kernels");
  if (napi_create_threadsafe_function(env, nullptr, nullptr, name, 0, 1, nullptr, nullptr, this, Deliver, &deliver_) !=
          napi_ok ||
      napi_unref_threadsafe_function(env, deliver_) != napi_ok ||
      napi_add_env_cleanup_hook(env, End, this) != napi_ok) {
    throw Napi::Error::New(env, "the environment is ending");
  }
  pool.Retain();
  is_started_ = true;
  return pool;
}

Napi::Value JobTable::Start(Napi::Env env, std::shared_ptr<BulkJob> job, unsigned threads, Napi::Array holds) {
  sched::Pool& pool = PoolOf(env);
  napi_deferred deferred = nullptr;
  napi_value promise = nullptr;
  if (napi_create_promise(env, &deferred, &promise) != napi_ok) throw Napi::Error::New(env);
  auto* const pending = new Pending{std::move(job), deliver_, deferred, Napi::ObjectReference::New(holds, 1)};
  if (pending_.empty()) napi_ref_threadsafe_function(env, deliver_);
  pending_.insert(pending);
  pool.Submit(pending->job, threads, OnPoolThread, pending);
  return Napi::Value(env, promise);
}

// The last thing that a job does. The environment waits for it before it ends, so `deliver` is open.
void JobTable::OnPoolThread(void* data) {
  const auto* const pending = static_cast<Pending*>(data);
  napi_call_threadsafe_function(pending->deliver, data, napi_tsfn_nonblocking);
}

void JobTable::Deliver(napi_env raw, napi_value, void* context, void* data) {
  if (!raw) return;  // the environment is ending; End has dropped the job
  const Napi::Env env(raw);
  auto& table = *static_cast<JobTable*>(context);
  const std::unique_ptr<Pending> pending(static_cast<Pending*>(data));
  table.pending_.erase(pending.get());
  if (table.pending_.empty()) napi_unref_threadsafe_function(env, table.deliver_);
  // Statuses are ignored and nothing is thrown on: in a worker that is being terminated every call fails, and there is
  // nobody left to tell.
  std::string problem = "the result could not be made";
  try {
    napi_resolve_deferred(raw, pending->deferred, ResultOf(env, *pending->job));
    return;
  } catch (const std::bad_alloc&) {
    problem = "there is no memory for the result";
  } catch (const std::exception&) {
    // Of Napi: the environment is ending.
  }
  napi_value message = nullptr;
  napi_value error = nullptr;
  if (napi_create_string_utf8(raw, problem.c_str(), problem.size(), &message) == napi_ok &&
      napi_create_error(raw, nullptr, message, &error) == napi_ok) {
    napi_reject_deferred(raw, pending->deferred, error);
  }
}

void JobTable::End(void* data) {
  auto& table = *static_cast<JobTable*>(data);
  sched::Pool& pool = sched::Pool::Process();
  for (Pending* const pending : table.pending_) {
    pool.CancelAndWait(pending->job);
    // Node frees references with the environment; JavaScript can no longer be called here.
    pending->holds.SuppressDestruct();
    delete pending;
  }
  table.pending_.clear();
  napi_release_threadsafe_function(table.deliver_, napi_tsfn_abort);
  pool.Release();
}

void DefineJobs(Napi::Env env, Napi::Object exports) {
  exports.Set("arrayJob", Napi::Function::New(env, ArrayJob, "arrayJob"));
  exports.Set("arrayJobAsync", Napi::Function::New(env, ArrayJobAsync, "arrayJobAsync"));
  exports.Set("poolThreads", Napi::Function::New(env, PoolThreads, "poolThreads"));
}

}  // namespace sysopt::binding
