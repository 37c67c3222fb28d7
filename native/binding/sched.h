// Thread clocks, affinity and names, and the event loop's handling of the profiler's signal.
#ifndef SYSOPT_BINDING_SCHED_H_
#define SYSOPT_BINDING_SCHED_H_

#include <napi.h>

namespace sysopt::binding {

void DefineSched(Napi::Env env, Napi::Object exports);

}  // namespace sysopt::binding

#endif  // SYSOPT_BINDING_SCHED_H_
