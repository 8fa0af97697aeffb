/* A line of a run's journal. Private to the journal and to the cleanup. */
#ifndef TRAMMEL_HOST_ENGINE_RECORD_H
#define TRAMMEL_HOST_ENGINE_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include "sdk/base/arena.h"
#include "sdk/base/error.h"
#include "sdk/base/strbuf.h"

enum record_kind {
  RECORD_RUN = 1, /* the first line */
  RECORD_PROCESS_INTENDED,
  RECORD_PROCESS_STARTED,
  RECORD_PROCESS_ENDED,
  RECORD_OBJECT_INTENDED,
  RECORD_CLUSTER_OBJECT_INTENDED,
  RECORD_OBJECT_REMOVED, /* of either kind */
};

struct record {
  enum record_kind kind;
  const char *boot;   /* RECORD_RUN */
  const char *name;   /* of a process; id of an object */
  int64_t pid;        /* RECORD_PROCESS_STARTED, _ENDED */
  uint64_t start;     /* RECORD_PROCESS_STARTED: field 22 of /proc/PID/stat */
  const char *method; /* RECORD_OBJECT_INTENDED */
  /* JSON form (identity.h) of an object that has one: `url` may have its id to fill in. Or NULL */
  const char *identity;
  const char *token_file; /* whose token the requests need. Or NULL */
  const char *url;        /* the same; RECORD_CLUSTER_OBJECT_INTENDED: of the server */
  /* RECORD_CLUSTER_OBJECT_INTENDED */
  const char *kubeconfig; /* NULL: none was given */
  const char *context;    /* NULL: none */
  const char *api_version;
  const char *object_kind;
  const char *ns; /* NULL: cluster-wide */
  const char *object_name;
};

/* The most bytes of a line, and of a journal that is read. */
#define RECORD_LINE_MAX (64u * 1024)
#define RECORD_JOURNAL_MAX (64u * 1024 * 1024)

/* Appends the line with its newline. 0, -EINVAL for text that is no UTF-8, -E2BIG over RECORD_LINE_MAX, -ENOMEM. */
int record_write(const struct record *record, struct strbuf *out, struct error **err);

/* Reads one line of `length` bytes into `arena`. -EINVAL with a reason, -ENOMEM. */
int record_read(struct arena *arena, const char *line, size_t length, struct record *ret_record, struct error **err);

#endif
