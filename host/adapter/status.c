#include "host/adapter/status.h"

#include <errno.h>
#include <stddef.h>

#include "trammel/abi.h"

const char *status_name(int status) {
  static const char *const names[] = {
      "OK",        "CANCELLED",       "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
      "NOT_FOUND", "ALREADY_EXISTS",  "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
      "ABORTED",   "OUT_OF_RANGE",    "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
      "DATA_LOSS", "UNAUTHENTICATED",
  };
  return status >= 0 && (size_t)status < sizeof names / sizeof names[0] ? names[status] : NULL;
}

static const struct {
  int status;
  int error;
} pairs[] = {
    {TRAMMEL_UNIMPLEMENTED, ENOTSUP},     {TRAMMEL_INVALID_ARGUMENT, EINVAL}, {TRAMMEL_DEADLINE_EXCEEDED, ETIMEDOUT},
    {TRAMMEL_CANCELLED, ECANCELED},       {TRAMMEL_DATA_LOSS, EPROTO},        {TRAMMEL_OUT_OF_RANGE, EMSGSIZE},
    {TRAMMEL_RESOURCE_EXHAUSTED, ENOMEM},
};

int status_errno(int status) {
  for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
    if (pairs[i].status == status)
      return pairs[i].error;
  return EIO;
}

int status_of_errno(int error) {
  for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
    if (pairs[i].error == -error)
      return pairs[i].status;
  return error == 0 ? TRAMMEL_OK : TRAMMEL_UNKNOWN;
}
