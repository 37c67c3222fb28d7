// Counter groups by id, per environment.
#ifndef SYSOPT_BINDING_COUNTERS_H_
#define SYSOPT_BINDING_COUNTERS_H_

#include <napi.h>

#include <cstdint>
#include <map>
#include <memory>

#include "../core/counters/counter_group.h"

namespace sysopt::binding {

struct OpenCounters {
  counters::CounterGroup group;
  // Memory of bound_view, which keeps it alive and cannot be detached. Null until bound.
  double* bound = nullptr;
  Napi::ObjectReference bound_view;
};

// Closes what is left open when the environment goes.
struct CounterTable {
  // A tree, here and in memory.h: hash tables and vectors bind the binary to a newer libstdc++ than Node
  // needs.
  std::map<std::uint64_t, std::unique_ptr<OpenCounters>> open;
  std::uint64_t next_id = 1;
};

void DefineCounters(Napi::Env env, Napi::Object exports);

}  // namespace sysopt::binding

#endif  // SYSOPT_BINDING_COUNTERS_H_
