/* One HTTP request that is served, and its answer: what HTTP/1.1 and h2c have in common. Reused from request to
 * request. */
#ifndef TRAMMEL_HOST_LAB_WORKLOAD_EXCHANGE_H
#define TRAMMEL_HOST_LAB_WORKLOAD_EXCHANGE_H

#include "host/lab/workload/service.h"

#define EXCHANGE_METHOD_MAX 31

struct exchange {
  struct strbuf path;
  struct strbuf body; /* kept for /echo and /call only */
  struct strbuf reply;
  size_t head_length;
  size_t body_length;
  const char *reply_type;
  const char *protocol;
  unsigned status; /* of the answer; not 0 before it: the request broke a limit */
  uint16_t port;
  char method[EXCHANGE_METHOD_MAX + 1];
  unsigned answer; /* the status that the request asks for (x-trammel-answer); 0: 200 */
  bool has_id;
  char id[CALL_ID_MAX + 1];
  char caller[WORKLOAD_NAME_MAX + 1]; /* the known sample app's ServiceName header */
  char content_type[128];
  char nonce[NONCE_LENGTH + 1]; /* "" when the request was refused */
};

void exchange_finish(struct exchange *exchange);

/* Forgets the request before. */
void exchange_begin(struct exchange *exchange, const char *protocol, uint16_t port);

/* The parts of a request as they come; a negative errno with the status set when they pass a limit, or x-trammel-id
 * comes twice. Header names in any case; no trailers. */
int exchange_path(struct exchange *exchange, const char *text, size_t length);
int exchange_header(struct exchange *exchange, const char *name, size_t name_length, const char *value,
                    size_t value_length);
int exchange_body(struct exchange *exchange, const void *data, size_t length);

/* Whether the request is a `POST /call`, which is answered when the call it asks for is done. */
bool exchange_is_call(const struct exchange *exchange);

/* Issues the nonce and records the request, or sets the status that refuses it. Not for a request that broke a limit.
 */
void exchange_accept(struct exchange *exchange, struct service *service);

/* Writes the answer of anything but /call into status, reply and reply_type. */
void exchange_answer(struct exchange *exchange, const struct service *service);

/* The answer is an error. */
void exchange_fail(struct exchange *exchange, unsigned status, const char *reason);

#endif
