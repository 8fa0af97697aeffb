#include "host/lab/call.h"

#include <string.h>

#define COUNT(names) (sizeof(names) / sizeof((names)[0]))

static const char *const protocol_names[] = {
    [CALL_HTTP1] = "http/1.1",
    [CALL_H2C] = "h2c",
    [CALL_TCP] = "tcp",
    [CALL_UDP] = "udp",
};

static const char *const end_names[] = {
    [CALL_ANSWERED] = "answered", [CALL_REFUSED] = "refused", [CALL_RESET] = "reset",
    [CALL_CLOSED] = "closed",     [CALL_TIMEOUT] = "timeout", [CALL_ERROR] = "error",
};

static const char *name_of(const char *const *names, size_t count, unsigned value) {
  return value < count ? names[value] : NULL;
}

static unsigned value_of(const char *const *names, size_t count, const char *name) {
  for (unsigned i = 1; i < count; i++)
    if (strcmp(names[i], name) == 0)
      return i;
  return 0;
}

const char *call_protocol_name(enum call_protocol protocol) {
  return name_of(protocol_names, COUNT(protocol_names), protocol);
}

enum call_protocol call_protocol_of(const char *name) {
  return (enum call_protocol)value_of(protocol_names, COUNT(protocol_names), name);
}

const char *call_end_name(enum call_end end) {
  return name_of(end_names, COUNT(end_names), end);
}

enum call_end call_end_of(const char *name) {
  return (enum call_end)value_of(end_names, COUNT(end_names), name);
}

bool call_id_valid(const char *id, size_t length) {
  static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
  for (size_t i = 0; i < length; i++)
    if (!memchr(allowed, id[i], sizeof(allowed) - 1))
      return false;
  return length <= CALL_ID_MAX;
}
