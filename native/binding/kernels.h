// Bulk kernels over columns of struct arrays.
#ifndef SYSOPT_BINDING_KERNELS_H_
#define SYSOPT_BINDING_KERNELS_H_

#include <napi.h>

namespace sysopt::binding {

void DefineKernels(Napi::Env env, Napi::Object exports);

}  // namespace sysopt::binding

#endif  // SYSOPT_BINDING_KERNELS_H_
