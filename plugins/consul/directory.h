/* Who is who: ServiceAccounts as services of Consul, whose names are the only identity that Consul has. */
#ifndef TRAMMEL_PLUGINS_CONSUL_DIRECTORY_H
#define TRAMMEL_PLUGINS_CONSUL_DIRECTORY_H

#include "plugins/consul/consul.h"
#include "plugins/consul/verdict.h"
#include "sdk/kube/subject.h"

/* A name and a namespace that it is used in. */
struct name_use {
  const char *name;
  const char *ns;
};

struct name_uses {
  struct name_use *items; /* sorted */
  size_t count, capacity;
};

struct directory {
  struct call *call;
  const struct consul_config *config;
  const struct translate_request *request;
  struct kube_directory kube;
  struct name_uses account_names, service_names;
};

/* Borrows everything. False, and the call marked, without memory. */
bool directory_init(struct directory *directory, struct call *call, const struct consul_config *config,
                    const struct translate_request *request);

/* Whether the service of the account's name is the account, and nothing else. Approximated: not all of the account. */
struct verdict directory_judge_account(const struct directory *directory, const struct kube_identity *account);

/* The service that stands for one port of an account, in the call's memory; NULL, and the call marked, without. */
const char *directory_port_name(const struct directory *directory, const char *account, uint16_t port);

/* Whether that name is nobody else's. */
struct verdict directory_judge_port_name(const struct directory *directory, const struct kube_identity *named);

/* Whether the Service's name is one service of Consul. */
struct verdict directory_judge_service(const struct directory *directory, const char *ns, const char *name);

/* Whether the workloads of a Service are one service of that name in Consul. */
struct verdict directory_judge_registration(const struct directory *directory, const struct inventory_service *service);

#endif
