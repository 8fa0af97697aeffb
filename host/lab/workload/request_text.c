/* What may be written into a request as it is: nothing that would end a line, or that the caller sets itself. */
#include <string.h>
#include <strings.h>

#include "host/lab/workload/batch.h"
#include "sdk/base/token.h"

#define HEADER_NAME_MAX 256

bool request_method_valid(const char *method) {
  size_t length = strlen(method);
  return length <= METHOD_MAX && token_valid(method, length) && strcmp(method, "CONNECT") != 0;
}

bool request_path_valid(const char *path) {
  if (path[0] != '/' && strcmp(path, "*") != 0)
    return false;
  for (const char *c = path; *c; c++)
    if ((unsigned char)*c <= ' ' || *c == 0x7f)
      return false;
  return true;
}

bool request_value_valid(const char *value) {
  for (const char *c = value; *c; c++)
    if (((unsigned char)*c < ' ' && *c != '\t') || *c == 0x7f)
      return false;
  return true;
}

const char *request_header_problem(const char *name, const char *value) {
  static const char *const reserved[] = {"host",    "content-length", "transfer-encoding", "connection",
                                         "upgrade", "x-trammel-id",   "keep-alive",        "te"};
  if (strlen(name) > HEADER_NAME_MAX || !token_valid(name, strlen(name)))
    return "its name is no token of at most 256 characters";
  for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
    if (strcasecmp(name, reserved[i]) == 0)
      return "the caller sets it itself";
  if (!request_value_valid(value))
    return "its value has control characters";
  return NULL;
}
