#include "host/transport/kube/proxy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LIST_BYTES_MAX (64 * 1024)

/* A host's address in 16 bytes, an IPv4 one as IPv6 has it. */
static bool address_of(const char *text, unsigned char ret_address[static 16]) {
  static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};

  if (inet_pton(AF_INET, text, ret_address + 12) == 1) {
    memcpy(ret_address, mapped, sizeof(mapped));
    return true;
  }
  return inet_pton(AF_INET6, text, ret_address) == 1;
}

static bool same_prefix(const unsigned char *a, const unsigned char *b, unsigned bits) {
  unsigned char mask = (unsigned char)(0xff00u >> bits % 8);

  return memcmp(a, b, bits / 8) == 0 && (bits % 8 == 0 || ((a[bits / 8] ^ b[bits / 8]) & mask) == 0);
}

/* "10.0.0.0/8" */
static bool in_network(char *entry, const unsigned char *address) {
  unsigned char network[16];
  char *slash = strchr(entry, '/');
  char *end = NULL;

  *slash = '\0';
  unsigned long bits = strtoul(slash + 1, &end, 10);
  bool good = end != slash + 1 && !*end && address_of(entry, network);
  unsigned most = strchr(entry, ':') ? 128 : 32;
  *slash = '/';
  return good && bits <= most && same_prefix(network, address, (unsigned)bits + 128 - most);
}

/* ".example.com" and "*.example.com" are what is below, "example.com" is that as well. */
static bool is_name(const char *entry, const char *host) {
  bool below_alone = entry[0] == '.' || strncmp(entry, "*.", 2) == 0;
  const char *name = entry[0] == '*' ? entry + 2 : entry[0] == '.' ? entry + 1 : entry;
  size_t name_length = strlen(name);
  size_t host_length = strlen(host);

  if (name_length == 0 || name_length > host_length || strcasecmp(host + host_length - name_length, name) != 0)
    return false;
  if (name_length == host_length)
    return !below_alone;
  return host[host_length - name_length - 1] == '.';
}

static bool entry_excepts(char *entry, const char *host, const char *port) {
  unsigned char address[16], own[16];
  bool is_address = address_of(host, address);

  if (strcmp(entry, "*") == 0)
    return true;
  if (strchr(entry, '/'))
    return is_address && in_network(entry, address);
  char *colon = strrchr(entry, ':');
  bool bracketed = entry[0] == '[' && strchr(entry, ']');
  if (colon && !address_of(entry, own) && (!bracketed || colon > strchr(entry, ']'))) {
    if (strcmp(colon + 1, port) != 0)
      return false;
    *colon = '\0';
  }
  if (bracketed) {
    *strchr(entry, ']') = '\0';
    entry++;
  }
  if (is_address)
    return address_of(entry, own) && memcmp(own, address, sizeof(own)) == 0;
  return is_name(entry, host);
}

bool proxy_excepted(const char *list, const char *host, const char *port) {
  char *copy = strndup(list, LIST_BYTES_MAX);
  char *state = NULL;
  bool excepted = false;

  for (char *entry = copy ? strtok_r(copy, ", \t", &state) : NULL; entry && !excepted;
       entry = strtok_r(NULL, ", \t", &state))
    excepted = entry_excepts(entry, host, port);
  free(copy);
  return excepted;
}

/* Go never takes a proxy to this machine. */
static bool is_local(const char *host) {
  unsigned char address[16];

  if (strcasecmp(host, "localhost") == 0)
    return true;
  if (!address_of(host, address))
    return false;
  return strchr(host, ':') ? inet_pton(AF_INET6, "::1", &(struct in6_addr){0}) == 1 && strcmp(host, "::1") == 0
                           : address[12] == 127;
}

static const char *variable(const char *upper, const char *lower) {
  const char *value = getenv(upper);

  if (!value || !*value)
    value = getenv(lower);
  return value && *value ? value : NULL;
}

/* Host and port of a URL that kubeconfig has checked. Heap strings. */
static bool split(const char *server, char **ret_host, char **ret_port) {
  const char *start = strstr(server, "://") + 3;
  bool v6 = *start == '[';
  size_t length = v6 ? strcspn(start, "]") : strcspn(start, ":/");
  const char *after = start + length + v6;
  const char *standard = strncasecmp(server, "https", 5) == 0 ? "443" : "80";

  *ret_host = strndup(start + v6, length - v6);
  *ret_port = *after == ':' ? strndup(after + 1, strcspn(after + 1, "/")) : strdup(standard);
  return *ret_host && *ret_port;
}

static int copy_proxy(const char *value, char **ret_proxy, struct error **err) {
  bool has_scheme = strstr(value, "://") != NULL;
  char *proxy = NULL;

  if (asprintf(&proxy, "%s%s", has_scheme ? "" : "http://", value) < 0)
    return error_set(err, ENOMEM, "out of memory for a proxy");
  *ret_proxy = proxy;
  return 0;
}

static int from_environment(const char *server, const char *host, const char *port, char **ret_proxy,
                            struct error **err) {
  bool secure = strncasecmp(server, "https://", 8) == 0;
  const char *proxy = secure ? variable("HTTPS_PROXY", "https_proxy") : variable("HTTP_PROXY", "http_proxy");
  const char *except = variable("NO_PROXY", "no_proxy");

  *ret_proxy = NULL;
  if (!proxy || is_local(host) || (except && proxy_excepted(except, host, port)))
    return 0;
  return copy_proxy(proxy, ret_proxy, err);
}

int proxy_choose(const char *server, const char *configured, char **ret_proxy, struct error **err) {
  char *host = NULL;
  char *port = NULL;
  int r;

  if (configured)
    return copy_proxy(configured, ret_proxy, err);
  if (split(server, &host, &port))
    r = from_environment(server, host, port, ret_proxy, err);
  else
    r = error_set(err, ENOMEM, "out of memory for a proxy");
  free(host);
  free(port);
  return r;
}
