#include "status.h"

#include <cerrno>

namespace sysopt {
namespace {

struct ErrorText {
  int error;
  const char* name;
  const char* phrase;
};

// Own table, since strerrorname_np is glibc only and strerror may be localised.
constexpr ErrorText kErrors[] = {
    {EPERM, "EPERM", "operation not permitted"},
    {ENOENT, "ENOENT", "no such file, event or device"},
    {ESRCH, "ESRCH", "no such thread or process"},
    {EINTR, "EINTR", "interrupted"},
    {EIO, "EIO", "input/output error"},
    {ENXIO, "ENXIO", "no such device"},
    {E2BIG, "E2BIG", "argument too long"},
    {EBADF, "EBADF", "bad file descriptor"},
    {EAGAIN, "EAGAIN", "temporarily unavailable"},
    {ENOMEM, "ENOMEM", "out of memory"},
    {EACCES, "EACCES", "permission denied"},
    {EFAULT, "EFAULT", "bad address"},
    {EBUSY, "EBUSY", "in use"},
    {EEXIST, "EEXIST", "exists already"},
    {ENODEV, "ENODEV", "no such device"},
    {ENOTDIR, "ENOTDIR", "not a directory"},
    {EISDIR, "EISDIR", "is a directory"},
    {EINVAL, "EINVAL", "invalid argument"},
    {ENFILE, "ENFILE", "too many open files in the system"},
    {EMFILE, "EMFILE", "too many open files in this process"},
    {ENOSPC, "ENOSPC", "no space left"},
    {ERANGE, "ERANGE", "result does not fit"},
    {ENOSYS, "ENOSYS", "not implemented here"},
    {ENOTSUP, "ENOTSUP", "not supported here"},
    {EALREADY, "EALREADY", "under way already"},
    {ENOEXEC, "ENOEXEC", "not a program file"},
    {EOPNOTSUPP, "EOPNOTSUPP", "operation not supported"},
    {ENODATA, "ENODATA", "no data"},
    {EOVERFLOW, "EOVERFLOW", "value too large"},
};

const ErrorText* Find(int error) noexcept {
  for (const ErrorText& text : kErrors) {
    if (text.error == error) return &text;
  }
  return nullptr;
}

}  // namespace

const char* ErrorName(int error) noexcept {
  const ErrorText* text = Find(error);
  return text ? text->name : "UNKNOWN";
}

const char* ErrorPhrase(int error) noexcept {
  const ErrorText* text = Find(error);
  return text ? text->phrase : "unknown error";
}

}  // namespace sysopt
