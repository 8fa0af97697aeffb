/* A real Consul agent for tests of label cluster (docs/testbed.md), with ACLs that deny by default. */
#ifndef TRAMMEL_TESTS_SUPPORT_CONSUL_AGENT_H
#define TRAMMEL_TESTS_SUPPORT_CONSUL_AGENT_H

#include <jansson.h>

struct consul_agent {
  char *directory; /* also of the token files */
  char *url;
  char *program;
  char *token; /* may do everything */
};

/* 0; else what the test's program has to end with, after a word of why: 77 when there is none in the cache. */
int consul_agent_start(struct consul_agent *agent);
void consul_agent_stop(struct consul_agent *agent);

/* The status of a request ("/v1/…") of the one who may do everything. `body` NULL: none. `*ret_answer` (NULL: not
 * wanted) is a new reference, NULL for what is no JSON. Fails the test when nobody answers. */
long consul_agent_ask(const struct consul_agent *agent, const char *method, const char *path, const char *body,
                      json_t **ret_answer);

/* A token with these rules, in a file of that name in the agent's directory; its path, on the heap. */
char *consul_agent_token(const struct consul_agent *agent, const char *name, const char *rules);

#endif
