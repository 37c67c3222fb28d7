// Regions as ArrayBuffers.
//
// Ownership. A mapped region is owned by the backing store of its ArrayBuffer: the address range is unmapped by the
// store's finalizer and by nothing else, since only then has the last user gone. That user can be a detached
// buffer's new owner (`ArrayBuffer.prototype.transfer`) or work in the thread pool (an asynchronous hash over a
// view). Closing detaches the buffer and gives every page back at once; what lingers until the finalizer runs,
// normally in the same turn of the event loop, is address space. The alternative, unmapping in close(), saves that
// linger and turns both cases above into a crash.
#ifndef SYSOPT_BINDING_MEMORY_H_
#define SYSOPT_BINDING_MEMORY_H_

#include <napi.h>

#include <cstdint>
#include <memory>
#include <unordered_map>

#include "../core/memory/region.h"

namespace sysopt::binding {

class RegionTable : public std::enable_shared_from_this<RegionTable> {
 public:
  explicit RegionTable(Napi::Env env);
  RegionTable(const RegionTable&) = delete;
  RegionTable& operator=(const RegionTable&) = delete;

  Napi::Object Create(Napi::Env env, const memory::RegionRequest& request);
  bool Close(Napi::Env env, double id);
  std::uint64_t Trim(Napi::Env env, double id, std::uint64_t offset, std::uint64_t length);
  // False where the memory is V8's own, of which nothing is known.
  bool Measure(Napi::Env env, double id, memory::Residency* out);
  std::size_t size() const { return open_.size(); }

  bool external_buffers() const { return external_buffers_; }

  // The environment is going: its regions' memory goes back now, whatever becomes of their finalizers.
  void Abandon();

 private:
  struct Entry;

  Entry& Find(Napi::Env env, double id);
  Napi::Value MapBuffer(Napi::Env env, Entry* entry);
  Napi::Value OwnBuffer(Napi::Env env, const memory::RegionRequest& request, Entry* entry);
  static void Finalize(napi_env env, void* data, void* hint);
  static void Release(napi_env env, Entry* entry);

  // The constructor as it was at load, so that a program that replaces the global cannot get in between.
  Napi::FunctionReference array_buffer_;
  // Owned by the finalizer of their buffer.
  std::unordered_map<std::uint64_t, Entry*> open_;
  std::uint64_t next_id_ = 1;
  // False where external buffers are refused (a V8 sandbox), or SYSOPT_EXTERNAL_BUFFERS=0 says so.
  bool external_buffers_;
};

void DefineMemory(Napi::Env env, Napi::Object exports);

}  // namespace sysopt::binding

#endif  // SYSOPT_BINDING_MEMORY_H_
