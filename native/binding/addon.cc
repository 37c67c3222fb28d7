// Registers the addon. What each export does is documented once, in src/native/contract.ts.
#include <napi.h>

#include "arrays.h"
#include "capabilities.h"
#include "counters.h"
#include "environment.h"
#include "figures.h"
#include "jobs.h"
#include "kernels.h"
#include "memory.h"
#include "probe.h"
#include "sampling.h"
#include "sched.h"

namespace sysopt::binding {

Napi::Object Initialise(Napi::Env env, Napi::Object exports) {
  env.SetInstanceData(new Environment(env));  // deleted with the JavaScript environment
  exports.Set("implementation", Napi::String::New(env, "addon"));
  DefineMemory(env, exports);
  DefineSched(env, exports);
  DefineFigures(env, exports);
  DefineCounters(env, exports);
  DefineKernels(env, exports);
  DefineArrays(env, exports);
  DefineJobs(env, exports);
  DefineProbe(env, exports);
  DefineSampling(env, exports);
  DefineCapabilities(env, exports);
  return exports;
}

}  // namespace sysopt::binding

using sysopt::binding::Initialise;  // the macro pastes the name, so it must be a plain one
NODE_API_MODULE(sysopt, Initialise)
