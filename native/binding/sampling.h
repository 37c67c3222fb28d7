// What the calling thread executes, native code included.
#ifndef SYSOPT_BINDING_SAMPLING_H_
#define SYSOPT_BINDING_SAMPLING_H_

#include <napi.h>

namespace sysopt::binding {

void DefineSampling(Napi::Env env, Napi::Object exports);

}  // namespace sysopt::binding

#endif  // SYSOPT_BINDING_SAMPLING_H_
