#include "kernel_arguments.h"

#include <cstring>

#include "errors.h"

namespace sysopt::binding {

using kernels::Column;
using kernels::Element;

bool ElementOf(napi_typedarray_type type, Element* element) {
  switch (type) {
    case napi_uint8_array:
      return *element = Element::kU8, true;
    case napi_int8_array:
      return *element = Element::kI8, true;
    case napi_uint16_array:
      return *element = Element::kU16, true;
    case napi_int16_array:
      return *element = Element::kI16, true;
    case napi_uint32_array:
      return *element = Element::kU32, true;
    case napi_int32_array:
      return *element = Element::kI32, true;
    case napi_float32_array:
      return *element = Element::kF32, true;
    case napi_float64_array:
      return *element = Element::kF64, true;
    case napi_biguint64_array:
      return *element = Element::kU64, true;
    case napi_bigint64_array:
      return *element = Element::kI64, true;
    default:
      return false;
  }
}

Column NumericViewArgument(const Napi::CallbackInfo& info, std::size_t index, const char* name) {
  napi_typedarray_type type = napi_uint8_array;
  std::size_t length = 0;
  void* data = nullptr;
  Column column;
  if (napi_get_typedarray_info(info.Env(), info[index], &type, &length, &data, nullptr, nullptr) != napi_ok ||
      !ElementOf(type, &column.element)) {
    throw BadArgument(info.Env(), false, std::string(name) + " must be a typed array of numbers");
  }
  column.data = data;
  column.count = data ? length : 0;
  return column;
}

Column ValuesArgument(const Napi::CallbackInfo& info, std::size_t index, const char* name) {
  const Column column = NumericViewArgument(info, index, name);
  if (static_cast<double>(column.count) > kMaxRecords) {
    throw BadArgument(info.Env(), true, std::string(name) + " has more than 2^31 - 1 values");
  }
  return column;
}

Column NumbersArgument(const Napi::CallbackInfo& info, std::size_t index, const char* name) {
  const Column column = ValuesArgument(info, index, name);
  if (IsWide(column.element)) {
    throw BadArgument(info.Env(), false, std::string(name) + " must not be of 64-bit integers");
  }
  return column;
}

Column FloatsArgument(const Napi::CallbackInfo& info, std::size_t index, const char* name) {
  const Column column = ValuesArgument(info, index, name);
  if (column.element != Element::kF32 && column.element != Element::kF64) {
    throw BadArgument(info.Env(), false, std::string(name) + " must be a Float32Array or Float64Array");
  }
  return column;
}

Column KeysArgument(const Napi::CallbackInfo& info, std::size_t index) {
  const Column column = ValuesArgument(info, index, "keys");
  switch (column.element) {
    case Element::kU8:
    case Element::kU16:
    case Element::kU32:
    case Element::kI32:
      return column;
    default:
      throw BadArgument(info.Env(), false, "keys must be a Uint8Array, Uint16Array, Uint32Array or Int32Array");
  }
}

View<std::uint32_t> Uint32Argument(const Napi::CallbackInfo& info, std::size_t index, const char* name) {
  napi_typedarray_type type = napi_uint8_array;
  std::size_t length = 0;
  void* data = nullptr;
  if (napi_get_typedarray_info(info.Env(), info[index], &type, &length, &data, nullptr, nullptr) != napi_ok ||
      type != napi_uint32_array) {
    throw BadArgument(info.Env(), false, std::string(name) + " must be a Uint32Array");
  }
  return {static_cast<std::uint32_t*>(data), data ? length : 0};
}

kernels::Predicate PredicateArguments(const Napi::CallbackInfo& info, std::size_t index) {
  kernels::Predicate predicate;
  predicate.compare = static_cast<kernels::Predicate::Compare>(IntegerArgument(info, index, "compare", 0, 5));
  predicate.value = NumberArgument(info, index + 1, "value");
  predicate.inverted = BooleanArgument(info, index + 3, "inverted");
  napi_typedarray_type type = napi_uint8_array;
  std::size_t length = 0;
  void* bounds = nullptr;
  if (napi_get_typedarray_info(info.Env(), info[index + 2], &type, &length, &bounds, nullptr, nullptr) != napi_ok ||
      type != napi_biguint64_array) {
    throw BadArgument(info.Env(), false, "bounds must be a BigUint64Array");
  }
  if (length < 2 || !bounds) throw BadArgument(info.Env(), true, "bounds must have two elements, or three with a mask");
  std::memcpy(&predicate.low, bounds, sizeof predicate.low);
  std::memcpy(&predicate.high, static_cast<std::uint64_t*>(bounds) + 1, sizeof predicate.high);
  if (length > 2) std::memcpy(&predicate.mask, static_cast<std::uint64_t*>(bounds) + 2, sizeof predicate.mask);
  return predicate;
}

}  // namespace sysopt::binding
