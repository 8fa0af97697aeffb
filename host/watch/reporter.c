#include "host/watch/reporter.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "host/transport/kube/limiter.h"
#include "host/watch/condition.h"
#include "host/watch/table.h"
#include "sdk/base/clock.h"
#include "sdk/base/strbuf.h"

#define WAIT_NS (200 * NS_PER_MS)
#define TIMEOUT_NS (10 * NS_PER_SECOND)
#define NAME_KEPT 200 /* of a resource's name, in that of an Event */

struct queued {
  struct queued *next;
  char *kind, *ns, *name, *api_version, *uid, *reason, *message;
  bool warning;
};

struct reporter {
  struct reporter_options options;
  int64_t say_ns; /* not before */
  size_t unsaid;  /* Events that were not written since it was said */
  pthread_t thread;
  pthread_mutex_t lock;
  pthread_cond_t filled;
  struct queued *first, **end;
  size_t count;
};

static void queued_free(struct queued *queued) {
  free(queued->kind);
  free(queued->ns);
  free(queued->name);
  free(queued->api_version);
  free(queued->uid);
  free(queued->reason);
  free(queued->message);
  free(queued);
}

/* Cut where a character ends. */
static char *message_of(const char *text) {
  size_t length = strnlen(text, REPORTER_MESSAGE_MAX);

  while (text[length] && length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80)
    length--;
  return strndup(text, length);
}

static struct queued *copy(const struct report *report) {
  struct queued *queued = calloc(1, sizeof(*queued));
  const char *ns = strchr(report->key, '/'), *name = ns ? strchr(ns + 1, '/') : NULL;

  if (!queued || !name) {
    free(queued);
    return NULL;
  }
  queued->kind = strndup(report->key, (size_t)(ns - report->key));
  queued->ns = strndup(ns + 1, (size_t)(name - ns - 1));
  queued->name = strdup(name + 1);
  queued->api_version = strdup(report->api_version ? report->api_version : "");
  queued->uid = report->uid ? strdup(report->uid) : NULL;
  queued->reason = strdup(report->reason);
  queued->message = message_of(report->message);
  queued->warning = report->warning;
  if (queued->kind && queued->ns && queued->name && queued->api_version && queued->reason && queued->message)
    return queued;
  queued_free(queued);
  return NULL;
}

void reporter_tell(struct reporter *reporter, const struct report *report) {
  struct queued *queued = copy(report);

  if (!queued)
    return;
  (void)pthread_mutex_lock(&reporter->lock);
  bool room = reporter->count < REPORTER_QUEUE_MAX;
  if (room) {
    *reporter->end = queued;
    reporter->end = &queued->next;
    reporter->count++;
    (void)pthread_cond_signal(&reporter->filled);
  }
  (void)pthread_mutex_unlock(&reporter->lock);
  if (!room)
    queued_free(queued);
}

/* ---- Events */

/* The same name for the same thing; a name has no '-' or '.' beside a '.'. */
static void write_name(const struct queued *queued, char *name, size_t size) {
  uint64_t hash = table_hash(TABLE_HASH_START, queued->kind);
  size_t kept = strnlen(queued->name, NAME_KEPT);

  while (kept > 0 && (queued->name[kept - 1] == '-' || queued->name[kept - 1] == '.'))
    kept--;
  hash = table_hash(hash, queued->uid ? queued->uid : "");
  hash = table_hash(table_hash(hash, queued->reason), queued->message);
  (void)snprintf(name, size, "%.*s.%016llx", (int)kept, queued->name, (unsigned long long)hash);
}

static json_t *event_of(const struct queued *queued, const char *name, const char *manager) {
  char now[32];
  time_t seconds = (time_t)clock_realtime_s();
  struct tm utc;

  (void)strftime(now, sizeof(now), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&seconds, &utc));
  return json_pack("{s:s, s:s, s:{s:s, s:s}, s:{s:s, s:s, s:s, s:s, s:s*}, s:s, s:s, s:s, s:{s:s}, s:s, s:i}",
                   "apiVersion", "v1", "kind", "Event", "metadata", "name", name, "namespace", queued->ns,
                   "involvedObject", "apiVersion", queued->api_version, "kind", queued->kind, "namespace", queued->ns,
                   "name", queued->name, "uid", queued->uid, "type", queued->warning ? "Warning" : "Normal", "reason",
                   queued->reason, "message", queued->message, "source", "component", manager, "lastTimestamp", now,
                   "count", 1);
}

/* Those who should read an Event do not see that it is not there. */
static void say(struct reporter *reporter, const struct queued *queued, const char *why) {
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

  reporter->unsaid++;
  if (clock_monotonic_ns() < reporter->say_ns)
    return;
  strbuf_printf(&text, "Event %s on %s %s/%s could not be written: %s", queued->reason, queued->kind, queued->ns,
                queued->name, why);
  if (reporter->unsaid > 1)
    strbuf_printf(&text, " (and %zu before it)", reporter->unsaid - 1);
  reporter->options.said(reporter->options.ctx, strbuf_text(&text));
  reporter->unsaid = 0;
  reporter->say_ns = clock_in_ns(REPORTER_SAID_EVERY_NS);
}

static void tell(struct reporter *reporter, const struct queued *queued) {
  static const struct kube_resource events = {
      .group = "", .version = "v1", .kind = "Event", .plural = "events", .namespaced = true};
  const struct reporter_options *options = &reporter->options;
  const struct kube_call call = {.deadline_ns = clock_in_ns(TIMEOUT_NS), .cancel = options->cancel};
  const struct kube_apply_options applying = {.field_manager = options->manager};
  _cleanup_error_ struct error *why = NULL;
  char name[NAME_KEPT + 32];

  write_name(queued, name, sizeof(name));
  json_auto_t *event = event_of(queued, name, options->manager);
  const struct kube_ref ref = {.resource = &events, .namespace_ = queued->ns, .name = name};
  int r = event ? kube_apply(cluster_client(options->cluster), &ref, event, &applying, &call, NULL, &why)
                : error_set(&why, ENOMEM, "out of memory");
  if (r == 0)
    atomic_fetch_add(&options->counters->events, 1);
  else if (!atomic_load(options->cancel))
    say(reporter, queued, error_message(why));
}

static struct queued *next(struct reporter *reporter) {
  int64_t deadline_ns = clock_in_ns(WAIT_NS);

  (void)pthread_mutex_lock(&reporter->lock);
  while (!reporter->first && condition_wait(&reporter->lock, &reporter->filled, deadline_ns))
    ;
  struct queued *queued = reporter->first;
  if (queued) {
    reporter->first = queued->next;
    if (!reporter->first)
      reporter->end = &reporter->first;
    reporter->count--;
  }
  (void)pthread_mutex_unlock(&reporter->lock);
  return queued;
}

static void *run(void *ctx) {
  struct reporter *reporter = ctx;

  while (!atomic_load(reporter->options.cancel)) {
    struct queued *queued = next(reporter);
    if (!queued)
      continue;
    if (atomic_load(&reporter->options.counters->leading)) {
      tell(reporter, queued);
      (void)limiter_wait(NS_PER_SECOND / REPORTER_PER_SECOND, reporter->options.cancel);
    }
    queued_free(queued);
  }
  return NULL;
}

int reporter_start(const struct reporter_options *options, struct reporter **ret_reporter, struct error **err) {
  struct reporter *reporter = calloc(1, sizeof(*reporter));

  if (!reporter)
    return error_set(err, ENOMEM, "out of memory for Events");
  *reporter = (struct reporter){.options = *options, .end = &reporter->first};
  int r = condition_init(&reporter->lock, &reporter->filled, err);
  if (r == 0 && pthread_create(&reporter->thread, NULL, run, reporter) != 0) {
    condition_finish(&reporter->lock, &reporter->filled);
    r = error_set(err, EAGAIN, "no thread for Events");
  }
  if (r < 0)
    free(reporter);
  else
    *ret_reporter = reporter;
  return r;
}

void reporter_join(struct reporter *reporter) {
  if (!reporter)
    return;
  (void)pthread_join(reporter->thread, NULL);
  for (struct queued *queued = reporter->first, *following; queued; queued = following) {
    following = queued->next;
    queued_free(queued);
  }
  condition_finish(&reporter->lock, &reporter->filled);
  free(reporter);
}
