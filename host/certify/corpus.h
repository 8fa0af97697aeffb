/* Requests for Translate: one for each case of the suite, with its topology and resources. Private to this folder. */
#ifndef TRAMMEL_HOST_CERTIFY_CORPUS_H
#define TRAMMEL_HOST_CERTIFY_CORPUS_H

#include <stdbool.h>

#include "sdk/base/arena.h"
#include "sdk/base/error.h"
#include "trammel/adapter/v1/adapter.pb-c.h"

struct corpus_item {
  const char *name;                /* id of the case */
  const char *const *requirements; /* that the case proves */
  size_t requirement_count;
  bool misconfigured; /* the case is about resources that cannot be carried out as they are */
  Trammel__Adapter__V1__TranslateRequest *request; /* unsupported parts are allowed */
};

struct corpus {
  struct arena *arena;
  struct suite *suite; /* owns names and requirements */
  struct corpus_item *items;
  size_t count;
};

int corpus_create(struct corpus *ret_corpus, struct error **err);
void corpus_finish(struct corpus *corpus);
#define _cleanup_corpus_ _cleanup_(corpus_finish)

#endif
