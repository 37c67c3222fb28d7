#include "errors.h"

namespace sysopt::binding {

void ThrowIfFailed(Napi::Env env, const Status& status, const std::string& what) {
  if (status.ok()) return;
  std::string message = std::string(ErrorName(status.error)) + ": " + status.syscall + " failed for " + what +
                        ": " + (status.detail ? status.detail : ErrorPhrase(status.error));
  Napi::Error error = Napi::Error::New(env, message);
  error.Set("code", Napi::String::New(env, ErrorName(status.error)));
  error.Set("errno", Napi::Number::New(env, status.error));
  error.Set("syscall", Napi::String::New(env, status.syscall));
  throw error;
}

Napi::Error BadArgument(Napi::Env env, bool range, const std::string& message) {
  if (range) return Napi::RangeError::New(env, message);
  return Napi::TypeError::New(env, message);
}

}  // namespace sysopt::binding
