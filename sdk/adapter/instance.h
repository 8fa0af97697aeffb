/* An adapter's instance: its class, the host's services, and its configuration. Private to the typed layer. */
#ifndef TRAMMEL_SDK_ADAPTER_INSTANCE_H
#define TRAMMEL_SDK_ADAPTER_INSTANCE_H

#include <jansson.h>
#include <pthread.h>

#include "sdk/adapter/adapter.h"

struct trammel_instance {
  const struct adapter_class *class;
  const struct adapter_identity *identity;
  const trammel_host *host;
  const trammel_op_api *op_api;
  const trammel_log_api *log_api;   /* NULL: not offered */
  const trammel_http_api *http_api; /* NULL: not offered */
  pthread_mutex_t lock;             /* of config: a reentrant adapter may be configured while a call runs */
  json_t *config;
};

#endif
