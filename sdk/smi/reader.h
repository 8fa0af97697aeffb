/* What a reader has collected. For sdk/smi only. */
#ifndef TRAMMEL_SDK_SMI_READER_H
#define TRAMMEL_SDK_SMI_READER_H

#include "sdk/smi/catalogue.h"
#include "sdk/smi/parse.h"

/* A resource in a list, in the order read. */
struct kept {
  struct kept *next;
  struct smi_port_wish *wish; /* a TrafficTarget's; NULL */
  void *resource;             /* a struct of model.h, which begins with its struct smi_meta */
};

struct kept_list {
  struct kept *first, **end;
  size_t count;
};

/* The `port` of a TrafficTarget of access v1alpha1/2, until it becomes a TCPRoute. */
struct smi_port_wish {
  uint16_t port;
  const char *pointer;
  struct position position;
};

struct smi_reader {
  struct arena *arena;
  struct diagnostics *diagnostics;
  const char *default_namespace;
  bool ns_given; /* by the caller */
  bool ignore_other_kinds;
  bool documents_stay;
  size_t count;
  const char *file_seen; /* the last position's file, and its copy in `arena` */
  const char *file_copy;
  struct kept_list targets, route_groups, port_routes, splits, bindings;
};

/* Where resources of a kind are kept. */
struct kept_list *reader_list(struct smi_reader *reader, enum smi_kind kind);

/* A position that lives as long as the set: the document's arena may be gone before. */
struct position reader_position(struct smi_reader *reader, struct position position);

/* The pointer of a node for a diagnostic that will be kept; NULL for one that is only counted. */
const char *reader_pointer(struct smi_reader *reader, const struct node *node);

/* Reports about something that is not read any further. -EINVAL or -ENOMEM. `summary` NULL: out of memory. */
int reader_refuse(struct smi_reader *reader, const char *code, const struct node *node, const char *detail,
                  const char *remedy, const char *summary);

/* Reads a resource of a kind that `version` has, and keeps it. 0, -EINVAL, -ENOMEM, -E2BIG. */
int resource_read(struct smi_reader *reader, const struct node *root, enum smi_kind kind, struct smi_version version);

/* Appends to a list. -ENOMEM. */
int kept_append(struct smi_reader *reader, struct kept_list *list, void *resource, struct smi_port_wish *wish);

#endif
