/* What an API holds, told apart: what a run of Trammel made, and what others did (HttpIdentity of the contract). Works
 * on a JSON form of it, which the journal keeps as well:
 *   {"marks": {POINTER: VALUE}, "look": URL or path, "match": {POINTER: VALUE}, "id": POINTER}
 * `match` and `id` are there for objects that are found in a listing. For the engine and the certification. */
#ifndef TRAMMEL_HOST_ENGINE_IDENTITY_H
#define TRAMMEL_HOST_ENGINE_IDENTITY_H

#include <jansson.h>
#include <stdbool.h>

#include "host/transport/http/client.h"
#include "trammel/adapter/v1/adapter.pb-c.h"

/* The most bytes of a listing. */
#define IDENTITY_LIST_MAX (64u * 1024 * 1024)

/* Stands for the id in paths. */
#define IDENTITY_PLACE "{id}"

typedef Trammel__Adapter__V1__HttpIdentity http_identity;

/* 0; -EINVAL with a reason for one that does not say what it has to. */
int identity_check(const http_identity *identity, const char *read_path, struct error **err);

/* The JSON form; `look` is where it is looked for. A new reference, NULL without memory. */
json_t *identity_to_json(const http_identity *identity, const char *look);

enum identity_standing {
  IDENTITY_ABSENT = 1,
  IDENTITY_OURS,
  IDENTITY_FOREIGN, /* it lacks a mark */
};

struct identity_finding {
  enum identity_standing standing;
  json_t *document;   /* what was answered */
  const json_t *item; /* the object in it, unless absent */
};

/* What a GET of `look` says. -EIO for an answer that is neither the object or the listing, nor 404. */
int identity_judge(const json_t *identity, const struct http_response *response, struct identity_finding *ret_finding,
                   struct error **err);
void identity_finding_finish(struct identity_finding *finding);

/* The string or whole number at a pointer, as text; a heap string. NULL: there is none, or no memory. */
char *identity_text(const json_t *document, const char *pointer);

/* `place` with the id, percent-encoded, where IDENTITY_PLACE stands; a heap string. NULL without memory. */
char *identity_place(const char *place, const char *id);

#endif
