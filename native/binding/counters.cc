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

Events EventsArgument(const Napi::CallbackInfo& info, std::size_t index) {
  constexpr double kMaxType = 4294967295.0;
  const View<double> pairs = Float64Argument(info, index, "events", 0);
  if (pairs.length == 0 || pairs.length % 2 != 0 || pairs.length > 2 * CounterGroup::kMaxEvents) {
    throw BadArgument(info.Env(), true,
                      "events has length " + std::to_string(pairs.length) + "; pass 1 to " +
                          std::to_string(CounterGroup::kMaxEvents) + " pairs of type and configuration");
  }
  Events events;
  for (std::size_t i = 0; i < pairs.length; i += 2) {
    events.specs[events.count++] = {
        static_cast<std::uint32_t>(CheckInteger(info.Env(), pairs.data[i], "type", 0, kMaxType)),
        CheckInteger(info.Env(), pairs.data[i + 1], "config", 0, kMaxSafeInteger)};
  }
  return events;
}

Napi::Value CountersOpen(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const bool inherit = BooleanArgument(info, 1, "inherit");
  const Events asked = EventsArgument(info, 0);
  auto group = std::make_unique<CounterGroup>();
  ThrowIfFailed(env, group->Open(asked.specs, asked.count, inherit), "counters");

  Napi::Array events = Napi::Array::New(env, group->size());
  for (std::size_t i = 0; i < group->size(); ++i) {
    const CounterGroup::Event& event = group->event(i);
    Napi::Object entry = Napi::Object::New(env);
    entry.Set("errno", Napi::Number::New(env, event.error));
    entry.Set("code", event.error == 0 ? "" : ErrorName(event.error));
    entry.Set("excludesKernel", Napi::Boolean::New(env, event.excludes_kernel));
    events.Set(static_cast<std::uint32_t>(i), entry);
  }
  CounterTable& table = Environment::Of(info).counters;
  const std::uint64_t id = table.next_id++;
  Napi::Object grant = Napi::Object::New(env);
  grant.Set("id", Napi::Number::New(env, static_cast<double>(id)));
  grant.Set("events", events);
  table.open.emplace(id, std::move(group));
  return grant;
}

auto Find(CounterTable& table, double id) {
  const bool plausible = id >= 1 && id <= kMaxSafeInteger && id == std::floor(id);
  return plausible ? table.open.find(static_cast<std::uint64_t>(id)) : table.open.end();
}

void CountersRead(const Napi::CallbackInfo& info) {
  CounterTable& table = Environment::Of(info).counters;
  const auto found = Find(table, NumberArgument(info, 0, "id"));
  if (found == table.open.end()) throw BadArgument(info.Env(), true, "id is not that of open counters");
  const CounterGroup& group = *found->second;
  const View<double> out = Float64Argument(info, 1, "out", group.size() * counters::kReadColumns);
  ThrowIfFailed(info.Env(), group.Read(out.data), "counters");
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
  exports.Set("countersClose", Napi::Function::New(env, CountersClose, "countersClose"));
}

}  // namespace sysopt::binding
