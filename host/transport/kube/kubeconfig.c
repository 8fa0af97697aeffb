#include "host/transport/kube/kubeconfig.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/transport/kube/kubeconfig_internal.h"
#include "sdk/base/strbuf.h"

#define SERVICE_ACCOUNT "/var/run/secrets/kubernetes.io/serviceaccount"

static void secret_free(char *text) {
  if (text)
    explicit_bzero(text, strlen(text));
  free(text);
}

static void exec_destroy(struct kube_exec *exec) {
  if (!exec)
    return;
  free(exec->api_version);
  free(exec->command);
  texts_free(exec->arguments);
  texts_free(exec->environment);
  free(exec->install_hint);
  free(exec->cluster_config);
  free(exec);
}

void kube_config_destroy(struct kube_config *config) {
  if (!config)
    return;
  free(config->context);
  free(config->server);
  free(config->server_name);
  free(config->authorities);
  secret_free(config->proxy);
  free(config->namespace_);
  free(config->certificate);
  secret_free(config->key);
  secret_free(config->token);
  free(config->token_file);
  free(config->username);
  secret_free(config->password);
  free(config->impersonate_user);
  free(config->impersonate_uid);
  texts_free(config->impersonate_groups);
  exec_destroy(config->exec);
  free(config);
}

/* The first file that says one has the current context. */
static const char *current_context(const struct kubeconfig_files *files) {
  for (size_t i = 0; i < files->count; i++) {
    const struct node *current = node_get(files->files[i].root, "current-context");
    if (current && current->text && *current->text && current->kind != NODE_NULL)
      return current->text;
  }
  return NULL;
}

static int read_entries(const struct kubeconfig_files *files, const struct kubeconfig_entry *context,
                        struct kube_config *config, struct error **err) {
  _cleanup_free_ char *cluster_name = NULL;
  _cleanup_free_ char *user_name = NULL;
  struct kubeconfig_entry cluster;
  struct kubeconfig_entry user;

  int r = kubeconfig_text(context, "cluster", &cluster_name, err);
  r = r < 0 ? r : kubeconfig_text(context, "user", &user_name, err);
  r = r < 0 ? r : kubeconfig_text(context, "namespace", &config->namespace_, err);
  if (r == 0 && !cluster_name)
    r = kubeconfig_refuse(context, context->map, EINVAL, err, "names no cluster");
  r = r < 0 ? r : kubeconfig_find(files, "clusters", "cluster", cluster_name, &cluster, err);
  r = r < 0 ? r : kubeconfig_read_cluster(&cluster, config, err);
  if (r < 0 || !user_name)
    return r;
  r = kubeconfig_find(files, "users", "user", user_name, &user, err);
  r = r < 0 ? r : kubeconfig_read_user(&user, config, err);
  return r < 0 ? r : kubeconfig_read_exec_cluster(&cluster, config, err);
}

int kubeconfig_choose(const struct kubeconfig_files *files, const char *name, struct kube_config *config,
                      struct error **err) {
  struct kubeconfig_entry context;

  if (!name)
    name = current_context(files);
  if (!name)
    return error_set(err, ENOENT,
                     "the kubeconfig has no current-context: name a context, or set one with `kubectl "
                     "config use-context`");
  config->context = strdup(name);
  if (!config->context)
    return error_set(err, ENOMEM, "out of memory for a kubeconfig");
  int r = kubeconfig_find(files, "contexts", "context", name, &context, err);
  return r < 0 ? r : read_entries(files, &context, config, err);
}

static int read_account_file(const char *directory, const char *name, char **ret_text, struct error **err) {
  _cleanup_free_ char *path = NULL;
  size_t length = 0;

  if (asprintf(&path, "%s/%s", directory, name) < 0) {
    path = NULL;
    return error_set(err, ENOMEM, "out of memory for a path");
  }
  return file_read(path, KUBECONFIG_FILE_BYTES_MAX, ret_text, &length, err);
}

static int make_server(const char *host, const char *port, struct kube_config *config, struct error **err) {
  bool v6 = strchr(host, ':') != NULL;

  if (asprintf(&config->server, "https://%s%s%s:%s", v6 ? "[" : "", host, v6 ? "]" : "", port) < 0) {
    config->server = NULL;
    return error_set(err, ENOMEM, "out of memory for a URL");
  }
  return 0;
}

/* As rest.InClusterConfig: the address from the environment, the rest from the mounted account. */
static int read_pod(const char *directory, struct kube_config *config, struct error **err) {
  const char *host = getenv("KUBERNETES_SERVICE_HOST");
  const char *port = getenv("KUBERNETES_SERVICE_PORT");

  if (!host || !*host || !port || !*port)
    return error_set(err, ENOENT,
                     "there is no kubeconfig (KUBECONFIG, ~/.kube/config), and this is no pod of a "
                     "cluster: name a kubeconfig");
  int r = make_server(host, port, config, err);
  r = r < 0 ? r : read_account_file(directory, "ca.crt", &config->authorities, err);
  if (r < 0) {
    (void)error_wrap(err, "in a pod (KUBERNETES_SERVICE_HOST is set)");
    return r;
  }
  if (read_account_file(directory, "namespace", &config->namespace_, NULL) == 0)
    config->namespace_[strcspn(config->namespace_, " \r\n")] = '\0';
  if (asprintf(&config->token_file, "%s/token", directory) < 0) {
    config->token_file = NULL;
    return error_set(err, ENOMEM, "out of memory for a path");
  }
  return 0;
}

static int fill(const struct kube_config_options *options, struct kube_config *config, struct error **err) {
  struct kubeconfig_files files = {0};

  int r = kubeconfig_files_read(options->kubeconfig, &files, err);
  if (r < 0)
    return r;
  if (files.count == 0 && !options->kubeconfig && !options->context)
    r = read_pod(options->service_account ? options->service_account : SERVICE_ACCOUNT, config, err);
  else
    r = kubeconfig_choose(&files, options->context, config, err);
  kubeconfig_files_finish(&files);
  if (r == 0 && (!config->namespace_ || !*config->namespace_)) {
    free(config->namespace_);
    config->namespace_ = strdup("default");
    if (!config->namespace_)
      r = error_set(err, ENOMEM, "out of memory for a kubeconfig");
  }
  return r;
}

int kube_config_load(const struct kube_config_options *options, struct kube_config **ret_config, struct error **err) {
  static const struct kube_config_options defaults;
  struct kube_config *config = calloc(1, sizeof(*config));

  if (!config)
    return error_set(err, ENOMEM, "out of memory for a kubeconfig");
  int r = fill(options ? options : &defaults, config, err);
  if (r < 0)
    kube_config_destroy(config);
  else
    *ret_config = config;
  return r;
}
