/* What may be written into a request as it is: nothing that would end a line, or that the caller sets itself. */
#include <string.h>
#include <strings.h>

#include "host/lab/workload/batch.h"

/* RFC 9110, 5.6.2. */
static bool is_token(const char *text, size_t max) {
  static const char allowed[] = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  size_t length = strlen(text);
  return length > 0 && length <= max && strspn(text, allowed) == length;
}

bool request_method_valid(const char *method) {
  return is_token(method, METHOD_MAX) && strcmp(method, "CONNECT") != 0;
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
  if (!is_token(name, 256))
    return "its name is no token of at most 256 characters";
  for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
    if (strcasecmp(name, reserved[i]) == 0)
      return "the caller sets it itself";
  if (!request_value_valid(value))
    return "its value has control characters";
  return NULL;
}
