/* The SMI resources that a command was given, against those that an object on a cluster came from, as its annotation
 * KUBE_SOURCES_ANNOTATION (sdk/kube/object.h) lists them. */
#ifndef TRAMMEL_HOST_ENGINE_SOURCES_H
#define TRAMMEL_HOST_ENGINE_SOURCES_H

#include <jansson.h>
#include <stddef.h>

#include "sdk/base/memory.h"
#include "sdk/smi/model.h"

/* Bytes of a source's name that are told; a longer one is cut. */
#define SOURCES_TOLD_MAX 160

struct sources;

/* All resources of the set; a copy of their names. NULL without memory. */
struct sources *sources_create(const struct smi_set *set);
/* NULL is fine. */
void sources_destroy(struct sources *sources);
DEFINE_CLEANUP(struct sources *, sources_destroy);

enum sources_standing {
  SOURCES_NONE,  /* no list: made for a namespace as a whole */
  SOURCES_GIVEN, /* all of them were given */
  SOURCES_OTHER, /* one was not */
  SOURCES_CUT,   /* those that are listed were given, but the list was too long to be kept whole */
};

/* How the sources of `object` stand. `ret_other` may be NULL; the first one that was not given, "" unless
 * SOURCES_OTHER. */
enum sources_standing sources_judge(const struct sources *sources, const json_t *object,
                                    char ret_other[SOURCES_TOLD_MAX]);

#endif
