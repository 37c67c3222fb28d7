// The one place where a Status becomes a JavaScript error.
#ifndef SYSOPT_BINDING_ERRORS_H_
#define SYSOPT_BINDING_ERRORS_H_

#include <napi.h>

#include <string>

#include "../core/status.h"

namespace sysopt::binding {

// Throws an Error with `code` (POSIX name), `errno` (positive number) and `syscall`, where `status` is a
// failure. `what` says what failed, e.g. "a region of 4096 bytes".
void ThrowIfFailed(Napi::Env env, const Status& status, const std::string& what);

// `range` makes it a RangeError. The message has the value that came and what to pass instead.
Napi::Error BadArgument(Napi::Env env, bool range, const std::string& message);

}  // namespace sysopt::binding

#endif  // SYSOPT_BINDING_ERRORS_H_
