// What one JavaScript environment (the main thread, or one worker) owns. Made when the addon loads there,
// destroyed with it; nothing in it is touched by another thread.
#ifndef SYSOPT_BINDING_ENVIRONMENT_H_
#define SYSOPT_BINDING_ENVIRONMENT_H_

#include <napi.h>

#include <memory>

#include "counters.h"
#include "memory.h"

namespace sysopt::binding {

struct Environment {
  explicit Environment(Napi::Env env) : regions(std::make_shared<RegionTable>(env)) {}

  static Environment& Of(const Napi::CallbackInfo& info) { return *info.Env().GetInstanceData<Environment>(); }

  // Shared with the regions' finalizers, which may run after this.
  std::shared_ptr<RegionTable> regions;
  CounterTable counters;
};

}  // namespace sysopt::binding

#endif  // SYSOPT_BINDING_ENVIRONMENT_H_
