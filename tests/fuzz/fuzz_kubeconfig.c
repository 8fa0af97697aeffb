/* Bytes to kubeconfig files, two of a list when a NUL is between: nothing crashes, what is refused has a reason, and
 * what is taken can be connected to: https or loopback, and texts that fit into headers. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "host/transport/kube/kubeconfig_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INPUT_MAX 65536

static void check_text(const char *text) {
  for (const unsigned char *p = (const unsigned char *)text; p && *p; p++)
    if (*p < 0x20 || *p == 0x7f)
      abort();
}

static void check(const struct kube_config *config) {
  if (!config->server ||
      (strncasecmp(config->server, "https://", 8) != 0 && strncasecmp(config->server, "http://", 7) != 0))
    abort();
  if (!config->certificate != !config->key)
    abort();
  if (config->exec && (!config->exec->command || !config->exec->api_version))
    abort();
  check_text(config->server);
  check_text(config->server_name);
  check_text(config->token);
  check_text(config->impersonate_user);
  for (char **group = config->impersonate_groups; group && *group; group++)
    check_text(*group);
}

static int add(struct kubeconfig_files *files, const uint8_t *data, size_t size, struct error **err) {
  return kubeconfig_files_add(files, "fuzz", "/nonexistent", (const char *)data, size, err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  _cleanup_error_ struct error *err = NULL;
  const uint8_t *second = memchr(data, '\0', size);
  size_t first_size = second ? (size_t)(second - data) : size;
  struct kubeconfig_files files = {0};
  struct kube_config *config = calloc(1, sizeof(*config));

  if (!config || size > INPUT_MAX) {
    free(config);
    return 0;
  }
  int r = add(&files, data, first_size, &err);
  if (r == 0 && second)
    r = add(&files, second + 1, size - first_size - 1, &err);
  if (r == 0)
    r = kubeconfig_choose(&files, NULL, config, &err);
  if (r == 0)
    check(config);
  else if (!*error_message(err))
    abort();
  kubeconfig_files_finish(&files);
  kube_config_destroy(config);
  return 0;
}
