#include "plugins/reference/mesh/metrics.h"

#include <stdlib.h>
#include <string.h>

#include "plugins/reference/mesh/limits.h"
#include "sdk/base/memory.h"

enum {
  BUCKETS = 16384, /* of the hash table: as many as there are series at most */
  DOUBLED = 10,    /* FAULT_METRICS_OFF_BY_ONE: of as many requests one counts twice */
};

/* A series with what it owns, in the list of its hash bucket. */
struct entry {
  struct series series; /* first: pointers to it are pointers to the entry */
  struct entry *next;
  char texts[]; /* what the key points to */
};

struct metrics {
  struct entry **entries;
  size_t count, capacity;
  struct entry *buckets[BUCKETS];
  uint64_t generation;
  struct fault_set faults;
};

_Static_assert((int)BUCKETS >= (int)LIMIT_SERIES, "a look-up takes about one step");

void totals_add(struct totals *sum, const struct totals *totals) {
  sum->requests += totals->requests;
  sum->failures += totals->failures;
  histogram_merge(&sum->latency, &totals->latency);
}

struct metrics *metrics_create(struct fault_set faults) {
  struct metrics *metrics = calloc(1, sizeof *metrics);
  if (metrics)
    metrics->faults = faults;
  return metrics;
}

void metrics_destroy(struct metrics *metrics) {
  if (!metrics)
    return;
  for (size_t i = 0; i < metrics->count; i++)
    free(metrics->entries[i]);
  free(metrics->entries);
  free(metrics);
}

/* ---- keys */

enum { KEY_TEXTS = 8 };

/* The texts of a key in a fixed order. */
static void key_texts(const struct series_key *key, const char *texts[static KEY_TEXTS]) {
  texts[0] = key->source.namespace;
  texts[1] = key->source.name;
  texts[2] = key->destination.namespace;
  texts[3] = key->destination.name;
  texts[4] = key->service.namespace;
  texts[5] = key->service.name;
  texts[6] = key->split;
  texts[7] = key->backend;
}

/* FNV-1a over all texts with their ends. */
static struct entry **bucket_of(struct metrics *metrics, const struct series_key *key) {
  const char *texts[KEY_TEXTS];
  uint32_t hash = 2166136261u ^ key->client;
  key_texts(key, texts);
  for (size_t i = 0; i < KEY_TEXTS; i++) {
    const char *at = texts[i];
    do
      hash = (hash ^ (unsigned char)*at) * 16777619u;
    while (*at++);
  }
  return &metrics->buckets[(hash ^ hash >> 16) % BUCKETS];
}

static bool key_equal(const struct series_key *a, const struct series_key *b) {
  const char *left[KEY_TEXTS], *right[KEY_TEXTS];
  bool equal = a->client == b->client;
  key_texts(a, left);
  key_texts(b, right);
  for (size_t i = 0; equal && i < KEY_TEXTS; i++)
    equal = strcmp(left[i], right[i]) == 0;
  return equal;
}

/* ---- series */

static struct entry *entry_create(const struct series_key *key) {
  const char *texts[KEY_TEXTS];
  size_t size = 0;
  key_texts(key, texts);
  for (size_t i = 0; i < KEY_TEXTS; i++)
    size += strlen(texts[i]) + 1;
  struct entry *entry = calloc(1, sizeof *entry + size);
  if (!entry)
    return NULL;
  char *at = entry->texts;
  for (size_t i = 0; i < KEY_TEXTS; i++) {
    size_t length = strlen(texts[i]) + 1;
    texts[i] = memcpy(at, texts[i], length);
    at += length;
  }
  entry->series.key = (struct series_key){.client = key->client,
                                          .source = {texts[0], texts[1]},
                                          .destination = {texts[2], texts[3]},
                                          .service = {texts[4], texts[5]},
                                          .split = texts[6],
                                          .backend = texts[7]};
  return entry;
}

static void bucket_add(struct metrics *metrics, struct entry *entry) {
  struct entry **bucket = bucket_of(metrics, &entry->series.key);
  entry->next = *bucket;
  *bucket = entry;
}

struct series *metrics_series(struct metrics *metrics, const struct series_key *key) {
  for (struct entry *entry = *bucket_of(metrics, key); entry; entry = entry->next)
    if (key_equal(&entry->series.key, key))
      return &entry->series;
  if (metrics->count >= LIMIT_SERIES ||
      array_reserve((void **)&metrics->entries, &metrics->capacity, metrics->count, sizeof(struct entry *)) < 0)
    return NULL;
  struct entry *entry = entry_create(key);
  if (!entry)
    return NULL;
  metrics->entries[metrics->count++] = entry;
  bucket_add(metrics, entry);
  return &entry->series;
}

uint64_t metrics_generation(const struct metrics *metrics) {
  return metrics->generation;
}

void metrics_count(const struct metrics *metrics, struct series *series, unsigned status, int64_t latency_ns) {
  struct totals *totals = &series->totals;
  bool failed = status == 0 || status >= 500;
  if (fault_on(metrics->faults, FAULT_METRICS_SUCCESS_INVERTED))
    failed = !failed;
  totals->requests++;
  totals->failures += failed;
  histogram_add(&totals->latency, latency_ns);
  if (fault_on(metrics->faults, FAULT_METRICS_OFF_BY_ONE) && totals->latency.total % DOUBLED == 0)
    totals->requests++;
}

static bool is_workload(const struct workload_name *a, const struct workload_name *b) {
  return strcmp(a->namespace, b->namespace) == 0 && strcmp(a->name, b->name) == 0;
}

void metrics_forget(struct metrics *metrics, const struct workload_name *workload) {
  size_t kept = 0;
  memset(metrics->buckets, 0, sizeof metrics->buckets);
  for (size_t i = 0; i < metrics->count; i++) {
    struct entry *entry = metrics->entries[i];
    if (is_workload(&entry->series.key.source, workload) || is_workload(&entry->series.key.destination, workload)) {
      free(entry);
      continue;
    }
    metrics->entries[kept++] = entry;
    bucket_add(metrics, entry);
  }
  metrics->count = kept;
  metrics->generation++;
}

size_t metrics_size(const struct metrics *metrics) {
  return metrics->count;
}

const struct series *metrics_at(const struct metrics *metrics, size_t i) {
  return &metrics->entries[i]->series;
}
