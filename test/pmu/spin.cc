// An addon for the guest's scripts: spin(n) executes n times two instructions, whatever the compiler.
#include <node_api.h>

#include <cstdint>

static napi_value Spin(napi_env env, napi_callback_info info) {
  std::size_t count = 1;
  napi_value argument;
  std::int64_t iterations = 0;
  napi_get_cb_info(env, info, &count, &argument, nullptr, nullptr);
  napi_get_value_int64(env, argument, &iterations);
  asm volatile("1: subs %0, %0, #1\n b.ne 1b" : "+r"(iterations)::"cc");
  return nullptr;
}

NAPI_MODULE_INIT() {
  napi_value spin;
  napi_create_function(env, "spin", NAPI_AUTO_LENGTH, Spin, nullptr, &spin);
  napi_set_named_property(env, exports, "spin", spin);
  return exports;
}
