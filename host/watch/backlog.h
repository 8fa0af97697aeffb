/* What there is to do about objects of namespaces, and what of it comes first. Not thread-safe.
 *
 * Of a namespace as a whole are the objects that came from no resource: those of the first wave deny what no other
 * object allows; others are what several count on, such as the networks of probes. One that denies is lacking while it
 * is to be applied, and is not there or was not yet tried.
 *
 * What is to be applied waits
 * - for what is lacking in its namespace, when it is of a higher wave;
 * - for what is to be applied, is of a lower wave, and comes from a resource that it comes from.
 * What is to be removed waits
 * - while anything is lacking in its namespace, or others own fields of what denies there: where nothing denies, a mesh
 *   may admit everybody once the last object is gone that allows;
 * - until everything that is to be applied, and need not wait itself, was tried once, and so was everything that comes
 *   from a resource that it came from;
 * - while something of the same content is to be applied, as when its resource has another name now: it is what is
 *   wanted, and where nothing denies, it may be all that does;
 * - for the objects that are there, are of a higher wave, come from a resource that it came from, and are to be changed
 *   or removed: as they are, they may count on it;
 * - when it is of the namespace as a whole, for everything else there.
 * So no failure keeps up or holds up what comes from other resources, but that of what denies.
 */
#ifndef TRAMMEL_HOST_WATCH_BACKLOG_H
#define TRAMMEL_HOST_WATCH_BACKLOG_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "host/watch/table.h"

#define BACKLOG_WAVES 8 /* higher ones count as the last */

/* What failed is tried again after a pause that grows. */
#define BACKLOG_PAUSE_LEAST_NS (1 * INT64_C(1000000000))
#define BACKLOG_PAUSE_MOST_NS (120 * INT64_C(1000000000))

enum backlog_work { BACKLOG_NONE, BACKLOG_APPLY, BACKLOG_REMOVE };

struct space;
struct origin;
struct content;

/* Of one object: a member of who knows more about it. Only read by others. */
struct task {
  struct space *space;
  unsigned wave;
  struct origin **origins; /* the resources that it came from */
  size_t origin_count;
  size_t principal_count;  /* of these, the first ones: whose ends are what a removal waits for */
  struct origin **earlier; /* that it may have come from as it stands; each once */
  size_t earlier_count;
  struct content *content; /* NULL: not known */

  enum backlog_work work;
  bool standing; /* it is there, and not as it should be */
  bool busy;
  unsigned failures; /* in a row */
  bool contested;    /* the last one: others own fields of it */
  int64_t not_before_ns;
  TAILQ_ENTRY(task) link; /* when there is work, and it is not busy */
};

TAILQ_HEAD(tasks, task);

struct backlog {
  struct table spaces; /* namespaces with objects */
  struct tasks applying[BACKLOG_WAVES], removing[BACKLOG_WAVES];
};

void backlog_init(struct backlog *backlog);
/* Once all have left. */
void backlog_finish(struct backlog *backlog);

/* A task, all zero, of an object in this namespace. 0 or -ENOMEM. */
int backlog_join(struct backlog *backlog, struct task *task, const char *ns);
/* Has no work any more. One that has not joined is fine. */
void backlog_leave(struct backlog *backlog, struct task *task);

/* Its wave, and what it comes from ("Kind/namespace/name,…"; "": nothing), of one that has no work. With `changes`
 * what it came from so far stays known, as what it stands for, until backlog_settle(). 0; -ENOMEM, and it is as it
 * was. */
int backlog_describe(struct task *task, unsigned wave, const char *sources, bool changes);

/* What it says, whatever it is called: a key of its kind and content, "": not known. Of one that has no work. 0 or
 * -ENOMEM, and it is not known. */
int backlog_describe_content(struct task *task, const char *key);

/* What has no work is on the cluster as it was described last. */
void backlog_settle(struct task *task);

/* There is this to do; `there`: about an object that is there. What was to be done before is not any more. Goes behind
 * the others. */
void backlog_put(struct backlog *backlog, struct task *task, enum backlog_work work, bool there);

/* What failed before says nothing about what is to be done from now on. Of one that has no work. */
void backlog_forgive(struct task *task);

/* The first one that may be begun at `now_ns`; else NULL, and when the next one that failed may be, if that is earlier,
 * in `*wake_ns`. */
struct task *backlog_find(struct backlog *backlog, int64_t now_ns, int64_t *wake_ns);

/* It is begun: no other begins it. */
void backlog_begin(struct backlog *backlog, struct task *task);
/* It is not under way any more, and has no work for now. */
void backlog_end(struct backlog *backlog, struct task *task);
/* It failed, with `contested` because others own fields of it: this work is put, for after the pause. The number of
 * failures in a row. */
unsigned backlog_put_off(struct backlog *backlog, struct task *task, enum backlog_work work, bool there,
                         bool contested);

#endif
