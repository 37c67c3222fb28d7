#include "counters.h"

#include <cmath>
#include <string>

#include "arguments.h"
#include "environment.h"
#include "errors.h"

namespace sysopt::binding {
namespace {

using counters::CounterGroup;

struct Events {
  counters::EventSpec specs[CounterGroup::kMaxEvents];
  std::size_t count = 0;
};

// Numbers per event: type, configuration, second configuration, flags.
constexpr std::size_t kEventNumbers = 4;
constexpr std::uint64_t kMustCount = 1;
constexpr std::uint64_t kIncludeKernel = 2;

Events EventsArgument(const Napi::CallbackInfo& info, std::size_t index) {
  constexpr double kMaxType = 4294967295.0;
  const View<double> rows = Float64Argument(info, index, "events", 0);
  if (rows.length == 0 || rows.length % kEventNumbers != 0 ||
      rows.length > kEventNumbers * CounterGroup::kMaxEvents) {
    throw BadArgument(info.Env(), true,
                      "events has length " + std::to_string(rows.length) + "; pass 1 to " +
                          std::to_string(CounterGroup::kMaxEvents) +
                          " times type, configuration, second configuration and flags");
  }
  Events events;
  for (std::size_t i = 0; i < rows.length; i += kEventNumbers) {
    const double* const row = rows.data + i;
    counters::EventSpec& spec = events.specs[events.count++];
    spec.type = static_cast<std::uint32_t>(CheckInteger(info.Env(), row[0], "type", 0, kMaxType));
    spec.config = CheckInteger(info.Env(), row[1], "config", 0, kMaxSafeInteger);
    spec.config1 = CheckInteger(info.Env(), row[2], "config1", 0, kMaxSafeInteger);
    const std::uint64_t flags = CheckInteger(info.Env(), row[3], "flags", 0, kMustCount | kIncludeKernel);
    spec.must_count = (flags & kMustCount) != 0;
    spec.include_kernel = (flags & kIncludeKernel) != 0;
  }
  return events;
}

Napi::Value CountersOpen(const Napi::CallbackInfo& info) {
  constexpr double kMaxThreadId = 2147483647;
  const Napi::Env env = info.Env();
  const bool inherit = BooleanArgument(info, 1, "inherit");
  const auto tid = info.Length() > 2
                       ? static_cast<std::uint32_t>(IntegerArgument(info, 2, "tid", 0, kMaxThreadId))
                       : 0u;
  const Events asked = EventsArgument(info, 0);
  auto opened = std::make_unique<OpenCounters>();
  CounterGroup* const group = &opened->group;
  ThrowIfFailed(env, group->Open(asked.specs, asked.count, inherit, tid), "counters");

  Napi::Array events = Napi::Array::New(env, group->size());
  for (std::size_t i = 0; i < group->size(); ++i) {
    const CounterGroup::Event& event = group->event(i);
    Napi::Object entry = Napi::Object::New(env);
    entry.Set("errno", Napi::Number::New(env, event.error));
    entry.Set("code", event.error == 0 ? "" : ErrorName(event.error));
    entry.Set("excludesKernel", Napi::Boolean::New(env, event.excludes_kernel));
    entry.Set("group", Napi::Number::New(env, event.group));
    events.Set(static_cast<std::uint32_t>(i), entry);
  }
  CounterTable& table = Environment::Of(info).counters;
  const std::uint64_t id = table.next_id++;
  Napi::Object grant = Napi::Object::New(env);
  grant.Set("id", Napi::Number::New(env, static_cast<double>(id)));
  grant.Set("events", events);
  table.open.emplace(id, std::move(opened));
  return grant;
}

auto Find(CounterTable& table, double id) {
  const bool plausible = id >= 1 && id <= kMaxSafeInteger && id == std::floor(id);
  return plausible ? table.open.find(static_cast<std::uint64_t>(id)) : table.open.end();
}

OpenCounters& OpenArgument(const Napi::CallbackInfo& info) {
  CounterTable& table = Environment::Of(info).counters;
  const auto found = Find(table, NumberArgument(info, 0, "id"));
  if (found == table.open.end()) throw BadArgument(info.Env(), true, "id is not that of open counters");
  return *found->second;
}

Napi::Value CountersRead(const Napi::CallbackInfo& info) {
  const bool through_kernel = info.Length() > 2 && BooleanArgument(info, 2, "throughKernel");
  const CounterGroup& group = OpenArgument(info).group;
  const View<double> out = Float64Argument(info, 1, "out", group.size() * counters::kReadColumns);
  std::size_t user_groups = 0;
  ThrowIfFailed(
      info.Env(),
      group.Read(out.data, through_kernel ? CounterGroup::Way::kKernel : CounterGroup::Way::kAny, &user_groups),
      "counters");
  return Napi::Number::New(info.Env(), static_cast<double>(user_groups));
}

void CountersBind(const Napi::CallbackInfo& info) {
  OpenCounters& opened = OpenArgument(info);
  const View<double> out = Float64Argument(info, 1, "out", opened.group.size() * counters::kReadColumns + 1);
  // Not by its property, which runs whatever code the caller put there.
  napi_value buffer = nullptr;
  bool detachable = true;
  if (napi_get_typedarray_info(info.Env(), info[1], nullptr, nullptr, nullptr, &buffer, nullptr) != napi_ok ||
      napi_is_arraybuffer(info.Env(), buffer, &detachable) != napi_ok) {
    throw Napi::Error::New(info.Env());
  }
  // Only a shared buffer cannot be detached, and its memory freed, behind the pointer that is kept.
  if (detachable) {
    throw BadArgument(info.Env(), false, "out lies in an ArrayBuffer; pass a view of a SharedArrayBuffer");
  }
  opened.bound = out.data;
  opened.bound_view = Napi::Persistent(info[1].As<Napi::Object>());
}

// Bare Node-API: what the wrapper adds to a call would be a third of this one's cost.
napi_value CountersReadBound(napi_env env, napi_callback_info raw) {
  std::size_t count = 1;
  napi_value argument;
  double id = 0;
  void* data = nullptr;
  if (napi_get_cb_info(env, raw, &count, &argument, nullptr, nullptr) != napi_ok || count < 1 ||
      napi_get_value_double(env, argument, &id) != napi_ok) {
    napi_throw_type_error(env, nullptr, "id is not a number");
    return nullptr;
  }
  if (napi_get_instance_data(env, &data) != napi_ok) return nullptr;
  CounterTable& table = static_cast<Environment*>(data)->counters;
  const auto found = Find(table, id);
  if (found == table.open.end() || !found->second->bound) {
    napi_throw_range_error(env, nullptr, "id is not that of open counters with a bound array");
    return nullptr;
  }
  const OpenCounters& opened = *found->second;
  const Status status = opened.group.Read(opened.bound);
  opened.bound[opened.group.size() * counters::kReadColumns] = static_cast<double>(os::MonotonicNs());
  if (!status.ok()) {
    try {
      ThrowIfFailed(env, status, "counters");
    } catch (const Napi::Error& error) {
      error.ThrowAsJavaScriptException();
    }
  }
  return nullptr;
}

Napi::Value CountersClose(const Napi::CallbackInfo& info) {
  CounterTable& table = Environment::Of(info).counters;
  const auto found = Find(table, NumberArgument(info, 0, "id"));
  const bool was_open = found != table.open.end();
  if (was_open) table.open.erase(found);
  return Napi::Boolean::New(info.Env(), was_open);
}

}  // namespace

void DefineCounters(Napi::Env env, Napi::Object exports) {
  exports.Set("countersOpen", Napi::Function::New(env, CountersOpen, "countersOpen"));
  exports.Set("countersRead", Napi::Function::New(env, CountersRead, "countersRead"));
  exports.Set("countersBind", Napi::Function::New(env, CountersBind, "countersBind"));
  napi_value read_bound = nullptr;
  if (napi_create_function(env, "countersReadBound", NAPI_AUTO_LENGTH, CountersReadBound, nullptr, &read_bound) !=
      napi_ok) {
    throw Napi::Error::New(env);
  }
  exports.Set("countersReadBound", Napi::Value(env, read_bound));
  exports.Set("countersClose", Napi::Function::New(env, CountersClose, "countersClose"));
}

}  // namespace sysopt::binding
