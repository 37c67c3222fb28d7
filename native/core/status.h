// The outcome of a core call: success, or which system call failed with which POSIX error.
//
// The core never throws; only binding/errors.cc turns a Status into a JavaScript error.
#ifndef SYSOPT_CORE_STATUS_H_
#define SYSOPT_CORE_STATUS_H_

namespace sysopt {

struct [[nodiscard]] Status {
  // POSIX error number, 0 for success. Other platforms' errors are translated by os/.
  int error = 0;
  // Name of the call that failed. A string literal: the pointer outlives everything.
  const char* syscall = "";
  // What the caller could not guess from the code alone, or null. A string literal.
  const char* detail = nullptr;

  bool ok() const noexcept { return error == 0; }
  static Status Ok() noexcept { return {}; }
  static Status Fail(int error, const char* syscall, const char* detail = nullptr) noexcept {
    return {error, syscall, detail};
  }
};

// POSIX name of an error number (`ENOMEM`), or `UNKNOWN`. Never null.
const char* ErrorName(int error) noexcept;

// One phrase for people (`out of memory`), or the name where there is none. Never null.
const char* ErrorPhrase(int error) noexcept;

}  // namespace sysopt

#endif  // SYSOPT_CORE_STATUS_H_
