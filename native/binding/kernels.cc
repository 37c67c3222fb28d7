#include "kernels.h"

#include <cstring>
#include <vector>

#include "../core/kernels/kernels.h"
#include "errors.h"
#include "kernel_arguments.h"

namespace sysopt::binding {
namespace {

using kernels::Column;

constexpr double kMaxElements = 1099511627776.0;  // 2^40, so that no product below overflows
constexpr std::size_t kShapeNumbers = 4;
constexpr std::size_t kMoveNumbers = 7;

// The column that a view and its shape (an Int32Array of first element, count, stride, block stride) describe,
// with all of it inside the view.
Column ColumnArgument(const Napi::CallbackInfo& info, std::size_t index, const char* name) {
  Column column = NumericViewArgument(info, index, name);
  const std::size_t length = column.count;
  const View<std::int32_t> shape = Int32Argument(info, index + 1, "shape");
  if (shape.length != kShapeNumbers) {
    throw BadArgument(info.Env(), true, "shape has not the numbers [first, count, stride, block]");
  }
  std::int32_t numbers[kShapeNumbers];  // a copy: another thread may write to it
  std::memcpy(numbers, shape.data, sizeof numbers);
  for (std::size_t k = 0; k < kShapeNumbers; ++k) {
    CheckInteger(info.Env(), numbers[k], "shape", k == 2 ? 1 : 0, kMaxRecords);
  }
  const auto first = static_cast<std::size_t>(numbers[0]);
  column.count = static_cast<std::size_t>(numbers[1]);
  column.stride = static_cast<std::size_t>(numbers[2]);
  column.block = static_cast<std::size_t>(numbers[3]);
  if (column.block != 0 && column.block < kernels::kBlock * column.stride) {
    throw BadArgument(info.Env(), true, "shape has blocks that overlap");
  }
  // Places grow with the record, so the last one decides.
  if (column.count > 0 && first + kernels::Place<char>(column, column.count - 1) >= length) {
    throw BadArgument(info.Env(), true, std::string(name) + " is shorter than its shape says");
  }
  column.data = static_cast<const std::byte*>(column.data) + (column.count > 0 ? first * kernels::ElementBytes(column.element) : 0);
  return column;
}

kernels::Reduction ReductionArgument(const Napi::CallbackInfo& info, std::size_t index) {
  return static_cast<kernels::Reduction>(IntegerArgument(info, index, "reduction", 0, 2));
}

void RequireNarrow(const Napi::CallbackInfo& info, const Column& column) {
  if (IsWide(column.element)) {
    throw BadArgument(info.Env(), false, "column must not be of 64-bit integers");
  }
}

Napi::Value ColumnReduce(const Napi::CallbackInfo& info) {
  const kernels::Reduction reduction = ReductionArgument(info, 0);
  const Column column = ColumnArgument(info, 1, "column");
  RequireNarrow(info, column);
  return Napi::Number::New(info.Env(), kernels::Active().reduce(reduction, column));
}

void ColumnReduceWide(const Napi::CallbackInfo& info) {
  const kernels::Reduction reduction = ReductionArgument(info, 0);
  const Column column = ColumnArgument(info, 1, "column");
  if (!IsWide(column.element)) {
    throw BadArgument(info.Env(), false, "column must be a BigInt64Array or BigUint64Array");
  }
  napi_typedarray_type type = napi_uint8_array;
  std::size_t length = 0;
  void* data = nullptr;
  if (napi_get_typedarray_info(info.Env(), info[3], &type, &length, &data, nullptr, nullptr) != napi_ok ||
      type != napi_bigint64_array) {
    throw BadArgument(info.Env(), false, "out must be a BigInt64Array");
  }
  if (length < 2 || !data) throw BadArgument(info.Env(), true, "out must have two elements");
  const kernels::WideResult result = kernels::Active().reduce_wide(reduction, column);
  std::memcpy(data, &result, sizeof result);
}

Napi::Value ColumnDot(const Napi::CallbackInfo& info) {
  const Column a = ColumnArgument(info, 0, "first column");
  const Column b = ColumnArgument(info, 2, "second column");
  RequireNarrow(info, a);
  RequireNarrow(info, b);
  if (a.count != b.count) throw BadArgument(info.Env(), true, "the columns differ in length");
  return Napi::Number::New(info.Env(), kernels::Active().dot(a, b));
}

Napi::Value ColumnFilter(const Napi::CallbackInfo& info) {
  const Column column = ColumnArgument(info, 0, "column");
  const kernels::Predicate predicate = PredicateArguments(info, 2);
  const View<std::uint32_t> out = Uint32Argument(info, 6, "out");
  if (out.length < column.count) throw BadArgument(info.Env(), true, "out is shorter than the column");
  const std::size_t found = kernels::Active().filter(column, predicate, out.data);
  return Napi::Number::New(info.Env(), static_cast<double>(found));
}

Napi::Value ColumnGather(const Napi::CallbackInfo& info) {
  const Column column = ColumnArgument(info, 0, "column");
  const View<std::uint32_t> indices = Uint32Argument(info, 2, "indices");
  const Column out = NumericViewArgument(info, 3, "out");
  if (out.element != column.element) {
    throw BadArgument(info.Env(), false, "out must be a typed array of the column's type");
  }
  const std::size_t count = IntegerArgument(info, 4, "count", 0, kMaxRecords);
  if (count > indices.length || count > out.count) {
    throw BadArgument(info.Env(), true, "indices or out are shorter than count");
  }
  return Napi::Number::New(info.Env(), static_cast<double>(kernels::Gather(column, indices.data, count, const_cast<void*>(out.data))));
}

// The bytes that a move touches on one side end at the last record's run.
bool MoveFits(double offset, double stride, double block, double bytes, std::size_t count, std::size_t size) {
  const double last = static_cast<double>(count - 1);
  const double at = block > 0 ? static_cast<double>((count - 1) >> kernels::kBlockShift) * block +
                                    static_cast<double>((count - 1) & (kernels::kBlock - 1)) * stride
                              : last * stride;
  return offset + at + bytes <= static_cast<double>(size);
}

void MoveRecords(const Napi::CallbackInfo& info) {
  const View<std::byte> from = BytesArgument(info, 0, "from");
  const View<std::byte> to = BytesArgument(info, 1, "to");
  const std::size_t count = IntegerArgument(info, 2, "count", 0, kMaxRecords);
  const View<double> plan = Float64Argument(info, 3, "moves", 0);
  if (plan.length % kMoveNumbers != 0) {
    throw BadArgument(info.Env(), true, "moves have not seven numbers each");
  }
  if (count == 0) return;
  std::vector<kernels::Move> moves(plan.length / kMoveNumbers);
  for (std::size_t k = 0; k < moves.size(); ++k) {
    double each[kMoveNumbers];  // a copy: another thread may write to `moves`
    std::memcpy(each, plan.data + k * kMoveNumbers, sizeof each);
    for (const double value : each) CheckInteger(info.Env(), value, "moves", 0, kMaxElements);
    const auto [from_offset, from_stride, from_block, to_offset, to_stride, to_block, bytes] = each;
    const double least = static_cast<double>(kernels::kBlock);
    if (bytes < 1 || (from_block > 0 && from_block < least * from_stride) ||
        (to_block > 0 && to_block < least * to_stride) ||
        !MoveFits(from_offset, from_stride, from_block, bytes, count, from.length) ||
        !MoveFits(to_offset, to_stride, to_block, bytes, count, to.length)) {
      throw BadArgument(info.Env(), true, "a move leaves its memory");
    }
    moves[k] = {from.data + static_cast<std::size_t>(from_offset),
                to.data + static_cast<std::size_t>(to_offset),
                static_cast<std::size_t>(from_stride),
                static_cast<std::size_t>(from_block),
                static_cast<std::size_t>(to_stride),
                static_cast<std::size_t>(to_block),
                static_cast<std::size_t>(bytes)};
  }
  kernels::MoveRecords(moves.data(), moves.size(), count);
}

Napi::Value KernelIsa(const Napi::CallbackInfo& info) {
  constexpr const char* kNames[kernels::kIsas] = {"reference", "baseline", "avx2", "avx512"};
  return Napi::String::New(info.Env(), kNames[static_cast<std::size_t>(kernels::ActiveIsa())]);
}

}  // namespace

void DefineKernels(Napi::Env env, Napi::Object exports) {
  exports.Set("columnReduce", Napi::Function::New(env, ColumnReduce, "columnReduce"));
  exports.Set("columnReduceWide", Napi::Function::New(env, ColumnReduceWide, "columnReduceWide"));
  exports.Set("columnDot", Napi::Function::New(env, ColumnDot, "columnDot"));
  exports.Set("columnFilter", Napi::Function::New(env, ColumnFilter, "columnFilter"));
  exports.Set("columnGather", Napi::Function::New(env, ColumnGather, "columnGather"));
  exports.Set("moveRecords", Napi::Function::New(env, MoveRecords, "moveRecords"));
  exports.Set("kernelIsa", Napi::Function::New(env, KernelIsa, "kernelIsa"));
}

}  // namespace sysopt::binding
