// Bulk kernels on the process' pool of native threads: waiting for them, or by promise.
#ifndef SYSOPT_BINDING_JOBS_H_
#define SYSOPT_BINDING_JOBS_H_

#include <napi.h>

#include <memory>
#include <unordered_set>

#include "../core/kernels/bulk.h"

namespace sysopt::binding {

// The jobs of one environment that have not been delivered. Used by the environment's own thread.
//
// Ends by a clean-up hook, not by its destructor: hooks run last in, first out, so ours comes before Node closes the
// thread-safe function, and while the memory that jobs work on still exists.
class JobTable {
 public:
  JobTable() = default;
  JobTable(const JobTable&) = delete;
  JobTable& operator=(const JobTable&) = delete;

  // The process' pool, retained by this environment until it ends.
  sched::Pool& PoolOf(Napi::Env env);

  // Submits a job; `holds` are the arrays that it works on. The promise settles when it has been run.
  Napi::Value Start(Napi::Env env, std::shared_ptr<kernels::BulkJob> job, unsigned threads, Napi::Array holds);

 private:
  struct Pending;

  static void End(void* table);
  static void OnPoolThread(void* pending);
  static void Deliver(napi_env env, napi_value callback, void* context, void* pending);

  bool is_started_ = false;
  napi_threadsafe_function deliver_ = nullptr;
  std::unordered_set<Pending*> pending_;
};

void DefineJobs(Napi::Env env, Napi::Object exports);

}  // namespace sysopt::binding

#endif  // SYSOPT_BINDING_JOBS_H_
