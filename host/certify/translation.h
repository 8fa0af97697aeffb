/* Translations asked for and looked at. Private to this folder. */
#ifndef TRAMMEL_HOST_CERTIFY_TRANSLATION_H
#define TRAMMEL_HOST_CERTIFY_TRANSLATION_H

#include "host/certify/corpus.h"
#include "host/certify/sitting.h"

/* Parts of translations by how well they were carried over. */
struct coverage_count {
  unsigned exact, approximated, unsupported;
};

/* The suite's cases. 0, and a finding otherwise. */
int translation_cases(struct sitting *sitting, struct corpus *ret_corpus);

/* Asks for the translation of a request that is right. What is not to be expected then is a finding that begins with
 * `name`. */
void translation_ask(struct guest *guest, const char *name, const Trammel__Adapter__V1__TranslateRequest *request,
                     struct guest_answer *ret_answer);

/* The request's bytes: heap. 0 or -ENOMEM, which is a finding. */
int translation_pack(struct sitting *sitting, const Trammel__Adapter__V1__TranslateRequest *request, uint8_t **ret_data,
                     size_t *ret_length);

/* An answer's message; NULL, and a finding, for what is none. Freed by its free_unpacked. */
Trammel__Adapter__V1__TranslateResponse *translation_decode(struct sitting *sitting, const char *name,
                                                            const struct guest_answer *answer);
void translation_free(Trammel__Adapter__V1__TranslateResponse *response);
DEFINE_CLEANUP(Trammel__Adapter__V1__TranslateResponse *, translation_free);

/* Whether a response keeps to the contract, and its coverage added to `count`. Findings begin with `name`. */
void translation_judge(struct sitting *sitting, const char *name, const Trammel__Adapter__V1__TranslateRequest *request,
                       const Trammel__Adapter__V1__TranslateResponse *response, struct coverage_count *count);

#endif
