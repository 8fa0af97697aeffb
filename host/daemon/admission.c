#include "host/daemon/admission.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "host/auth/audit.h"
#include "host/auth/authority.h"
#include "host/daemon/log.h"
#include "host/daemon/tls.h"

#define AUDIT_NAME "audit.jsonl"

static int check_plain(const struct network_config *network, struct error **err) {
  bool loopback = false;
  int r = network_is_loopback(network->listen, &loopback, err);
  if (r < 0)
    return r;
  if (!loopback)
    return error_set(err, EINVAL,
                     "'%s' is beyond this machine, where passwords and tokens go over the network: it takes network."
                     "certificate and network.key of the configuration",
                     network->listen);
  if (!network->without_tls)
    return error_set(
        err, EINVAL,
        "'%s' takes network.certificate and network.key of the configuration, or, since it is this machine "
        "alone, network.withoutTls: true",
        network->listen);
  return 0;
}

int admission_check(const struct network_config *network, struct error **err) {
  if (!network->listen)
    return network->certificate || network->key || network->clients || network->without_tls
               ? error_set(err, EINVAL,
                           "network of the configuration says not where to listen: network.listen is missing")
               : 0;
  int r = network_check(network->listen, err);
  if (r < 0)
    return r;
  if (!network->certificate != !network->key)
    return error_set(err, EINVAL, "network.certificate and network.key go together");
  if (network->certificate)
    return network->without_tls ? error_set(err, EINVAL, "network.withoutTls contradicts network.certificate") : 0;
  if (network->clients)
    return error_set(err, EINVAL, "network.clientAuthorities takes network.certificate and network.key");
  return check_plain(network, err);
}

static void log_warning(const char *text) {
  log_line(LOG_WARNINGS, NULL, "TLS stays as it was: %s", text);
}

static int open_network(const struct network_config *network, struct admission *admission, struct error **err) {
  const struct tls_files files = {network->certificate, network->key, network->clients};
  int r = network->certificate ? tls_open(&files, log_warning, &admission->tls, err) : 0;
  return r < 0 ? r : network_listen(network->listen, &admission->fd, admission->name, err);
}

int admission_open(const struct config *config, struct store *store, struct admission *ret_admission,
                   struct error **err) {
  struct admission admission = ADMISSION_NONE;
  _cleanup_free_ char *path = NULL;
  if (asprintf(&path, "%s/" AUDIT_NAME, config->state_directory) < 0) {
    path = NULL;
    return error_set(err, ENOMEM, "no memory");
  }
  int r = authority_open(store, NULL, &admission.authority, err);
  if (r == 0)
    r = audit_open(path, &admission.audit, err);
  if (r == 0 && config->network.listen)
    r = open_network(&config->network, &admission, err);
  if (r < 0)
    admission_close(&admission);
  else
    *ret_admission = admission;
  return r;
}

void admission_close(struct admission *admission) {
  close_p(&admission->fd);
  tls_close(admission->tls);
  audit_close(admission->audit);
  authority_close(admission->authority);
  *admission = ADMISSION_NONE;
}
