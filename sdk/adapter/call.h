/* What an adapter's function has at hand while it runs: memory, configuration, diagnostics, log, and the host's
 * services. Valid until the function returns. Everything but the log and the diagnostics belongs to the function's own
 * thread.
 *
 * Functions give back a status: TRAMMEL_OK or another TRAMMEL_* of trammel/abi.h. */
#ifndef TRAMMEL_SDK_ADAPTER_CALL_H
#define TRAMMEL_SDK_ADAPTER_CALL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sdk/base/arena.h"
#include "sdk/smi/model.h"
#include "trammel/abi.h"

#ifdef __cplusplus
extern "C" {
#endif

struct call;

/* Memory for this call: freed when it ends. Everything handed to the builders may live in it. */
struct arena *call_arena(struct call *call);

/* The configuration, an object that keeps to the adapter's schema, with defaults filled in. */
const json_t *call_config(const struct call *call);

bool call_cancelled(struct call *call);      /* the caller gave up: return TRAMMEL_CANCELLED soon. Any thread */
int call_cancel_fd(struct call *call);       /* readable once cancelled; not to be read or closed; -1: none */
int64_t call_deadline_ns(struct call *call); /* CLOCK_MONOTONIC; 0: none */

/* A line for the host's log: TRAMMEL_DEBUG, _INFO, _WARNING or _ERROR. Any thread. */
void call_log(struct call *call, uint32_t level, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* What is wrong with part of a request, or worth telling. Members that say nothing are NULL or 0. */
struct finding {
  uint32_t severity;               /* TRAMMEL_INFO, TRAMMEL_WARNING or TRAMMEL_ERROR */
  const char *code;                /* stable, never reused: "REFERENCE-0003" */
  const struct smi_meta *resource; /* NULL: the request as a whole */
  const char *pointer;             /* RFC 6901, into the resource */
  const char *detail;              /* what was expected, and why */
  const char *cause;
  const char *remedy;
  uint32_t flags; /* TRAMMEL_RETRY_MAY_HELP | TRAMMEL_EFFECTS_UNKNOWN */
};

/* Adds a diagnostic with a one-line summary. Any thread. */
void call_diagnose(struct call *call, const struct finding *finding, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Adds an error about the request as a whole and gives back `status`: `return call_fail(call, TRAMMEL_UNIMPLEMENTED,
 * "X-0001", "…")`. */
int call_fail(struct call *call, int status, const char *code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Marks the call as out of memory: it will end with TRAMMEL_RESOURCE_EXHAUSTED. The builders do so themselves. */
void call_out_of_memory(struct call *call);

/* Marks the call as one that failed because a JSON text could not be written, for `r` of json_write_compact(): without
 * memory, or with a diagnostic when it was nested too deep. */
void call_unwritten(struct call *call, int r);

/* Compact, with sorted keys: the same value always gives the same text. In the call's arena; NULL, and the call marked,
 * without memory or a value, or when it is nested deeper than DOCUMENT_DEPTH_MAX. json_dumps is not for adapters: when
 * memory runs out amid a key, it leaves a part of that out and tells nobody. */
char *call_json_text(struct call *call, const json_t *value);

/* Bytes of a request's path with its query, as hosts take it; without the NUL. */
#define CALL_PATH_MAX 8191u

/* An HTTP request to an endpoint that the description declares. */
struct call_http {
  const char *endpoint;
  const char *method;       /* NULL: "GET" */
  const char *path;         /* absolute path and query */
  const char *content_type; /* NULL: "application/json" when there is a body */
  const void *body;
  size_t body_length;
};
struct call_http_answer {
  unsigned status;
  const char *content_type;
  const char *body; /* NUL-terminated, in the call's arena */
  size_t body_length;
};
/* TRAMMEL_OK for any HTTP status; else the status of trammel_http_api.request, whose diagnostic the host has added. */
int call_http(struct call *call, const struct call_http *request, struct call_http_answer *ret_answer);

/* GET and read the body as JSON, which lives as long as the call. TRAMMEL_OK for status 200 only: any other, and a body
 * that is not JSON, is TRAMMEL_UNAVAILABLE with a diagnostic `code`. */
int call_get_json(struct call *call, const char *endpoint, const char *path, const char *code, const json_t **ret_body);

#ifdef __cplusplus
}
#endif

#endif
