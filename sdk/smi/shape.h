/* Reading maps by tables: a shape lists the fields that an object of a resource has, in which versions, and where each
 * value goes. For sdk/smi only. */
#ifndef TRAMMEL_SDK_SMI_SHAPE_H
#define TRAMMEL_SDK_SMI_SHAPE_H

#include "sdk/base/document.h"
#include "sdk/smi/model.h"
#include "sdk/smi/text.h"

#define ALPHA_NEWEST UINT8_MAX

struct smi_reader;

/* One resource while it is read. */
struct reading {
  struct arena *arena;
  struct diagnostics *diagnostics;
  struct smi_version version;
  const struct smi_meta *meta;
  struct {
    uint16_t number; /* destination.port of access v1alpha1/2, 0 for none */
    const char *pointer;
    struct position position;
  } port;
  bool failed; /* an error was reported */
  int error;   /* -ENOMEM; stays 0 otherwise */
};

enum field_type {
  FIELD_TEXT,   /* a string into a `const char *` */
  FIELD_TEXTS,  /* a list of strings into a `const char *const *` and its count */
  FIELD_OBJECT, /* a map of `shape` into a struct */
  FIELD_LIST,   /* a list of maps of `shape` into an array of structs and its count */
  FIELD_CUSTOM, /* `read` gets the struct that the shape describes */
};

struct shape;

struct field {
  const char *name;
  uint8_t since, until; /* the versions (v1alphaN) that have it; `until` 0: to the newest */
  bool required;
  enum field_type type;
  enum text_rule rule;
  size_t offset, count_offset;
  const struct shape *shape;
  size_t item_size;
  void (*read)(struct reading *reading, const struct node *value, void *target);
};

/* What people write in a field that a version does not have, and what they should do. */
struct mistake {
  const char *field;
  uint8_t since, until;
  const char *remedy;
};

struct shape {
  const char *what; /* "a rule": for messages */
  const struct field *fields;
  size_t field_count;
  const struct mistake *mistakes;
  size_t mistake_count;
  void (*finish)(struct reading *reading, const struct node *map,
                 void *target); /* after all fields; NULL: nothing to do */
};

/* Whether `field` is one of `version`. */
bool field_in(const struct field *field, struct smi_version version);

/* The field called `name` that `version` has; NULL. */
const struct field *shape_field(const struct shape *shape, struct smi_version version, const char *name);

/* Reads the map `node` into `target`. Entries whose key `is_other` accepts are passed over (NULL: none). Shapes nest as
 * the tables say, which is a few levels, whatever the document does. */
void shape_read(struct reading *reading, const struct shape *shape, const struct node *node,
                bool (*is_other)(const char *key), void *target);

/* Reports that `node` is wrong. `reading` is failed afterwards. */
void reading_error(struct reading *reading, const char *code, const struct node *node, const char *detail,
                   const char *remedy, const char *format, ...) __attribute__((format(printf, 6, 7)));

/* The same at the key of an entry. */
void reading_error_key(struct reading *reading, const char *code, const struct entry *entry, const char *detail,
                       const char *remedy, const char *format, ...) __attribute__((format(printf, 6, 7)));

/* Memory of the set; NULL notes -ENOMEM. */
void *reading_alloc(struct reading *reading, size_t count, size_t size);
const char *reading_strdup(struct reading *reading, const char *text);
const char *reading_printf(struct reading *reading, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The checked copy of a string; NULL after an error. */
const char *reading_text(struct reading *reading, const struct node *value, enum text_rule rule);

/* Whether `value` is of `kind`; reports what was expected if not. */
bool reading_expect(struct reading *reading, const struct node *value, enum node_kind kind);

/* Whether a list is short enough (SMI_LIST_MAX). */
bool reading_list_fits(struct reading *reading, const struct node *list);

/* A port number, 1 to 65535; 0 after an error. */
uint16_t reading_port(struct reading *reading, const struct node *value);

/* How a scalar reads in a message: its text cut to a sensible length, or the kind of a list or map. */
const char *node_shown(struct arena *arena, const struct node *node);

#endif
