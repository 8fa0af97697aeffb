/* Services that have to be of HTTP for what is said about them: their service-defaults. */
#ifndef TRAMMEL_PLUGINS_CONSUL_PROTOCOL_H
#define TRAMMEL_PLUGINS_CONSUL_PROTOCOL_H

#include "plugins/consul/directory.h"

struct protocol_need {
  const char *ns;
  const char *service;
  const struct smi_meta *source; /* whose need it is */
};

struct protocols {
  struct call *call;
  struct protocol_need *items;
  size_t count, capacity;
};

void protocols_need(struct protocols *protocols, const char *ns, const char *service, const struct smi_meta *source);

/* One entry for each service, unless the operator sees to it himself. */
void protocols_emit(struct protocols *protocols, const struct consul_config *config, struct translation *translation);

#endif
