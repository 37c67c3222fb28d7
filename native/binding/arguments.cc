#include "arguments.h"

#include <cmath>
#include <cstdio>

#include "errors.h"

namespace sysopt::binding {
namespace {

std::string Show(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  char text[32];
  std::snprintf(text, sizeof text, "%.17g", value);
  return text;
}

[[noreturn]] void WrongType(const Napi::CallbackInfo& info, const char* name, const char* expected) {
  throw BadArgument(info.Env(), false, std::string(name) + " must be " + expected);
}

struct TypedArray {
  napi_typedarray_type type;
  std::size_t length = 0;
  void* data = nullptr;
};

// Through napi itself, since Napi::TypedArray refuses views over a SharedArrayBuffer.
bool GetTypedArray(Napi::Value value, TypedArray* out) {
  bool is = false;
  if (napi_is_typedarray(value.Env(), value, &is) != napi_ok || !is) return false;
  return napi_get_typedarray_info(value.Env(), value, &out->type, &out->length, &out->data, nullptr,
                                  nullptr) == napi_ok;
}

template <typename T>
View<T> ViewArgument(const Napi::CallbackInfo& info, std::size_t index, const char* name,
                     napi_typedarray_type type, const char* type_name, std::size_t min_length) {
  TypedArray array;
  if (!GetTypedArray(info[index], &array) || array.type != type) WrongType(info, name, type_name);
  if (array.length < min_length || (array.length > 0 && !array.data)) {
    throw BadArgument(info.Env(), true,
                      std::string(name) + " has length " + std::to_string(array.length) + "; it needs " +
                          std::to_string(min_length) + " (a detached one has none)");
  }
  return {static_cast<T*>(array.data), array.length};
}

std::size_t ElementSize(napi_typedarray_type type) {
  switch (type) {
    case napi_int16_array:
    case napi_uint16_array:
      return 2;
    case napi_int32_array:
    case napi_uint32_array:
    case napi_float32_array:
      return 4;
    case napi_float64_array:
    case napi_bigint64_array:
    case napi_biguint64_array:
      return 8;
    case napi_int8_array:
    case napi_uint8_array:
    case napi_uint8_clamped_array:
      return 1;
    default:
      return 0;  // a type that this version does not know (Float16Array): its length in bytes is unknown
  }
}

}  // namespace

double NumberArgument(const Napi::CallbackInfo& info, std::size_t index, const char* name) {
  double value = 0;
  if (napi_get_value_double(info.Env(), info[index], &value) != napi_ok) WrongType(info, name, "a number");
  return value;
}

std::uint64_t IntegerArgument(const Napi::CallbackInfo& info, std::size_t index, const char* name, double min,
                              double max) {
  return CheckInteger(info.Env(), NumberArgument(info, index, name), name, min, max);
}

std::uint64_t CheckInteger(Napi::Env env, double value, const char* name, double min, double max) {
  // Written so that NaN fails too.
  if (!(value >= min && value <= max) || value != std::floor(value)) {
    throw BadArgument(env, true,
                      std::string(name) + " is " + Show(value) + "; pass an integer from " + Show(min) +
                          " to " + Show(max));
  }
  return static_cast<std::uint64_t>(value);
}

bool BooleanArgument(const Napi::CallbackInfo& info, std::size_t index, const char* name) {
  bool value = false;
  if (napi_get_value_bool(info.Env(), info[index], &value) != napi_ok) WrongType(info, name, "a boolean");
  return value;
}

std::string StringArgument(const Napi::CallbackInfo& info, std::size_t index, const char* name) {
  if (!info[index].IsString()) WrongType(info, name, "a string");
  return info[index].As<Napi::String>().Utf8Value();
}

View<double> Float64Argument(const Napi::CallbackInfo& info, std::size_t index, const char* name,
                             std::size_t min_length) {
  return ViewArgument<double>(info, index, name, napi_float64_array, "a Float64Array", min_length);
}

View<std::int32_t> Int32Argument(const Napi::CallbackInfo& info, std::size_t index, const char* name) {
  return ViewArgument<std::int32_t>(info, index, name, napi_int32_array, "an Int32Array", 0);
}

View<std::byte> BytesArgument(const Napi::CallbackInfo& info, std::size_t index, const char* name) {
  TypedArray array;
  if (GetTypedArray(info[index], &array)) {
    return {static_cast<std::byte*>(array.data), array.data ? array.length * ElementSize(array.type) : 0};
  }
  bool is = false;
  if (napi_is_dataview(info.Env(), info[index], &is) != napi_ok || !is) {
    WrongType(info, name, "a typed array or DataView");
  }
  std::size_t length = 0;
  void* data = nullptr;
  if (napi_get_dataview_info(info.Env(), info[index], &length, &data, nullptr, nullptr) != napi_ok) return {};
  return {static_cast<std::byte*>(data), data ? length : 0};
}

}  // namespace sysopt::binding
