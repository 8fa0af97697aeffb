/* Reading SMI resources of every version into the hub form. */
#ifndef TRAMMEL_SDK_SMI_PARSE_H
#define TRAMMEL_SDK_SMI_PARSE_H

#include "sdk/base/document.h"
#include "sdk/smi/model.h"

/* Limits of one set. */
#define SMI_RESOURCES_MAX 300000
#define SMI_LIST_MAX 10000   /* rules, sources, matches, headers, backends, ports of one resource; items of a List */
#define SMI_LIST_DEPTH_MAX 4 /* Lists within Lists */
#define SMI_REGEX_MAX 4096   /* bytes of one regular expression */

/* How to read. */
struct smi_parse_options {
  const char *default_namespace; /* for resources without metadata.namespace, as if it were written; NULL: "default",
                                    which conversions then leave out again */
  bool ignore_other_kinds; /* skip resources of other API groups silently (manifests with Services and Deployments);
                              otherwise each gives an info diagnostic */
  bool documents_stay;     /* the documents live as long as the set: diagnostics of lint and conversions have the
                              position of the field, and not only that of the resource */
};

/* Collects resources of many documents and files into one set. */
struct smi_reader;

struct smi_reader *smi_reader_create(struct arena *arena, const struct smi_parse_options *options,
                                     struct diagnostics *diagnostics);

/* Reads one document: dispatches on apiVersion and kind (a `kind: List` is read item by item, also one in another),
 * converts up to the hub, reports unknown fields, wrong types and out-of-range values as diagnostics SMI-0001… with
 * pointer and position. A resource with an error is left out of the set. 0, -EINVAL when it had an error, -ENOMEM,
 * -E2BIG beyond SMI_RESOURCES_MAX. */
int smi_reader_document(struct smi_reader *reader, const struct node *root);

/* The set read so far, valid as long as the arena. The reader is done afterwards. */
int smi_reader_finish(struct smi_reader *reader, struct smi_set *ret_set);

/* All at once: every document of `list`. The set holds what was good also when the result is -EINVAL. */
int smi_parse(struct arena *arena, const struct document_list *list, const struct smi_parse_options *options,
              struct diagnostics *diagnostics, struct smi_set *ret_set);

#endif
