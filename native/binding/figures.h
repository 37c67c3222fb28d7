// Kernel figures into arrays that the caller owns.
#ifndef SYSOPT_BINDING_FIGURES_H_
#define SYSOPT_BINDING_FIGURES_H_

#include <napi.h>

namespace sysopt::binding {

void DefineFigures(Napi::Env env, Napi::Object exports);

}  // namespace sysopt::binding

#endif  // SYSOPT_BINDING_FIGURES_H_
