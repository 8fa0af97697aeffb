/* Reading YAML (libyaml, and plain block YAML without it) and JSON into one tree that knows where each value stands,
 * and writing both.
 *
 * Diagnostic codes:
 *   DOC-0001  the input is larger than the limit      DOC-0008  a tag that is not of the core schema
 *   DOC-0002  a NUL character                         DOC-0009  a value that does not fit its tag
 *   DOC-0003  not UTF-8                               DOC-0010  a list or map as a key
 *   DOC-0004  not JSON                                DOC-0011  nested deeper than the limit
 *   DOC-0005  not YAML                                DOC-0012  more values than the limit
 *   DOC-0006  a duplicate key                         DOC-0013  more documents than the limit
 *   DOC-0007  an alias */
#ifndef TRAMMEL_SDK_BASE_DOCUMENT_H
#define TRAMMEL_SDK_BASE_DOCUMENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sdk/base/arena.h"
#include "sdk/base/diagnostic.h"

#ifdef __cplusplus
extern "C" {
#endif

struct error;

/* Limits on what is read. The defaults hold for everything a user or a mesh gives. */
struct document_limits {
  size_t bytes;     /* of one input; default 16 MiB, at most DOCUMENT_BYTES_MAX */
  size_t depth;     /* nested lists and maps; default 64, at most DOCUMENT_DEPTH_MAX */
  size_t nodes;     /* values in one input, aliases expanded are refused; default 1,000,000 */
  size_t documents; /* in one input; default 10,000 */
};
extern const struct document_limits document_limits_default;

#define DOCUMENT_DEPTH_MAX 256
#define DOCUMENT_BYTES_MAX ((size_t)INT32_MAX) /* an escape can stand for half as much again: lengths fit 32 bits */

enum node_kind {
  NODE_NULL = 1,
  NODE_BOOLEAN,
  NODE_INTEGER, /* fits int64_t */
  NODE_NUMBER,  /* any other number: fraction, exponent, or beyond int64_t */
  NODE_STRING,
  NODE_LIST,
  NODE_MAP,
};

/* "null", "boolean", "integer", "number", "string", "list", "map". */
const char *node_kind_name(enum node_kind kind);

/* 64 bytes: an input has up to a million. */
struct node {
  struct position position; /* of the value's first character, or of its YAML tag or anchor; columns count characters */
  const char *text; /* a scalar exactly as written, without quotes and with escapes resolved; NULL for list, map */
  int64_t integer;  /* NODE_INTEGER */
  union {
    const struct node *const *items; /* NODE_LIST */
    const struct entry *entries;     /* NODE_MAP: keys are unique strings, in the order written */
  };
  const struct node *parent; /* NULL for the root of a document */
  enum node_kind kind : 8;
  bool boolean;    /* NODE_BOOLEAN */
  uint32_t length; /* bytes of text; text holds no NUL byte (refused when read) */
  uint32_t count;  /* items of a list, entries of a map */
  uint32_t index;  /* its place among the parent's items or entries; 0 for a root */
};

struct entry {
  const char *key;
  struct position position; /* of the key */
  const struct node *value;
};

/* One input file's documents. All of it lives in `arena`. */
struct document_list {
  size_t count;
  const struct node *const *roots; /* empty YAML documents are left out */
};

enum document_format {
  DOCUMENT_ANY =
      0, /* JSON when the first character that is no white space is { or [, and it reads as JSON; else YAML */
  DOCUMENT_JSON,
  DOCUMENT_YAML,
};

/* Reads `length` bytes; NULL `limits` are the default ones. `file` is only for positions (copied; NULL allowed). What
 * is wrong becomes diagnostics DOC-0001… with line and column, and the result is -EINVAL; -E2BIG for a passed limit
 * (also a diagnostic); -ENOMEM. On an error, documents before the broken one are still returned in `*ret_documents`
 * when libyaml could read them. Scalars resolve by the YAML 1.2 core schema (yes/no/on/off are strings). Duplicate
 * keys, anchors with aliases, tags other than the core ones, invalid UTF-8 and NUL characters are errors. */
int document_read(struct arena *arena, const char *file, const void *data, size_t length, enum document_format format,
                  const struct document_limits *limits, struct diagnostics *diagnostics,
                  struct document_list *ret_documents);

/* Reads a whole file, "-" is standard input, at most `limit` bytes (and never more than FILE_READ_MAX): the text is a
 * heap string the caller frees, NUL-terminated. -E2BIG for a larger one, of which no more than limit + 1 bytes were
 * read. */
#define FILE_READ_MAX ((size_t)1 << 30)
int file_read(const char *path, size_t limit, char **ret_data, size_t *ret_length, struct error **err);

/* The value under `key` in a map; NULL when absent or when `map` is NULL or no map. */
const struct node *node_get(const struct node *map, const char *key);
const struct entry *node_entry(const struct node *map, const char *key);

/* The RFC 6901 pointer of a node within its document, built in `arena`; "" for the root; NULL without memory. */
const char *node_pointer(struct arena *arena, const struct node *node);

/* The value that an RFC 6901 pointer names below `root`; NULL when there is none. */
const struct node *node_at(const struct node *root, const char *pointer);

/* The same, or where there is none the innermost value on the way there that is: `root` at least. */
const struct node *node_nearest(const struct node *root, const char *pointer);

/* Appends "/" and the key, escaped as RFC 6901 wants. */
struct strbuf;
void pointer_append(struct strbuf *out, const char *key);

/* The same tree as jansson values (a new reference; NULL without memory). Numbers that are no int64 become reals; one
 * beyond a double's range becomes a string. */
json_t *node_to_json(const struct node *node);

/* One JSON value of any kind, read as document_read does (no duplicate keys, no NUL characters, the default limits).
 * For where memory may run out: jansson's own reader then loses what a long string ends with, and reads on beyond it.
 * 0, -EINVAL or -E2BIG with the line, -ENOMEM. */
int json_read(const char *text, size_t length, json_t **ret_value, struct error **err);

/* Append a jansson tree to `out`: as block YAML with the keys in the order they have and strings quoted where a
 * YAML 1.1 or 1.2 reader would misread them, or as indented JSON and a newline. Doubles are written as the shortest
 * text that reads back the same. 0, -ENOMEM, -E2BIG when nested deeper than DOCUMENT_DEPTH_MAX, -EINVAL when a string
 * is not UTF-8 (YAML). */
int yaml_write(const json_t *value, struct strbuf *out);
int json_write(const json_t *value, struct strbuf *out);

/* Appends a jansson tree as JSON without white space, the keys of each map sorted by their bytes: the same as
 * json_dumps(JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY), and never a part of it. 0, -ENOMEM, -E2BIG when nested
 * deeper than DOCUMENT_DEPTH_MAX. */
int json_write_compact(const json_t *value, struct strbuf *out);

/* A string that a JSON object says of itself: under `key` of the root (`within` NULL), or of the map under the root's
 * key `within`. The value "" holds as well when no string is there. */
struct json_claim {
  const char *within;
  const char *key;
  const char *value;
};

/* Appends what yaml_write() would of the JSON text: a map as the root, or, with `key`, any value as a map's only entry
 * of that name. Quick, and not for every text: -ENOTSUP, with nothing appended, when a claim (at most 16) does not
 * hold, when the text is no JSON or has a key twice, and for what needs more care, such as strings beyond printable
 * ASCII: whoever wants it has to read it into a tree then. -ENOMEM. */
int yaml_restyle(const char *key, const char *json, size_t length, const struct json_claim *claims, size_t claim_count,
                 struct strbuf *out);

#ifdef __cplusplus
}
#endif

#endif
