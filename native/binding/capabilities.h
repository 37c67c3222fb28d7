// Tries each part of the native layer and reports what refuses it. The sentences for people are in
// src/native/capabilities.ts.
#ifndef SYSOPT_BINDING_CAPABILITIES_H_
#define SYSOPT_BINDING_CAPABILITIES_H_

#include <napi.h>

namespace sysopt::binding {

void DefineCapabilities(Napi::Env env, Napi::Object exports);

}  // namespace sysopt::binding

#endif  // SYSOPT_BINDING_CAPABILITIES_H_
