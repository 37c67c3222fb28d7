#include "arrays.h"

#include <cmath>
#include <cstring>
#include <memory>
#include <new>
#include <vector>

#include "../core/kernels/bulk.h"
#include "../core/kernels/order.h"
#include "errors.h"
#include "kernel_arguments.h"

namespace sysopt::binding {
namespace {

using kernels::Bulk;
using kernels::Column;
using kernels::Element;

void RequireLength(const Napi::CallbackInfo& info, std::size_t length, std::size_t needed, const char* name) {
  if (length >= needed) return;
  throw BadArgument(info.Env(), true,
                    std::string(name) + " has length " + std::to_string(length) + "; it needs " +
                        std::to_string(needed) + " (a detached one has none)");
}

void RequireEqual(const Napi::CallbackInfo& info, const Column& a, const Column& b) {
  if (a.count != b.count) throw BadArgument(info.Env(), true, "the arrays differ in length");
}

// Scratch memory of a call. Null where there is none to be had: the caller says so.
class Scratch {
 public:
  Scratch(const Napi::CallbackInfo& info, std::size_t bytes)
      : words_(new (std::nothrow) std::uint64_t[(bytes + 7) / 8]) {
    if (!words_) {
      ThrowIfFailed(info.Env(), Status::Fail(ENOMEM, "malloc", "no memory to work in"),
                    std::to_string(bytes) + " bytes");
    }
  }
  void* data() const { return words_.get(); }

 private:
  const std::unique_ptr<std::uint64_t[]> words_;
};

// The place for kArgMin and kArgMax, -1 where there is none.
Napi::Value ArrayReduce(const Napi::CallbackInfo& info) {
  const auto operation = static_cast<Bulk>(IntegerArgument(info, 0, "operation", 0, kernels::kBulks - 2));
  const Column values =
      operation == Bulk::kSumCompensated ? FloatsArgument(info, 1, "values") : NumbersArgument(info, 1, "values");
  double results[3];
  kernels::ReduceArray(kernels::ActiveTables(), operation, values, {}, results);
  const bool is_place = operation == Bulk::kArgMin || operation == Bulk::kArgMax;
  return Napi::Number::New(info.Env(), results[is_place ? 1 : 0]);
}

void ArrayMoments(const Napi::CallbackInfo& info) {
  const Column values = NumbersArgument(info, 0, "values");
  const View<double> out = Float64Argument(info, 1, "out", 3);
  double results[3];
  kernels::ReduceArray(kernels::ActiveTables(), Bulk::kMoments, values, {}, results);
  std::memcpy(out.data, results, sizeof results);
}

Napi::Value ArrayDot(const Napi::CallbackInfo& info) {
  const Column a = NumbersArgument(info, 0, "a");
  const Column b = NumbersArgument(info, 1, "b");
  RequireEqual(info, a, b);
  double results[3];
  kernels::ReduceArray(kernels::ActiveTables(), Bulk::kDot, a, b, results);
  return Napi::Number::New(info.Env(), results[0]);
}

void ArrayScale(const Napi::CallbackInfo& info) {
  const double a = NumberArgument(info, 0, "a");
  const Column x = FloatsArgument(info, 1, "x");
  kernels::ActiveArrays().scale(x.element, a, const_cast<void*>(x.data), x.count);
}

void ArrayAxpy(const Napi::CallbackInfo& info) {
  const double a = NumberArgument(info, 0, "a");
  const Column x = FloatsArgument(info, 1, "x");
  const Column y = FloatsArgument(info, 2, "y");
  RequireEqual(info, x, y);
  if (x.element != y.element) throw BadArgument(info.Env(), false, "x and y must be of one type");
  kernels::ActiveArrays().axpy(x.element, a, x.data, const_cast<void*>(y.data), x.count);
}

void ArrayRunningSum(const Napi::CallbackInfo& info) {
  const Column values = NumbersArgument(info, 0, "values");
  const View<double> out = Float64Argument(info, 1, "out", values.count);
  kernels::RunningSums(kernels::ActiveArrays(), values, out.data);
}

void ArrayHistogram(const Napi::CallbackInfo& info) {
  const Column values = NumbersArgument(info, 0, "values");
  kernels::Bins bins;
  bins.low = NumberArgument(info, 1, "low");
  bins.high = NumberArgument(info, 2, "high");
  const View<std::uint32_t> slots = Uint32Argument(info, 3, "slots");
  RequireLength(info, slots.length, 1 + kernels::kOutsideBins, "slots");
  bins.bins = static_cast<std::uint32_t>(slots.length - kernels::kOutsideBins);
  bins.scale = static_cast<double>(bins.bins) / (bins.high - bins.low);
  if (slots.length > kMaxRecords || !(bins.high > bins.low) || !std::isfinite(bins.scale) ||
      !std::isfinite(bins.high - bins.low)) {
    throw BadArgument(info.Env(), true, "low and high do not make bins");
  }
  kernels::ActiveArrays().histogram(values, bins, slots.data);
}

Napi::Value ArrayGroupSum(const Napi::CallbackInfo& info) {
  const Column keys = KeysArgument(info, 0);
  const Column values = NumbersArgument(info, 1, "values");
  RequireEqual(info, keys, values);
  const View<double> sums = Float64Argument(info, 2, "sums", 0);
  const View<double> counts = Float64Argument(info, 3, "counts", sums.length);
  const std::size_t each = sums.length <= kernels::kSplitGroups ? 4 : 1;
  kernels::GroupEntry few[4 * 32] = {};
  std::unique_ptr<kernels::GroupEntry[]> many;
  if (each * sums.length > 4 * 32) {
    many.reset(new (std::nothrow) kernels::GroupEntry[each * sums.length]());
    if (!many) {
      ThrowIfFailed(info.Env(), Status::Fail(ENOMEM, "malloc", "no memory to work in"),
                    std::to_string(sums.length) + " groups");
    }
  }
  const std::size_t done =
      kernels::GroupSumArray(keys, values, sums.length, many ? many.get() : few, sums.data, counts.data);
  return Napi::Number::New(info.Env(), static_cast<double>(done));
}

void ArraySort(const Napi::CallbackInfo& info) {
  const Column values = ValuesArgument(info, 0, "values");
  const Scratch scratch(info, kernels::SortScratch(values.element, values.count));
  kernels::Sort(values.element, const_cast<void*>(values.data), values.count, scratch.data());
}

void ArrayArgsort(const Napi::CallbackInfo& info) {
  const Column values = ValuesArgument(info, 0, "values");
  const View<std::uint32_t> out = Uint32Argument(info, 1, "out");
  RequireLength(info, out.length, values.count, "out");
  const Scratch scratch(info, kernels::ArgsortScratch(values.element, values.count));
  kernels::Argsort(values.element, values.data, values.count, out.data, scratch.data());
}

Napi::Value ArraySelect(const Napi::CallbackInfo& info) {
  const Column values = NumbersArgument(info, 0, "values");
  const View<std::uint32_t> given = Uint32Argument(info, 1, "ranks");
  const View<double> out = Float64Argument(info, 2, "out", given.length);
  const std::vector<std::uint32_t> ranks(given.data, given.data + given.length);  // another thread may write to them
  for (std::size_t k = 0; k < ranks.size(); ++k) {
    if (ranks[k] >= values.count || (k > 0 && ranks[k] < ranks[k - 1])) {
      throw BadArgument(info.Env(), true, "ranks must ascend and be below the number of values");
    }
  }
  const Scratch scratch(info, kernels::SelectScratch(values.element, values.count));
  return Napi::Number::New(info.Env(),
                           static_cast<double>(kernels::Select(values.element, values.data, values.count, ranks.data(),
                                                               ranks.size(), out.data, scratch.data())));
}

Napi::Value ArrayCompact(const Napi::CallbackInfo& info) {
  const Column values = ValuesArgument(info, 0, "values");
  const kernels::Predicate predicate = PredicateArguments(info, 1);
  const Column out = ValuesArgument(info, 5, "out");
  if (out.element != values.element) throw BadArgument(info.Env(), false, "out must be of the type of values");
  RequireLength(info, out.count, values.count, "out");
  const std::size_t found =
      kernels::Compact(kernels::Active(), values, predicate, const_cast<void*>(out.data));
  return Napi::Number::New(info.Env(), static_cast<double>(found));
}

Napi::Value ArrayScatter(const Napi::CallbackInfo& info) {
  const Column values = ValuesArgument(info, 0, "values");
  const View<std::uint32_t> indices = Uint32Argument(info, 1, "indices");
  const Column out = ValuesArgument(info, 2, "out");
  RequireLength(info, indices.length, values.count, "indices");
  if (out.element != values.element) throw BadArgument(info.Env(), false, "out must be of the type of values");
  const std::size_t done = kernels::Scatter(values, indices.data, const_cast<void*>(out.data), out.count);
  return Napi::Number::New(info.Env(), static_cast<double>(done));
}

void BytesCombine(const Napi::CallbackInfo& info) {
  const auto operation = static_cast<kernels::BitOperation>(IntegerArgument(info, 0, "operation", 0, 3));
  const View<std::byte> a = BytesArgument(info, 1, "a");
  const View<std::byte> b = BytesArgument(info, 2, "b");
  const View<std::byte> out = BytesArgument(info, 3, "out");
  RequireLength(info, b.length, a.length, "b");
  RequireLength(info, out.length, a.length, "out");
  kernels::ActiveArrays().bits(operation, a.data, b.data, out.data, a.length);
}

Napi::Value BytesCountBits(const Napi::CallbackInfo& info) {
  const View<std::byte> data = BytesArgument(info, 0, "data");
  return Napi::Number::New(info.Env(), static_cast<double>(kernels::ActiveArrays().count_bits(data.data, data.length)));
}

Napi::Value BytesCountCodePoints(const Napi::CallbackInfo& info) {
  const View<std::byte> data = BytesArgument(info, 0, "data");
  return Napi::Number::New(info.Env(),
                           static_cast<double>(kernels::ActiveArrays().count_code_points(data.data, data.length)));
}

Napi::Value BytesCrc32c(const Napi::CallbackInfo& info) {
  const auto seed = static_cast<std::uint32_t>(IntegerArgument(info, 1, "seed", 0, 4294967295));
  const View<std::byte> data = BytesArgument(info, 0, "data");
  return Napi::Number::New(info.Env(), kernels::ActiveArrays().crc32c(seed, data.data, data.length));
}

// inout: the seed on entry, the hash afterwards.
void BytesXxh64(const Napi::CallbackInfo& info) {
  napi_typedarray_type type = napi_uint8_array;
  std::size_t length = 0;
  void* inout = nullptr;
  if (napi_get_typedarray_info(info.Env(), info[1], &type, &length, &inout, nullptr, nullptr) != napi_ok ||
      type != napi_biguint64_array) {
    throw BadArgument(info.Env(), false, "inout must be a BigUint64Array");
  }
  RequireLength(info, inout ? length : 0, 1, "inout");
  const View<std::byte> data = BytesArgument(info, 0, "data");
  std::uint64_t hash;
  std::memcpy(&hash, inout, sizeof hash);
  hash = kernels::Xxh64(data.data, data.length, hash);
  std::memcpy(inout, &hash, sizeof hash);
}

// Characters of a call, on the stack where they are few.
class Characters {
 public:
  Characters(const Napi::CallbackInfo& info, std::size_t length) {
    if (length <= sizeof few_) return;
    many_.reset(new (std::nothrow) char[length]);
    if (!many_) {
      ThrowIfFailed(info.Env(), Status::Fail(ENOMEM, "malloc", "no memory to work in"),
                    std::to_string(length) + " characters");
    }
  }
  char* data() { return many_ ? many_.get() : few_; }

 private:
  char few_[1024];
  std::unique_ptr<char[]> many_;
};

Napi::Value BytesHexEncode(const Napi::CallbackInfo& info) {
  constexpr std::size_t kMaxBytes = std::size_t{1} << 28;  // what V8 takes is a little less; it says so itself
  const View<std::byte> data = BytesArgument(info, 0, "data");
  if (data.length > kMaxBytes) throw BadArgument(info.Env(), true, "data has more bytes than a string has room for");
  Characters digits(info, 2 * data.length);
  kernels::ActiveArrays().hex_encode(data.data, data.length, digits.data());
  napi_value text = nullptr;
  if (napi_create_string_latin1(info.Env(), digits.data(), 2 * data.length, &text) != napi_ok) {
    throw Napi::Error::New(info.Env());
  }
  return Napi::Value(info.Env(), text);
}

// From a string or from ASCII bytes, as many bytes as `out` has room for. Returns how many are good.
Napi::Value BytesHexDecode(const Napi::CallbackInfo& info) {
  const View<std::byte> out = BytesArgument(info, 1, "out");
  std::size_t done;
  if (info[0].IsString()) {
    // As UTF-8: every other form maps some characters to digits that are none. One byte more for the terminator.
    Characters digits(info, 2 * out.length + 1);
    std::size_t length = 0;
    if (napi_get_value_string_utf8(info.Env(), info[0], digits.data(), 2 * out.length + 1, &length) != napi_ok) {
      throw Napi::Error::New(info.Env());
    }
    done = kernels::ActiveArrays().hex_decode(digits.data(), length / 2, out.data);
  } else {
    const View<std::byte> digits = BytesArgument(info, 0, "digits");
    RequireLength(info, digits.length, 2 * out.length, "digits");
    done = kernels::ActiveArrays().hex_decode(reinterpret_cast<const char*>(digits.data), out.length, out.data);
  }
  return Napi::Number::New(info.Env(), static_cast<double>(done));
}

}  // namespace

void DefineArrays(Napi::Env env, Napi::Object exports) {
  exports.Set("arrayReduce", Napi::Function::New(env, ArrayReduce, "arrayReduce"));
  exports.Set("arrayMoments", Napi::Function::New(env, ArrayMoments, "arrayMoments"));
  exports.Set("arrayDot", Napi::Function::New(env, ArrayDot, "arrayDot"));
  exports.Set("arrayScale", Napi::Function::New(env, ArrayScale, "arrayScale"));
  exports.Set("arrayAxpy", Napi::Function::New(env, ArrayAxpy, "arrayAxpy"));
  exports.Set("arrayRunningSum", Napi::Function::New(env, ArrayRunningSum, "arrayRunningSum"));
  exports.Set("arrayHistogram", Napi::Function::New(env, ArrayHistogram, "arrayHistogram"));
  exports.Set("arrayGroupSum", Napi::Function::New(env, ArrayGroupSum, "arrayGroupSum"));
  exports.Set("arraySort", Napi::Function::New(env, ArraySort, "arraySort"));
  exports.Set("arrayArgsort", Napi::Function::New(env, ArrayArgsort, "arrayArgsort"));
  exports.Set("arraySelect", Napi::Function::New(env, ArraySelect, "arraySelect"));
  exports.Set("arrayCompact", Napi::Function::New(env, ArrayCompact, "arrayCompact"));
  exports.Set("arrayScatter", Napi::Function::New(env, ArrayScatter, "arrayScatter"));
  exports.Set("bytesCombine", Napi::Function::New(env, BytesCombine, "bytesCombine"));
  exports.Set("bytesCountBits", Napi::Function::New(env, BytesCountBits, "bytesCountBits"));
  exports.Set("bytesCountCodePoints", Napi::Function::New(env, BytesCountCodePoints, "bytesCountCodePoints"));
  exports.Set("bytesCrc32c", Napi::Function::New(env, BytesCrc32c, "bytesCrc32c"));
  exports.Set("bytesXxh64", Napi::Function::New(env, BytesXxh64, "bytesXxh64"));
  exports.Set("bytesHexEncode", Napi::Function::New(env, BytesHexEncode, "bytesHexEncode"));
  exports.Set("bytesHexDecode", Napi::Function::New(env, BytesHexDecode, "bytesHexDecode"));
}

}  // namespace sysopt::binding
