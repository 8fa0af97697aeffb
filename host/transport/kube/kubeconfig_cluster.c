#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "host/transport/kube/kubeconfig_internal.h"

#define SERVER_BYTES_MAX 2048

static bool is_loopback(const char *host, size_t length) {
  char text[64];
  struct in_addr v4;

  if (length >= sizeof(text))
    return false;
  memcpy(text, host, length);
  text[length] = '\0';
  if (strcasecmp(text, "localhost") == 0 || strcmp(text, "[::1]") == 0)
    return true;
  return inet_pton(AF_INET, text, &v4) == 1 && ntohl(v4.s_addr) >> 24 == 127;
}

/* The host of a URL, with the brackets of an IPv6 address. */
static size_t host_length(const char *host) {
  size_t length = strcspn(host, "/?#");

  return host[0] == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":/?#") < length ? strcspn(host, ":/?#") : length;
}

static bool is_plain(const char *text) {
  for (const unsigned char *p = (const unsigned char *)text; *p; p++)
    if (*p <= 0x20 || *p >= 0x7f)
      return false;
  return true;
}

static int check_server(const struct kubeconfig_entry *entry, char *server, struct error **err) {
  const struct node *at = node_get(entry->map, "server");
  bool secure = strncasecmp(server, "https://", 8) == 0;
  const char *host = strstr(server, "://");

  if (!host || (!secure && strncasecmp(server, "http://", 7) != 0))
    return kubeconfig_refuse(entry, at, EINVAL, err, "server must begin with https://");
  host += 3;
  if (!is_plain(server) || strlen(server) > SERVER_BYTES_MAX || strpbrk(host, "?#@") || host_length(host) == 0)
    return kubeconfig_refuse(entry, at, EINVAL, err,
                             "server must be a URL like https://host:6443, without user, query and fragment");
  if (!secure && !is_loopback(host, host_length(host)))
    return kubeconfig_refuse(entry, at, EINVAL, err,
                             "server is http://, which is allowed to loopback addresses alone; use https://");
  for (size_t length = strlen(server); server[length - 1] == '/'; length--)
    server[length - 1] = '\0';
  return 0;
}

static int check_verification(const struct kubeconfig_entry *entry, struct error **err) {
  bool skip = false;
  int r = kubeconfig_boolean(entry, "insecure-skip-tls-verify", &skip, err);

  if (r < 0 || !skip)
    return r;
  return kubeconfig_refuse(entry, node_get(entry->map, "insecure-skip-tls-verify"), EINVAL, err,
                           "insecure-skip-tls-verify is refused, because credentials would go to whoever answers: give "
                           "certificate-authority, and tls-server-name when the certificate has another name");
}

static int check_names(const struct kubeconfig_entry *entry, const struct kube_config *config, struct error **err) {
  static const char *const schemes[] = {"http://", "https://", "socks5://", "socks5h://"};
  const char *name = config->server_name;
  bool known = !config->proxy;

  for (const char *p = name; p && *p; p++)
    if (!isalnum((unsigned char)*p) && !strchr("-._", *p))
      return kubeconfig_refuse(entry, node_get(entry->map, "tls-server-name"), EINVAL, err,
                               "tls-server-name must be a host name");
  for (size_t i = 0; config->proxy && i < ARRAY_COUNT(schemes); i++)
    known = known || strncmp(config->proxy, schemes[i], strlen(schemes[i])) == 0;
  if (!known || (config->proxy && !is_plain(config->proxy)))
    return kubeconfig_refuse(entry, node_get(entry->map, "proxy-url"), EINVAL, err,
                             "proxy-url must be a URL with http://, https:// or socks5://");
  if (config->authorities && !strstr(config->authorities, "-----BEGIN CERTIFICATE-----"))
    return kubeconfig_refuse(entry, entry->map, EINVAL, err, "certificate-authority holds no certificate in PEM");
  return 0;
}

int kubeconfig_read_cluster(const struct kubeconfig_entry *entry, struct kube_config *config, struct error **err) {
  int r = check_verification(entry, err);

  r = r < 0 ? r : kubeconfig_text(entry, "server", &config->server, err);
  if (r == 0 && !config->server)
    return kubeconfig_refuse(entry, entry->map, EINVAL, err, "has no server");
  r = r < 0 ? r : check_server(entry, config->server, err);
  r = r < 0 ? r : kubeconfig_text(entry, "tls-server-name", &config->server_name, err);
  r = r < 0 ? r : kubeconfig_text(entry, "proxy-url", &config->proxy, err);
  r = r < 0 ? r
            : kubeconfig_data(entry, "certificate-authority-data", "certificate-authority", &config->authorities, err);
  return r < 0 ? r : check_names(entry, config, err);
}

/* What the cluster says for the program: extensions[].name is client.authentication.k8s.io/exec. */
static const struct node *exec_extension(const struct node *cluster) {
  const struct node *extensions = node_get(cluster, "extensions");

  for (size_t i = 0; extensions && extensions->kind == NODE_LIST && i < extensions->count; i++) {
    const struct node *name = node_get(extensions->items[i], "name");
    if (name && name->text && strcmp(name->text, "client.authentication.k8s.io/exec") == 0)
      return node_get(extensions->items[i], "extension");
  }
  return NULL;
}

int kubeconfig_read_exec_cluster(const struct kubeconfig_entry *cluster, struct kube_config *config,
                                 struct error **err) {
  const struct node *extension = exec_extension(cluster->map);

  if (!config->exec || !config->exec->provide_cluster_info || !extension)
    return 0;
  json_t *json = node_to_json(extension);
  config->exec->cluster_config = json ? json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
  json_decref(json);
  return config->exec->cluster_config ? 0 : error_set(err, ENOMEM, "out of memory for a kubeconfig");
}
