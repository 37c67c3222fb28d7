// What this machine's memory, clock and calls cost.
#ifndef SYSOPT_BINDING_PROBE_H_
#define SYSOPT_BINDING_PROBE_H_

#include <napi.h>

namespace sysopt::binding {

void DefineProbe(Napi::Env env, Napi::Object exports);

}  // namespace sysopt::binding

#endif  // SYSOPT_BINDING_PROBE_H_
