// Samples with names: each program counter becomes a frame, which is a function of a module.
#ifndef SYSOPT_CORE_SAMPLING_NAMED_STACKS_H_
#define SYSOPT_CORE_SAMPLING_NAMED_STACKS_H_

#include <cstdint>
#include <map>
#include <string>

#include "../status.h"
#include "elf_symbols.h"
#include "thread_sampler.h"

namespace sysopt::sampling {

// Memory without a file, which is where V8 puts the code that it compiles, and addresses at which nothing is any more.
constexpr std::int32_t kCompiledCode = -1;
constexpr std::int32_t kNoCode = -2;

struct Module {
  // As the kernel tells it, with ` (deleted)` where the file was replaced meanwhile.
  std::string path;
  SymbolTable table = SymbolTable::kNone;
  // Why the file could not be read; 0 where it could.
  int error = 0;
};

struct Frame {
  // Number of the module, or one of the two above.
  std::int32_t module = kNoCode;
  // Empty where no symbol holds the address.
  std::string name;
  // The thread was in the kernel, called from here.
  bool in_kernel = false;
};

struct NamedStacks {
  // By number from 0. Trees, as everywhere in this library: see binding/counters.h.
  std::map<std::uint32_t, Module> modules;
  std::map<std::uint32_t, Frame> frames;
  // Frame numbers of the addresses of the samples: a return address counts for the call before it.
  std::map<std::uintptr_t, std::uint32_t> leaves;
  std::map<std::uintptr_t, std::uint32_t> callers;
  std::uint64_t bytes_read = 0;
};

// Names what the sampler has. Reads the symbol tables of the files in question: some 10 ms for Node's.
Status NameStacks(const ThreadSampler& sampler, NamedStacks* out);

}  // namespace sysopt::sampling

#endif  // SYSOPT_CORE_SAMPLING_NAMED_STACKS_H_
