#include "host/adapter/address.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define PORT_MAX 65535

static bool is_made_of(const char *text, size_t length, const char *allowed) {
  return length > 0 && strspn(text, allowed) >= length;
}

static bool parse_port(const char *text, unsigned least, char *ret_port, size_t size) {
  size_t length = strlen(text);
  if (length >= size || !is_made_of(text, length, "0123456789"))
    return false;
  unsigned long port = strtoul(text, NULL, 10);
  (void)snprintf(ret_port, size, "%lu", port);
  return port >= least && port <= PORT_MAX;
}

int address_parse(const char *text, unsigned least_port, struct address *ret_address, struct error **err) {
  static const char name[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
  bool number = text[0] == '[';
  const char *host = number ? text + 1 : text;
  const char *end = number ? strstr(host, "]:") : strrchr(host, ':');
  size_t length = end ? (size_t)(end - host) : 0;
  struct address address;
  if (!end || length >= sizeof address.host || !is_made_of(host, length, number ? "0123456789abcdefABCDEF:." : name) ||
      !parse_port(end + (number ? 2 : 1), least_port, address.port, sizeof address.port))
    return error_set(err, EINVAL,
                     "\"%.300s\" is no address: expected HOST:PORT with a port from %u to %d, such as "
                     "adapters.example.org:7443 or [::1]:7443",
                     text, least_port, PORT_MAX);
  memcpy(address.host, host, length);
  address.host[length] = '\0';
  *ret_address = address;
  return 0;
}
