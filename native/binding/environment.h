// What one JavaScript environment (the main thread, or one worker) owns. Made when the addon loads there,
// destroyed with it; nothing in it is touched by another thread.
#ifndef SYSOPT_BINDING_ENVIRONMENT_H_
#define SYSOPT_BINDING_ENVIRONMENT_H_

#include <napi.h>

#include "../core/figures/tick.h"
#include "../core/sampling/thread_sampler.h"
#include "../core/sched/thread.h"
#include "counters.h"
#include "jobs.h"
#include "memory.h"

namespace sysopt::binding {

struct Environment {
  explicit Environment(Napi::Env env) : regions(new RegionTable(env)) {}
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;
  ~Environment() { regions->Abandon(); }

  static Environment& Of(const Napi::CallbackInfo& info) {
    return *info.Env().GetInstanceData<Environment>();
  }

  // Shared with the regions' finalizers, which may run after this. Never null.
  RegionTable* const regions;
  CounterTable counters;
  figures::TickReader tick;
  JobTable jobs;
  sampling::ThreadSampler sampler;
  sched::ComputeThread compute_thread;
  sched::KeptOff kept_off;
};

}  // namespace sysopt::binding

#endif  // SYSOPT_BINDING_ENVIRONMENT_H_
