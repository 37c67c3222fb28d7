// Regions as ArrayBuffers.
//
// Ownership. A mapped region is owned by the backing store of its ArrayBuffer: its address range outlives the
// store's finalizer, since only then has the last owner gone. That can be a detached buffer's new owner
// (`ArrayBuffer.prototype.transfer`) or work in the thread pool that keeps the store (an asynchronous hash
// over a view). Other work there keeps a bare pointer (compression, in one chunk; between two, Node ends the
// process over any detached buffer). For its sake the ranges of the last few closed regions stay mapped even
// longer. Closing detaches the buffer and gives every page back at once: what lingers is address space, and a
// late reader finds zeros. The alternative, unmapping in close(), turns all of these into a crash.
//
// Where external buffers are refused, a region is a buffer of V8's own, over-allocated. V8 frees that at the
// close: there, as with any buffer that is transferred, no asynchronous call may still be working on it.
#ifndef SYSOPT_BINDING_MEMORY_H_
#define SYSOPT_BINDING_MEMORY_H_

#include <napi.h>

#include <cstddef>
#include <cstdint>
#include <map>

#include "../core/memory/region.h"

namespace sysopt::binding {

class RegionTable {
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

  // The environment is going: its regions' memory goes back now, whatever becomes of their finalizers. The
  // table ends with the last of them.
  void Abandon();

 private:
  // Freed by Drop(), never by its owner.
  ~RegionTable();
  void Drop();

  struct Entry;

  Entry& Find(Napi::Env env, double id);
  Napi::Value MapBuffer(Napi::Env env, Entry* entry);
  Napi::Value OwnBuffer(Napi::Env env, const memory::RegionRequest& request, Entry* entry);
  static void Finalize(napi_env env, void* data, void* hint);
  static void Release(napi_env env, Entry* entry);
  void Unmap(const memory::Region& region);

  // The constructor as it was at load, so that a program that replaces the global cannot get in between.
  Napi::FunctionReference array_buffer_;
  // Owned by the finalizer of their buffer.
  std::map<std::uint64_t, Entry*> open_;
  // Ranges of the last closed regions whose finalizer has run, without pages. A ring; `oldest_` is replaced
  // next.
  static constexpr std::size_t kLingering = 32;
  memory::Region lingering_[kLingering];
  std::size_t oldest_ = 0;
  // The environment and every entry. A plain count, since all of them live on one thread; std::shared_ptr
  // would also need a newer glibc than Node does.
  std::size_t holders_ = 1;
  std::uint64_t next_id_ = 1;
  // False where external buffers are refused (a V8 sandbox), or SYSOPT_EXTERNAL_BUFFERS=0 says so.
  bool external_buffers_;
};

void DefineMemory(Napi::Env env, Napi::Object exports);

}  // namespace sysopt::binding

#endif  // SYSOPT_BINDING_MEMORY_H_
