/* A tally as a message, and back, without loss: counts by their names, histograms as HdrHistogram has them, with their
 * true ends beside them. */
#include <errno.h>
#include <string.h>

#include "host/workers/wire.h"
#include "sdk/adapter/codec.h"
#include "sdk/base/arena.h"

#define PB(name) Trammel__Load__V1__##name

static const struct counter {
  const char *name;
  size_t offset;
} counters[] = {
#define COUNTER(name, member)                                                                                          \
  { name, offsetof(struct tally, member) }
    COUNTER("scheduled", scheduled),
    COUNTER("completed", completed),
    COUNTER("failed", failed),
    COUNTER("censored", censored),
    COUNTER("sentInTime", sent_in_time),
    COUNTER("endedInTime", ended_in_time),
    COUNTER("warmUp", warm_up),
    COUNTER("bytesRead", bytes_read),
    COUNTER("bytesWritten", bytes_written),
    COUNTER("messagesRead", messages_read),
    COUNTER("messagesWritten", messages_written),
    COUNTER("datagramsLate", datagrams.late),
    COUNTER("datagramsDuplicate", datagrams.duplicate),
    COUNTER("datagramsForeign", datagrams.foreign),
    COUNTER("connections", connections),
    COUNTER("oldestCensoredNs", oldest_censored_ns),
    COUNTER("processorNs", processor_ns),
    COUNTER("spunNs", spun_ns),
    COUNTER("elapsedNs", elapsed_ns),
};

static const struct counter histograms[] = {
    COUNTER("response", response), COUNTER("service", service),      COUNTER("lag", lag),
    COUNTER("wait", wait),         COUNTER("firstByte", first_byte), COUNTER("connecting", connecting),
    COUNTER("securing", securing),
#undef COUNTER
};

_Static_assert(sizeof(struct tally) ==
                   (ARRAY_COUNT(counters) + LOAD_ERROR_COUNT + TALLY_STATUS_MAX + GRPC_STATUS_COUNT) *
                           sizeof(uint64_t) +
                       ARRAY_COUNT(histograms) * sizeof(struct histogram *) + sizeof(struct timeline *),
               "what a tally has, a worker hands over");

/* All of these are eight bytes; times are never below 0. */
static uint64_t *count_at(const struct tally *tally, const struct counter *counter) {
  return (uint64_t *)((uintptr_t)tally + counter->offset);
}

static struct histogram *histogram_at(const struct tally *tally, const struct counter *counter) {
  return *(struct histogram *const *)((uintptr_t)tally + counter->offset);
}

/* ---- to a message */

/* Everything is in the arena, except the encoded histograms, which are the buffers'. */
struct writer {
  struct arena *arena;
  bool failed;
};

static void *room(struct writer *writer, size_t count, size_t size) {
  void *at = arena_alloc(writer->arena, count > 0 ? count * size : 1);
  writer->failed |= !at;
  return at;
}

static char *text(const char *borrowed) {
  return (char *)(uintptr_t)borrowed;
}

static void add_count(struct writer *writer, const char *name, uint64_t value, PB(Count) * *list, size_t *count) {
  PB(Count) *message = value > 0 ? room(writer, 1, sizeof(*message)) : NULL;
  if (!message)
    return;
  *message = (PB(Count))TRAMMEL__LOAD__V1__COUNT__INIT;
  message->name = text(name);
  message->value = value;
  list[(*count)++] = message;
}

static void add_status(struct writer *writer, unsigned status, uint64_t count_of, PB(Status) * *list, size_t *count) {
  PB(Status) *message = count_of > 0 ? room(writer, 1, sizeof(*message)) : NULL;
  if (!message)
    return;
  *message = (PB(Status))TRAMMEL__LOAD__V1__STATUS__INIT;
  message->status = status;
  message->count = count_of;
  list[(*count)++] = message;
}

static void add_histogram(struct writer *writer, const char *name, const struct histogram *histogram,
                          PB(Histogram) * *list, size_t *count) {
  _cleanup_strbuf_ struct strbuf encoded = STRBUF_INIT;
  PB(Histogram) *message = room(writer, 1, sizeof(*message));
  writer->failed |= histogram_encode(histogram, &encoded) < 0;
  if (writer->failed)
    return;
  *message = (PB(Histogram))TRAMMEL__LOAD__V1__HISTOGRAM__INIT;
  message->name = text(name);
  message->encoded = arena_strdup(writer->arena, strbuf_text(&encoded));
  writer->failed |= !message->encoded;
  message->min_ns = histogram_min(histogram);
  message->max_ns = histogram_max(histogram);
  list[(*count)++] = message;
}

static void write_counts(struct writer *writer, const struct tally *tally, PB(Result) * result) {
  result->counts = room(writer, ARRAY_COUNT(counters), sizeof(*result->counts));
  result->errors = room(writer, LOAD_ERROR_COUNT, sizeof(*result->errors));
  result->statuses = room(writer, TALLY_STATUS_MAX, sizeof(*result->statuses));
  result->grpc_statuses = room(writer, GRPC_STATUS_COUNT, sizeof(*result->grpc_statuses));
  if (writer->failed)
    return;
  for (size_t i = 0; i < ARRAY_COUNT(counters); i++)
    add_count(writer, counters[i].name, *count_at(tally, &counters[i]), result->counts, &result->n_counts);
  for (int i = 0; i < LOAD_ERROR_COUNT; i++)
    add_count(writer, load_error_name((enum load_error)i), tally->errors[i], result->errors, &result->n_errors);
  for (unsigned i = 0; i < TALLY_STATUS_MAX; i++)
    add_status(writer, i, tally->statuses[i], result->statuses, &result->n_statuses);
  for (unsigned i = 0; i < GRPC_STATUS_COUNT; i++)
    add_status(writer, i, tally->grpc_statuses[i], result->grpc_statuses, &result->n_grpc_statuses);
}

static void write_histograms(struct writer *writer, const struct tally *tally, PB(Result) * result) {
  size_t blocks = timeline_count(tally->timeline);
  _cleanup_(histogram_destroy_p) struct histogram *block = histogram_create();
  result->histograms = room(writer, ARRAY_COUNT(histograms), sizeof(*result->histograms));
  result->blocks = room(writer, blocks, sizeof(*result->blocks));
  result->block_seconds = (uint32_t)timeline_block_s(tally->timeline);
  writer->failed |= !block;
  for (size_t i = 0; !writer->failed && i < ARRAY_COUNT(histograms); i++)
    if (histogram_count(histogram_at(tally, &histograms[i])) > 0)
      add_histogram(writer, histograms[i].name, histogram_at(tally, &histograms[i]), result->histograms,
                    &result->n_histograms);
  for (size_t i = 0; !writer->failed && i < blocks; i++) {
    histogram_clear(block);
    timeline_read(tally->timeline, i, block);
    add_histogram(writer, "", block, result->blocks, &result->n_blocks);
  }
}

int wire_pack_result(const struct load_result *result, uint8_t **ret_data, size_t *ret_length) {
  _cleanup_arena_ struct arena *arena = arena_create(0);
  struct writer writer = {.arena = arena, .failed = !arena};
  PB(Result) message = TRAMMEL__LOAD__V1__RESULT__INIT;
  PB(FromWorker) whole = TRAMMEL__LOAD__V1__FROM_WORKER__INIT;
  message.begun_unix_ns = result->begun_ns;
  if (!writer.failed)
    write_counts(&writer, &result->tally, &message);
  if (!writer.failed)
    write_histograms(&writer, &result->tally, &message);
  if (writer.failed)
    return -ENOMEM;
  whole.body_case = TRAMMEL__LOAD__V1__FROM_WORKER__BODY_RESULT;
  whole.result = &message;
  return message_pack(&whole.base, ret_data, ret_length, NULL);
}

/* ---- from a message */

static int wrong(struct error **err, const char *what, const char *name) {
  return error_set(err, EPROTO, "its result does not add up: %s%.40s", what, name);
}

static const struct counter *find(const struct counter *table, size_t count, const char *name) {
  for (size_t i = 0; i < count; i++)
    if (strcmp(table[i].name, name) == 0)
      return &table[i];
  return NULL;
}

static int find_error(const char *name) {
  for (int i = 0; i < LOAD_ERROR_COUNT; i++)
    if (strcmp(load_error_name((enum load_error)i), name) == 0)
      return i;
  return -1;
}

static int take_counts(const PB(Result) * message, struct tally *tally, struct error **err) {
  for (size_t i = 0; i < message->n_counts; i++) {
    const struct counter *counter = find(counters, ARRAY_COUNT(counters), message->counts[i]->name);
    if (!counter || message->counts[i]->value > INT64_MAX / LOAD_WORKERS_MAX)
      return wrong(err, "counts, ", message->counts[i]->name);
    *count_at(tally, counter) = message->counts[i]->value;
  }
  for (size_t i = 0; i < message->n_errors; i++) {
    int error = find_error(message->errors[i]->name);
    if (error < 0)
      return wrong(err, "errors, ", message->errors[i]->name);
    tally->errors[error] = message->errors[i]->value;
  }
  return 0;
}

static int take_statuses(PB(Status) * *from, size_t count, uint64_t *to, size_t most, struct error **err) {
  for (size_t i = 0; i < count; i++) {
    if (from[i]->status >= most)
      return wrong(err, "statuses", "");
    to[from[i]->status] = from[i]->count;
  }
  return 0;
}

static int take_histogram(const PB(Histogram) * from, struct histogram *to, struct error **err) {
  _cleanup_error_ struct error *why = NULL;
  if (histogram_count(to) > 0)
    return wrong(err, "a histogram comes twice, ", from->name);
  int r = histogram_decode(to, from->encoded, strlen(from->encoded), &why);
  if (r == -ENOMEM)
    return error_set(err, ENOMEM, "no memory for a histogram");
  return r < 0 || histogram_bound(to, from->min_ns, from->max_ns) < 0 ? wrong(err, "a histogram, ", from->name) : 0;
}

static int take_histograms(const PB(Result) * message, struct tally *tally, struct error **err) {
  _cleanup_(histogram_destroy_p) struct histogram *block = histogram_create();
  int r = block ? 0 : error_set(err, ENOMEM, "no memory for a histogram");
  for (size_t i = 0; r == 0 && i < message->n_histograms; i++) {
    const struct counter *counter = find(histograms, ARRAY_COUNT(histograms), message->histograms[i]->name);
    r = counter ? take_histogram(message->histograms[i], histogram_at(tally, counter), err)
                : wrong(err, "histograms, ", message->histograms[i]->name);
  }
  for (size_t i = 0; r == 0 && i < message->n_blocks; i++) {
    histogram_clear(block);
    r = take_histogram(message->blocks[i], block, err);
    if (r == 0 && timeline_put(tally->timeline, message->block_seconds, block) < 0)
      r = wrong(err, "blocks of time", "");
  }
  return r;
}

static uint64_t sum(const uint64_t *values, size_t count) {
  uint64_t all = 0;
  for (size_t i = 0; i < count; i++)
    all += values[i];
  return all;
}

static int check_sums(const struct tally *tally, struct error **err) {
  if (tally->scheduled != tally->completed + tally->failed + tally->censored)
    return wrong(err, "scheduled is not completed and failed and censored", "");
  if (tally->failed != sum(tally->errors, LOAD_ERROR_COUNT))
    return wrong(err, "failed is not the sum of the errors", "");
  if (histogram_count(tally->response) != tally->completed || histogram_count(tally->service) != tally->completed)
    return wrong(err, "other times than answers", "");
  uint64_t in_blocks = 0;
  _cleanup_(histogram_destroy_p) struct histogram *block = histogram_create();
  for (size_t i = 0; block && i < timeline_count(tally->timeline); i++) {
    histogram_clear(block);
    timeline_read(tally->timeline, i, block);
    in_blocks += histogram_count(block);
  }
  return in_blocks == tally->completed ? 0 : wrong(err, "other blocks of time than answers", "");
}

int wire_take_result(const PB(Result) * message, struct tally *ret_tally, int64_t *ret_begun_ns, struct error **err) {
  struct tally tally;
  int r = tally_init(&tally, err);
  if (r == 0)
    r = take_counts(message, &tally, err);
  if (r == 0)
    r = take_statuses(message->statuses, message->n_statuses, tally.statuses, TALLY_STATUS_MAX, err);
  if (r == 0)
    r = take_statuses(message->grpc_statuses, message->n_grpc_statuses, tally.grpc_statuses, GRPC_STATUS_COUNT, err);
  if (r == 0)
    r = take_histograms(message, &tally, err);
  if (r == 0)
    r = check_sums(&tally, err);
  if (r < 0) {
    tally_finish(&tally);
    return r;
  }
  *ret_tally = tally;
  *ret_begun_ns = message->begun_unix_ns;
  return 0;
}
