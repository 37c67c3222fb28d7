// Checked arguments of the kernels: typed arrays as columns. See arguments.h for when a pointer is valid.
#ifndef SYSOPT_BINDING_KERNEL_ARGUMENTS_H_
#define SYSOPT_BINDING_KERNEL_ARGUMENTS_H_

#include <napi.h>

#include "../core/kernels/kernels.h"
#include "arguments.h"

namespace sysopt::binding {

inline constexpr double kMaxRecords = 2147483647;

bool ElementOf(napi_typedarray_type type, kernels::Element* element);
inline bool IsWide(kernels::Element element) {
  return element == kernels::Element::kU64 || element == kernels::Element::kI64;
}

// All values of a typed array of any length. TypeError for what is none, or of a type that no kernel knows.
kernels::Column NumericViewArgument(const Napi::CallbackInfo& info, std::size_t index, const char* name);
// The same, of at most kMaxRecords values.
kernels::Column ValuesArgument(const Napi::CallbackInfo& info, std::size_t index, const char* name);
// The same, without 64-bit integers.
kernels::Column NumbersArgument(const Napi::CallbackInfo& info, std::size_t index, const char* name);
// The same, of floats only.
kernels::Column FloatsArgument(const Napi::CallbackInfo& info, std::size_t index, const char* name);
// u8, u16, u32 or i32.
kernels::Column KeysArgument(const Napi::CallbackInfo& info, std::size_t index);

View<std::uint32_t> Uint32Argument(const Napi::CallbackInfo& info, std::size_t index, const char* name);

// Four arguments from `index` on: compare, value, bounds (a BigUint64Array: low and high as bits of the element's type,
// and the mask if there is a third), inverted.
kernels::Predicate PredicateArguments(const Napi::CallbackInfo& info, std::size_t index);

}  // namespace sysopt::binding

#endif  // SYSOPT_BINDING_KERNEL_ARGUMENTS_H_
