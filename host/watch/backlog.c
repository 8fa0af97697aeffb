#include "host/watch/backlog.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sdk/base/clock.h"
#include "sdk/smi/model.h"

/* A resource, in a namespace that has objects which came from it. */
struct origin {
  char *key;
  size_t users;
  uint32_t standing[BACKLOG_WAVES]; /* tasks that stand */
  uint32_t applying[BACKLOG_WAVES]; /* to be applied, and it is a principal one of them */
  uint32_t untried;                 /* of these */
};

/* What objects of a namespace say. */
struct content {
  char *key;
  size_t users;
  size_t applying; /* tasks */
};

/* A namespace. */
struct space {
  char *key;
  size_t users;
  struct table origins, contents;
  size_t applying, removing[BACKLOG_WAVES];
  size_t trying;  /* to be applied, under way, and not tried before */
  size_t lacking; /* see is_lacking() */
  size_t altered; /* see is_altered() */
  size_t standing[BACKLOG_WAVES];
  size_t sourced; /* to be removed, and came from a resource */
};

void backlog_init(struct backlog *backlog) {
  *backlog = (struct backlog){0};
  for (unsigned wave = 0; wave < BACKLOG_WAVES; wave++) {
    TAILQ_INIT(&backlog->applying[wave]);
    TAILQ_INIT(&backlog->removing[wave]);
  }
}

void backlog_finish(struct backlog *backlog) {
  table_finish(&backlog->spaces);
}

/* ---- whose it is */

static struct space *space_of(struct backlog *backlog, const char *ns) {
  struct space *space = table_get(&backlog->spaces, ns);

  if (space)
    return space;
  space = calloc(1, sizeof(*space));
  if (space && (space->key = strdup(ns)) && table_put(&backlog->spaces, space) == 0)
    return space;
  if (space)
    free(space->key);
  free(space);
  return NULL;
}

int backlog_join(struct backlog *backlog, struct task *task, const char *ns) {
  task->space = space_of(backlog, ns);
  if (!task->space)
    return -ENOMEM;
  task->space->users++;
  return 0;
}

static struct origin *origin_of(struct space *space, const char *source, size_t length) {
  char *key = strndup(source, length);
  struct origin *origin = key ? table_get(&space->origins, key) : NULL;

  if (key && !origin && (origin = calloc(1, sizeof(*origin)))) {
    origin->key = key;
    if (table_put(&space->origins, origin) == 0)
      return origin;
    free(take(origin));
  }
  free(key);
  return origin;
}

static void drop_origins(struct space *space, struct origin **origins, size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (--origins[i]->users > 0)
      continue;
    table_remove(&space->origins, origins[i]);
    free(origins[i]->key);
    free(origins[i]);
  }
  free(origins);
}

/* Takes over `key`. NULL without memory. */
static struct content *content_new(struct space *space, char *key) {
  struct content *content = key ? calloc(1, sizeof(*content)) : NULL;

  if (content) {
    content->key = key;
    if (table_put(&space->contents, content) == 0)
      return content;
  }
  free(content);
  free(key);
  return NULL;
}

static void drop_content(struct space *space, struct content *content) {
  if (!content || --content->users > 0)
    return;
  table_remove(&space->contents, content);
  free(content->key);
  free(content);
}

int backlog_describe_content(struct task *task, const char *key) {
  struct content *content = *key ? table_get(&task->space->contents, key) : NULL;

  if (*key && !content)
    content = content_new(task->space, strdup(key));
  if (content)
    content->users++;
  drop_content(task->space, task->content);
  task->content = content;
  return content || !*key ? 0 : -ENOMEM;
}

void backlog_leave(struct backlog *backlog, struct task *task) {
  struct space *space = task->space;

  if (!space)
    return;
  backlog_put(backlog, task, BACKLOG_NONE, false);
  backlog_settle(task);
  drop_origins(space, task->origins, task->origin_count);
  drop_content(space, task->content);
  *task = (struct task){0};
  if (--space->users > 0)
    return;
  table_remove(&backlog->spaces, space);
  table_finish(&space->origins);
  table_finish(&space->contents);
  free(space->key);
  free(space);
}

static bool is_of(const char *source, enum smi_kind kind) {
  size_t length = strlen(smi_kind_name(kind));

  return strncmp(source, smi_kind_name(kind), length) == 0 && source[length] == '/';
}

/* Routes are shared by resources that have nothing else to do with each other. */
static bool is_principal(const char *source) {
  return is_of(source, SMI_TRAFFIC_TARGET) || is_of(source, SMI_TRAFFIC_SPLIT);
}

/* Adds those that are principal, or those that are not. */
static int read_origins(struct task *task, const char *sources, bool principal) {
  for (const char *source = sources; *source; source += strcspn(source, ",")) {
    source += *source == ',';
    size_t length = strcspn(source, ",");
    if (length == 0 || is_principal(source) != principal)
      continue;
    struct origin *origin = origin_of(task->space, source, length);
    if (!origin)
      return -ENOMEM;
    origin->users++;
    task->origins[task->origin_count++] = origin;
  }
  return 0;
}

static size_t count_sources(const char *sources) {
  size_t count = 1;

  for (const char *c = sources; *c; c++)
    count += *c == ',';
  return count;
}

static bool is_among(struct origin *const *origins, size_t count, const struct origin *origin) {
  for (size_t i = 0; i < count; i++)
    if (origins[i] == origin)
      return true;
  return false;
}

/* Adds what it comes from to what it came from earlier. */
static int keep_origins(struct task *task) {
  struct origin **earlier = calloc(task->earlier_count + task->origin_count + 1, sizeof(*earlier));
  size_t count = task->earlier_count;

  if (!earlier)
    return -ENOMEM;
  for (size_t i = 0; i < count; i++)
    earlier[i] = task->earlier[i];
  for (size_t i = 0; i < task->origin_count; i++) {
    if (is_among(earlier, task->earlier_count, task->origins[i]))
      continue;
    earlier[count++] = task->origins[i];
    task->origins[i]->users++;
  }
  free(task->earlier);
  task->earlier = earlier;
  task->earlier_count = count;
  return 0;
}

void backlog_settle(struct task *task) {
  drop_origins(task->space, task->earlier, task->earlier_count);
  task->earlier = NULL;
  task->earlier_count = 0;
}

static int read_sources(struct task *task, const char *sources) {
  task->origin_count = 0;
  task->origins = calloc(count_sources(sources), sizeof(*task->origins));
  if (!task->origins)
    return -ENOMEM;
  int r = read_origins(task, sources, true);
  task->principal_count = task->origin_count;
  if (r == 0)
    r = read_origins(task, sources, false);
  if (r == 0 && task->principal_count == 0)
    task->principal_count = task->origin_count;
  return r;
}

int backlog_describe(struct task *task, unsigned wave, const char *sources, bool changes) {
  struct task described = *task;

  int r = read_sources(&described, sources);
  if (r == 0 && changes)
    r = keep_origins(task);
  if (r < 0) {
    drop_origins(task->space, described.origins, described.origin_count);
    return r;
  }
  if (!changes)
    backlog_settle(task);
  drop_origins(task->space, task->origins, task->origin_count);
  task->origins = described.origins;
  task->origin_count = described.origin_count;
  task->principal_count = described.principal_count;
  task->wave = wave < BACKLOG_WAVES ? wave : BACKLOG_WAVES - 1;
  return 0;
}

/* ---- what is to be done */

static struct tasks *queue_of(struct backlog *backlog, const struct task *task) {
  return task->work == BACKLOG_APPLY ? &backlog->applying[task->wave] : &backlog->removing[task->wave];
}

/* Of the first wave and for the namespace as a whole. */
static bool is_denial(const struct task *task) {
  return task->wave == 0 && task->origin_count == 0;
}

/* To be applied, and not there, or not tried: what denies cannot be counted on. One that is there, and that the server
 * refuses to change, still denies as it was. */
static bool is_lacking(const struct task *task) {
  return is_denial(task) && (!task->standing || task->failures == 0);
}

/* To be applied, there, and others own fields of it: it may deny less than it should. */
static bool is_altered(const struct task *task) {
  return is_denial(task) && task->standing && task->contested;
}

static void count_applying(const struct task *task, int by) {
  struct space *space = task->space;
  bool untried = task->failures == 0;

  space->applying += (size_t)by;
  space->trying += untried && task->busy ? (size_t)by : 0;
  space->lacking += is_lacking(task) ? (size_t)by : 0;
  space->altered += is_altered(task) ? (size_t)by : 0;
  if (task->content)
    task->content->applying += (size_t)by;
  for (size_t i = 0; i < task->principal_count; i++) {
    task->origins[i]->applying[task->wave] += (uint32_t)by;
    task->origins[i]->untried += untried ? (uint32_t)by : 0;
  }
}

/* Counts what a task has to do, by one up or down. */
static void count(const struct task *task, int by) {
  struct space *space = task->space;

  if (task->work == BACKLOG_NONE)
    return;
  if (task->work == BACKLOG_APPLY) {
    count_applying(task, by);
  } else {
    space->removing[task->wave] += (size_t)by;
    space->sourced += task->origin_count > 0 ? (size_t)by : 0;
  }
  if (!task->standing)
    return;
  space->standing[task->wave] += (size_t)by;
  for (size_t i = 0; i < task->origin_count; i++)
    task->origins[i]->standing[task->wave] += (uint32_t)by;
  for (size_t i = 0; i < task->earlier_count; i++)
    task->earlier[i]->standing[task->wave] += (uint32_t)by;
}

void backlog_put(struct backlog *backlog, struct task *task, enum backlog_work work, bool there) {
  count(task, -1);
  if (task->work != BACKLOG_NONE && !task->busy)
    TAILQ_REMOVE(queue_of(backlog, task), task, link);
  task->work = work;
  task->standing = there;
  count(task, 1);
  if (work != BACKLOG_NONE && !task->busy)
    TAILQ_INSERT_TAIL(queue_of(backlog, task), task, link);
}

void backlog_forgive(struct task *task) {
  task->failures = 0;
  task->contested = false;
  task->not_before_ns = 0;
}

/* ---- what comes first */

static bool is_any(const size_t *counts, unsigned from, unsigned to) {
  for (unsigned wave = from; wave < to; wave++)
    if (counts[wave] > 0)
      return true;
  return false;
}

/* Whether something of a lower wave that it needs is to be applied. */
static bool is_too_early(const struct task *task) {
  if (task->wave > 0 && task->space->lacking > 0)
    return true;
  for (size_t i = 0; i < task->origin_count; i++)
    for (unsigned wave = 0; wave < task->wave; wave++)
      if (task->origins[i]->applying[wave] > 0)
        return true;
  return false;
}

/* Whether something that may come in its place was not yet tried. Of other resources only what is under way can be:
 * before anything is removed, all that need not wait is begun. */
static bool is_trying(const struct task *task) {
  if (task->space->trying > 0)
    return true;
  for (size_t i = 0; i < task->principal_count; i++)
    if (task->origins[i]->untried > 0)
      return true;
  return false;
}

/* Whether something that is there may count on it. */
static bool is_counted_on(const struct task *task) {
  if (!is_any(task->space->standing, task->wave + 1, BACKLOG_WAVES))
    return false;
  for (size_t i = 0; i < task->principal_count; i++)
    for (unsigned wave = task->wave + 1; wave < BACKLOG_WAVES; wave++)
      if (task->origins[i]->standing[wave] > 0)
        return true;
  return false;
}

/* Whether what is to come in its place, and says the same, is not there yet. */
static bool is_to_be_replaced(const struct task *task) {
  return task->content && task->content->applying > 0;
}

static bool has_to_wait(const struct task *task) {
  const struct space *space = task->space;

  if (task->work == BACKLOG_APPLY)
    return is_too_early(task);
  if (task->origin_count == 0)
    return space->applying > 0 || space->sourced > 0 || is_any(space->removing, task->wave + 1, BACKLOG_WAVES);
  return space->lacking > 0 || space->altered > 0 || is_to_be_replaced(task) || is_trying(task) || is_counted_on(task);
}

static struct task *find_in(struct tasks *queue, int64_t now_ns, int64_t *wake_ns) {
  struct task *task;

  TAILQ_FOREACH(task, queue, link) {
    if (task->not_before_ns > now_ns) {
      *wake_ns = task->not_before_ns < *wake_ns ? task->not_before_ns : *wake_ns;
      continue;
    }
    if (!has_to_wait(task))
      return task;
  }
  return NULL;
}

struct task *backlog_find(struct backlog *backlog, int64_t now_ns, int64_t *wake_ns) {
  struct task *task = NULL;

  for (unsigned wave = 0; !task && wave < BACKLOG_WAVES; wave++)
    task = find_in(&backlog->applying[wave], now_ns, wake_ns);
  for (unsigned wave = BACKLOG_WAVES; !task && wave-- > 0;)
    task = find_in(&backlog->removing[wave], now_ns, wake_ns);
  return task;
}

/* ---- what is under way */

void backlog_begin(struct backlog *backlog, struct task *task) {
  TAILQ_REMOVE(queue_of(backlog, task), task, link);
  count(task, -1);
  task->busy = true;
  count(task, 1);
}

void backlog_end(struct backlog *backlog, struct task *task) {
  backlog_put(backlog, task, BACKLOG_NONE, false);
  task->busy = false;
}

static int64_t pause_of(unsigned failures) {
  int64_t pause_ns = BACKLOG_PAUSE_LEAST_NS;

  for (unsigned i = 1; i < failures && pause_ns < BACKLOG_PAUSE_MOST_NS; i++)
    pause_ns *= 2;
  return pause_ns < BACKLOG_PAUSE_MOST_NS ? pause_ns : BACKLOG_PAUSE_MOST_NS;
}

unsigned backlog_put_off(struct backlog *backlog, struct task *task, enum backlog_work work, bool there,
                         bool contested) {
  backlog_put(backlog, task, BACKLOG_NONE, false);
  task->failures++;
  task->contested = contested;
  task->not_before_ns = clock_in_ns(pause_of(task->failures));
  backlog_put(backlog, task, work, there);
  return task->failures;
}
