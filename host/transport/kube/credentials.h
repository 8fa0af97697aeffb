/* Who a client is at the moment: tokens from files and programs are read again as they change or expire. Thread-safe:
 * one thread fetches, the others wait for it. */
#ifndef TRAMMEL_HOST_TRANSPORT_KUBE_CREDENTIALS_H
#define TRAMMEL_HOST_TRANSPORT_KUBE_CREDENTIALS_H

#include <stdatomic.h>
#include <stdint.h>

#include "host/transport/kube/kubeconfig.h"

/* How often a token file is looked at. */
#define CREDENTIALS_FILE_PERIOD_NS (INT64_C(1000000000))

/* A program's credentials are fetched anew this long before they expire. */
#define CREDENTIALS_EARLY_NS (10 * INT64_C(1000000000))

struct credentials;

/* All texts owned; NULL for what there is not. */
struct credential {
  char *authorization; /* "Authorization: Bearer ..." */
  char *certificate;
  char *key;
  uint64_t identity;   /* another number for another certificate */
  uint64_t generation; /* another number for anything else than before */
};
void credential_finish(struct credential *credential);

/* `config` is borrowed for as long as the credentials live. */
int credentials_create(const struct kube_config *config, struct credentials **ret_credentials, struct error **err);
void credentials_destroy(struct credentials *credentials);
DEFINE_CLEANUP(struct credentials *, credentials_destroy);

/* What to use now. May read a file or run a program until `deadline_ns`. -ETIMEDOUT, -ECANCELED, -EACCES when the
 * program gives none, or it or the file is not there. */
int credentials_get(struct credentials *credentials, int64_t deadline_ns, const atomic_bool *cancel,
                    struct credential *ret_credential, struct error **err);

/* The server refused the credential of `generation` (401). Whether another try can have another one. */
bool credentials_refused(struct credentials *credentials, uint64_t generation);

#endif
