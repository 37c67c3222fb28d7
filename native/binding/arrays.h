// Bulk kernels over plain typed arrays, on the calling thread.
#ifndef SYSOPT_BINDING_ARRAYS_H_
#define SYSOPT_BINDING_ARRAYS_H_

#include <napi.h>

namespace sysopt::binding {

void DefineArrays(Napi::Env env, Napi::Object exports);

}  // namespace sysopt::binding

#endif  // SYSOPT_BINDING_ARRAYS_H_
