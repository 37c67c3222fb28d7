// Checked arguments: each reader returns a value that the core may trust, or throws TypeError (wrong type) or
// RangeError (right type, value outside its range).
//
// Views: any of the right type is taken, over an ArrayBuffer or a SharedArrayBuffer. A pointer is valid until
// the next call into JavaScript, so no reader runs after the first one that returned a pointer except for
// other pointers and numbers (reading a number never runs user code: nothing is coerced).
#ifndef SYSOPT_BINDING_ARGUMENTS_H_
#define SYSOPT_BINDING_ARGUMENTS_H_

#include <napi.h>

#include <cstddef>
#include <cstdint>
#include <string>

namespace sysopt::binding {

// 2^53 - 1: the largest integer that a number holds exactly.
inline constexpr double kMaxSafeInteger = 9007199254740991.0;

// A number without fraction within [min, max].
std::uint64_t CheckInteger(Napi::Env env, double value, const char* name, double min, double max);
std::uint64_t IntegerArgument(const Napi::CallbackInfo& info, std::size_t index, const char* name, double min,
                              double max);

// Any number, for ids: what is no open id is the callee's to say. TypeError for everything else.
double NumberArgument(const Napi::CallbackInfo& info, std::size_t index, const char* name);

bool BooleanArgument(const Napi::CallbackInfo& info, std::size_t index, const char* name);

std::string StringArgument(const Napi::CallbackInfo& info, std::size_t index, const char* name);

template <typename T>
struct View {
  T* data = nullptr;
  std::size_t length = 0;
};

// A Float64Array of at least `min_length`. A detached or out-of-bounds one has length 0.
View<double> Float64Argument(const Napi::CallbackInfo& info, std::size_t index, const char* name,
                             std::size_t min_length);

View<std::int32_t> Int32Argument(const Napi::CallbackInfo& info, std::size_t index, const char* name);

// The bytes of any typed array or DataView. `data` is null where the buffer is detached.
View<std::byte> BytesArgument(const Napi::CallbackInfo& info, std::size_t index, const char* name);

}  // namespace sysopt::binding

#endif  // SYSOPT_BINDING_ARGUMENTS_H_
