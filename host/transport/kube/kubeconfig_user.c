#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/transport/kube/kubeconfig_internal.h"

/* A value that would end a header's line early, or a name that would be another one. */
static bool is_header_value(const char *text) {
  for (const unsigned char *p = (const unsigned char *)text; *p; p++)
    if (*p < 0x20 || *p == 0x7f)
      return false;
  return true;
}

static int append_variable(const struct kubeconfig_entry *entry, const struct node *item, char **ret_variable,
                           struct error **err) {
  const struct node *name = node_get(item, "name");
  const struct node *value = node_get(item, "value");

  if (!name || !name->text || !*name->text || strchr(name->text, '=') || (value && !value->text))
    return kubeconfig_refuse(entry, item, EINVAL, err, "exec.env must be a list of {name, value}");
  if (asprintf(ret_variable, "%s=%s", name->text, value && value->kind != NODE_NULL ? value->text : "") < 0) {
    *ret_variable = NULL;
    return error_set(err, ENOMEM, "out of memory for a kubeconfig");
  }
  return 0;
}

static int read_environment(const struct kubeconfig_entry *entry, const struct node *list, char ***ret_environment,
                            struct error **err) {
  int r = 0;

  if (!list || list->kind == NODE_NULL)
    return 0;
  if (list->kind != NODE_LIST || list->count > KUBECONFIG_ARGUMENTS_MAX)
    return kubeconfig_refuse(entry, list, EINVAL, err, "exec.env must be a list of at most %d",
                             KUBECONFIG_ARGUMENTS_MAX);
  char **environment = calloc(list->count + 1, sizeof(*environment));
  if (!environment)
    return error_set(err, ENOMEM, "out of memory for a kubeconfig");
  for (size_t i = 0; r == 0 && i < list->count; i++)
    r = append_variable(entry, list->items[i], &environment[i], err);
  *ret_environment = environment;
  return r;
}

static int check_exec(const struct kubeconfig_entry *entry, const struct kube_exec *exec, struct error **err) {
  const char *version = exec->api_version ? exec->api_version : "";
  const struct node *mode = node_get(entry->map, "interactiveMode");

  if (strcmp(version, "client.authentication.k8s.io/v1") != 0 &&
      strcmp(version, "client.authentication.k8s.io/v1beta1") != 0)
    return kubeconfig_refuse(entry, entry->map, EINVAL, err,
                             "exec.apiVersion must be client.authentication.k8s.io/v1 or client.authentication.k8s.io/"
                             "v1beta1");
  if (!exec->command)
    return kubeconfig_refuse(entry, entry->map, EINVAL, err, "exec has no command");
  if (mode && mode->text && strcmp(mode->text, "Always") == 0)
    return kubeconfig_refuse(entry, mode, ENOTSUP, err,
                             "exec.interactiveMode is Always, and nobody can be asked here: use another user");
  return 0;
}

/* A name without a slash is looked up in PATH when it is run; a relative path is relative to the file. */
static int read_command(const struct kubeconfig_entry *entry, char **ret_command, struct error **err) {
  const struct node *command = node_get(entry->map, "command");
  bool is_path = command && command->text && strchr(command->text, '/');

  return is_path ? kubeconfig_path(entry, "command", ret_command, err)
                 : kubeconfig_text(entry, "command", ret_command, err);
}

static int read_exec(const struct kubeconfig_entry *user, struct kube_config *config, struct error **err) {
  struct kubeconfig_entry entry = *user;

  entry.map = node_get(user->map, "exec");
  if (!entry.map || entry.map->kind == NODE_NULL)
    return 0;
  if (entry.map->kind != NODE_MAP)
    return kubeconfig_refuse(user, entry.map, EINVAL, err, "exec must be a map");
  struct kube_exec *exec = calloc(1, sizeof(*exec));
  if (!exec)
    return error_set(err, ENOMEM, "out of memory for a kubeconfig");
  config->exec = exec;
  int r = kubeconfig_text(&entry, "apiVersion", &exec->api_version, err);
  r = r < 0 ? r : read_command(&entry, &exec->command, err);
  r = r < 0 ? r : kubeconfig_texts(&entry, node_get(entry.map, "args"), "exec.args", &exec->arguments, err);
  r = r < 0 ? r : read_environment(&entry, node_get(entry.map, "env"), &exec->environment, err);
  r = r < 0 ? r : kubeconfig_text(&entry, "installHint", &exec->install_hint, err);
  r = r < 0 ? r : kubeconfig_boolean(&entry, "provideClusterInfo", &exec->provide_cluster_info, err);
  return r < 0 ? r : check_exec(&entry, exec, err);
}

static int read_impersonation(const struct kubeconfig_entry *entry, struct kube_config *config, struct error **err) {
  const struct node *extra = node_get(entry->map, "as-user-extra");

  if (extra && extra->count > 0)
    return kubeconfig_refuse(entry, extra, ENOTSUP, err, "as-user-extra is not supported");
  int r = kubeconfig_text(entry, "as", &config->impersonate_user, err);
  r = r < 0 ? r : kubeconfig_text(entry, "as-uid", &config->impersonate_uid, err);
  r = r < 0 ? r
            : kubeconfig_texts(entry, node_get(entry->map, "as-groups"), "as-groups", &config->impersonate_groups, err);
  return r;
}

static int check_texts(const struct kubeconfig_entry *entry, const struct kube_config *config, struct error **err) {
  const char *const texts[] = {config->token, config->username, config->password, config->impersonate_user,
                               config->impersonate_uid};
  bool good = true;

  for (size_t i = 0; i < ARRAY_COUNT(texts); i++)
    good = good && (!texts[i] || is_header_value(texts[i]));
  for (char **group = config->impersonate_groups; group && *group; group++)
    good = good && is_header_value(*group);
  if (!good)
    return kubeconfig_refuse(entry, entry->map, EINVAL, err,
                             "token, username, password and as must not hold control characters");
  if (!config->impersonate_user && (config->impersonate_uid || config->impersonate_groups))
    return kubeconfig_refuse(entry, entry->map, EINVAL, err, "as-uid and as-groups need as");
  return 0;
}

static int check_certificate(const struct kubeconfig_entry *entry, const struct kube_config *config,
                             struct error **err) {
  if (!config->certificate != !config->key)
    return kubeconfig_refuse(entry, entry->map, EINVAL, err,
                             "client-certificate and client-key belong together, and "
                             "only one is there");
  if (config->certificate && (!strstr(config->certificate, "-----BEGIN ") || !strstr(config->key, "-----BEGIN ")))
    return kubeconfig_refuse(entry, entry->map, EINVAL, err, "client-certificate and client-key must be PEM");
  return 0;
}

int kubeconfig_read_user(const struct kubeconfig_entry *entry, struct kube_config *config, struct error **err) {
  const struct node *provider = node_get(entry->map, "auth-provider");

  if (provider && provider->kind != NODE_NULL)
    return kubeconfig_refuse(entry, provider, ENOTSUP, err,
                             "auth-provider is gone from Kubernetes: use exec with the provider's plugin");
  int r = kubeconfig_data(entry, "client-certificate-data", "client-certificate", &config->certificate, err);
  r = r < 0 ? r : kubeconfig_data(entry, "client-key-data", "client-key", &config->key, err);
  r = r < 0 ? r : kubeconfig_text(entry, "token", &config->token, err);
  r = r < 0 ? r : kubeconfig_path(entry, "tokenFile", &config->token_file, err);
  r = r < 0 ? r : kubeconfig_text(entry, "username", &config->username, err);
  r = r < 0 ? r : kubeconfig_text(entry, "password", &config->password, err);
  r = r < 0 ? r : read_impersonation(entry, config, err);
  r = r < 0 ? r : read_exec(entry, config, err);
  r = r < 0 ? r : check_certificate(entry, config, err);
  return r < 0 ? r : check_texts(entry, config, err);
}
