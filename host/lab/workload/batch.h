/* A batch of calls as the control port takes it, and its outcomes as the control port answers them. */
#ifndef TRAMMEL_HOST_LAB_WORKLOAD_BATCH_H
#define TRAMMEL_HOST_LAB_WORKLOAD_BATCH_H

#include <jansson.h>

#include "host/lab/workload/caller.h"

#define BATCH_SPACING_MAX_US 60000000u
#define BATCH_TIMEOUT_MAX_MS 600000u
#define BATCH_PATH_MAX 8192
#define METHOD_MAX 31

struct batch {
  json_t *json; /* owns the strings */
  const char *id;
  enum call_protocol protocol;
  struct endpoint endpoint;
  char authority[256];
  const char *method;
  const char *path;
  struct call_header headers[WORKLOAD_HEADERS_MAX];
  size_t header_count;
  const char *body; /* NULL: none */
  size_t body_length;
  unsigned count;
  unsigned concurrency;
  bool fresh;
  const char *keep; /* "": none */
  unsigned spacing_us;
  unsigned timeout_ms;
};

/* Reads a batch and checks all of it. -EINVAL with a reason that names the member, -ENOMEM. */
int batch_parse(const char *text, size_t length, struct batch **ret_batch, struct error **err);
void batch_destroy(struct batch *batch);
DEFINE_CLEANUP(struct batch *, batch_destroy);

/* Appends {"outcomes":[…]}. */
void batch_write_outcomes(const struct call_outcome *outcomes, size_t count, struct strbuf *out);

/* What may be written into a request as it is. */
bool request_method_valid(const char *method);
bool request_path_valid(const char *path);
bool request_value_valid(const char *value);
/* NULL, or why the header may not be set. */
const char *request_header_problem(const char *name, const char *value);

#endif
