/* What goes between a host and a worker: an assignment as it was meant, and a result without loss; or no result. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "host/workers/wire.h"
#include "sdk/adapter/codec.h"
#include "sdk/base/chance.h"
#include "sdk/base/clock.h"
#include "sdk/base/memory.h"

#define PB(name) Trammel__Load__V1__##name

/* ---- assignments */

static void an_assignment_arrives_as_it_was_meant(void **state) {
  static const char *const headers[] = {"x-a: 1", "x-b: 2"};
  const struct target_options target = {
      .url = "https://h.test/p?q",
      .method = "PUT",
      .headers = headers,
      .header_count = 2,
      .body = "a\0b",
      .body_length = 3,
      .fresh = true,
      .http2 = true,
      .streams = 7,
      .tls = {.trust_file = "t", .certificate_file = "c", .key_file = "k", .server_name = "n", .insecure = true},
      .grpc = "p.S/M",
      .grpc_messages = 3,
      .grpc_health = ""};
  const struct load_options load = {.schedule = {.kind = SCHEDULE_SINE,
                                                 .rate = 100.25,
                                                 .rate_end = 1,
                                                 .rate_step = -2,
                                                 .rate_swing = 3.5,
                                                 .period_ns = 4,
                                                 .duration_ns = 5,
                                                 .seed = UINT64_MAX},
                                    .threads = 6,
                                    .connections = 77,
                                    .share = {.worker = 2, .workers = 5},
                                    .warm_up_ns = 8,
                                    .connect_timeout_ns = 9,
                                    .timeout_ns = 10,
                                    .drain_ns = 11};
  struct wire_assignment assignment;
  const char *room[TARGET_HEADERS_MAX];
  struct target_options got;
  struct load_options got_load;
  _cleanup_free_ uint8_t *data = NULL;
  size_t length = 0;
  ProtobufCMessage *message = NULL;
  (void)state;
  wire_assign(&target, &load, &assignment);
  assert_int_equal(message_pack(&assignment.message.base, &data, &length, NULL), 0);
  assert_int_equal(message_unpack(&trammel__load__v1__assignment__descriptor, data, length, 1 << 20, &message, NULL),
                   0);
  assert_int_equal(wire_take_assignment((PB(Assignment) *)message, room, &got, &got_load, NULL), 0);
  assert_string_equal(got.url, target.url);
  assert_string_equal(got.method, "PUT");
  assert_int_equal(got.header_count, 2);
  assert_string_equal(got.headers[1], "x-b: 2");
  assert_int_equal(got.body_length, 3);
  assert_memory_equal(got.body, "a\0b", 3);
  assert_true(got.fresh && got.http2 && got.tls.insecure);
  assert_int_equal(got.streams, 7);
  assert_string_equal(got.tls.trust_file, "t");
  assert_string_equal(got.tls.certificate_file, "c");
  assert_string_equal(got.tls.key_file, "k");
  assert_string_equal(got.tls.server_name, "n");
  assert_string_equal(got.grpc, "p.S/M");
  assert_int_equal(got.grpc_messages, 3);
  assert_string_equal(got.grpc_health, "");
  assert_int_equal(got_load.schedule.kind, SCHEDULE_SINE);
  assert_true(got_load.schedule.rate == 100.25 && got_load.schedule.rate_end == 1 &&
              got_load.schedule.rate_step == -2 && got_load.schedule.rate_swing == 3.5);
  assert_true(got_load.schedule.period_ns == 4 && got_load.schedule.duration_ns == 5 &&
              got_load.schedule.seed == UINT64_MAX);
  assert_true(got_load.threads == 6 && got_load.connections == 77 && got_load.share.worker == 2 &&
              got_load.share.workers == 5);
  assert_true(got_load.warm_up_ns == 8 && got_load.connect_timeout_ns == 9 && got_load.timeout_ns == 10 &&
              got_load.drain_ns == 11);
  protobuf_c_message_free_unpacked(message, NULL);
}

static void what_is_left_out_stays_out(void **state) {
  const struct target_options target = {.url = "http://h.test/"};
  const struct load_options load = {.schedule = {.kind = SCHEDULE_CLOSED}};
  struct wire_assignment assignment;
  const char *room[TARGET_HEADERS_MAX];
  struct target_options got;
  struct load_options got_load;
  (void)state;
  wire_assign(&target, &load, &assignment);
  assert_int_equal(wire_take_assignment(&assignment.message, room, &got, &got_load, NULL), 0);
  assert_null(got.method);
  assert_null(got.body);
  assert_null(got.grpc);
  assert_null(got.grpc_health);
  assert_null(got.tls.trust_file);
  assignment.load.schedule = (char[]){"moon"};
  assert_int_equal(wire_take_assignment(&assignment.message, room, &got, &got_load, NULL), -EINVAL);
  assignment.load.schedule = (char[]){"closed"};
  assignment.load.drain_ns = -1;
  assert_int_equal(wire_take_assignment(&assignment.message, room, &got, &got_load, NULL), -EINVAL);
  assignment.message.load = NULL;
  assert_int_equal(wire_take_assignment(&assignment.message, room, &got, &got_load, NULL), -EINVAL);
}

/* ---- results */

/* As of a run: `seconds` long, with answers, errors and what was left. */
static void fill(struct tally *tally, uint64_t seed, int seconds) {
  struct chance chance = {.state = seed};
  assert_int_equal(tally_init(tally, NULL), 0);
  for (int i = 0; i < 200 * seconds; i++) {
    int64_t value = (int64_t)(chance_next(&chance) % 50000000);
    histogram_record(tally->response, value);
    histogram_record(tally->service, value / 2);
    histogram_record(tally->wait, value - value / 2);
    histogram_record(tally->lag, value / 100);
    histogram_record(tally->first_byte, value / 3);
    timeline_record(tally->timeline, (int64_t)i * NS_PER_SECOND / 200, value);
    tally->statuses[i % 7 == 0 ? 503 : 200]++;
    tally->completed++;
  }
  timeline_end(tally->timeline);
  histogram_record(tally->connecting, (int64_t)seed);
  tally->errors[LOAD_ERROR_TIMEOUT] = 3;
  tally->errors[LOAD_ERROR_RESET] = seed;
  tally->failed = 3 + seed;
  tally->censored = 2;
  tally->scheduled = tally->completed + tally->failed + tally->censored;
  tally->sent_in_time = 11;
  tally->ended_in_time = 12;
  tally->grpc_statuses[GRPC_STATUS_COUNT - 1] = 13;
  tally->warm_up = 14;
  tally->bytes_read = 15;
  tally->bytes_written = 16;
  tally->messages_read = 17;
  tally->messages_written = 18;
  tally->datagrams.late = 19;
  tally->datagrams.duplicate = 20;
  tally->datagrams.foreign = 21;
  tally->connections = 22;
  tally->oldest_censored_ns = 23;
  tally->processor_ns = 24;
  tally->spun_ns = 25;
  tally->elapsed_ns = 26 + (int64_t)seed;
}

static PB(FromWorker) * pass(const struct tally *tally) {
  const struct load_result result = {.tally = *tally, .begun_ns = 1234567890123456789};
  _cleanup_free_ uint8_t *data = NULL;
  size_t length = 0;
  ProtobufCMessage *message = NULL;
  assert_int_equal(wire_pack_result(&result, &data, &length), 0);
  assert_int_equal(message_unpack(&trammel__load__v1__from_worker__descriptor, data, length, 64 << 20, &message, NULL),
                   0);
  return (PB(FromWorker) *)message;
}

static void take_over(const struct tally *from, struct tally *ret_tally) {
  PB(FromWorker) *message = pass(from);
  int64_t begun_ns = 0;
  _cleanup_error_ struct error *err = NULL;
  assert_int_equal(message->body_case, TRAMMEL__LOAD__V1__FROM_WORKER__BODY_RESULT);
  if (wire_take_result(message->result, ret_tally, &begun_ns, &err) < 0)
    fail_msg("%s", error_message(err));
  assert_true(begun_ns == 1234567890123456789);
  protobuf_c_message_free_unpacked(&message->base, NULL);
}

static void assert_same_histogram(const struct histogram *a, const struct histogram *b) {
  _cleanup_strbuf_ struct strbuf text_a = STRBUF_INIT, text_b = STRBUF_INIT;
  assert_int_equal(histogram_encode(a, &text_a), 0);
  assert_int_equal(histogram_encode(b, &text_b), 0);
  assert_string_equal(strbuf_text(&text_a), strbuf_text(&text_b));
  assert_true(histogram_min(a) == histogram_min(b) && histogram_max(a) == histogram_max(b));
}

static void assert_same(const struct tally *a, const struct tally *b) {
  _cleanup_(histogram_destroy_p) struct histogram *x = histogram_create(), *y = histogram_create();
  assert_memory_equal(a, b, offsetof(struct tally, response)); /* all counts */
  assert_same_histogram(a->response, b->response);
  assert_same_histogram(a->service, b->service);
  assert_same_histogram(a->lag, b->lag);
  assert_same_histogram(a->wait, b->wait);
  assert_same_histogram(a->first_byte, b->first_byte);
  assert_same_histogram(a->connecting, b->connecting);
  assert_same_histogram(a->securing, b->securing);
  assert_int_equal(timeline_block_s(a->timeline), timeline_block_s(b->timeline));
  assert_int_equal(timeline_count(a->timeline), timeline_count(b->timeline));
  for (size_t i = 0; i < timeline_count(a->timeline); i++) {
    histogram_clear(x);
    histogram_clear(y);
    timeline_read(a->timeline, i, x);
    timeline_read(b->timeline, i, y);
    assert_same_histogram(x, y);
  }
}

/* What is added up of what workers hand over is, count for count, what threads of one program add up. */
static void a_sum_by_workers_is_that_of_one_program(void **state) {
  static const int seconds[] = {3, 600, 1}; /* the second one's blocks are longer than one second */
  struct tally mine, theirs;
  (void)state;
  assert_int_equal(tally_init(&mine, NULL), 0);
  assert_int_equal(tally_init(&theirs, NULL), 0);
  for (size_t i = 0; i < ARRAY_COUNT(seconds); i++) {
    struct tally part, passed;
    fill(&part, i + 1, seconds[i]);
    take_over(&part, &passed);
    assert_same(&part, &passed);
    tally_add(&mine, &part);
    tally_add(&theirs, &passed);
    tally_finish(&part);
    tally_finish(&passed);
  }
  assert_same(&mine, &theirs);
  assert_true(mine.completed == 200 * 604);
  tally_finish(&mine);
  tally_finish(&theirs);
}

static void an_empty_result_is_one(void **state) {
  struct tally none, passed;
  (void)state;
  assert_int_equal(tally_init(&none, NULL), 0);
  take_over(&none, &passed);
  assert_same(&none, &passed);
  tally_finish(&none);
  tally_finish(&passed);
}

static void refuse(PB(Result) * result) {
  struct tally tally;
  int64_t begun_ns;
  _cleanup_error_ struct error *err = NULL;
  assert_int_equal(wire_take_result(result, &tally, &begun_ns, &err), -EPROTO);
  assert_non_null(strstr(error_message(err), "does not add up"));
}

static void what_does_not_add_up_is_no_result(void **state) {
  struct tally tally;
  (void)state;
  fill(&tally, 5, 3);
  PB(FromWorker) *message = pass(&tally);
  PB(Result) *result = message->result;
  result->counts[0]->value++;
  refuse(result);
  result->counts[0]->value--;
  result->errors[0]->value++;
  refuse(result);
  result->errors[0]->value--;
  result->statuses[0]->status = TALLY_STATUS_MAX;
  refuse(result);
  result->statuses[0]->status = 200;
  result->n_blocks--;
  refuse(result);
  result->n_blocks++;
  result->block_seconds = 3;
  refuse(result);
  result->block_seconds = 1;
  result->histograms[0]->max_ns *= 2;
  refuse(result);
  result->histograms[0]->max_ns /= 2;
  result->histograms[0]->encoded[9] ^= 1;
  refuse(result);
  result->histograms[0]->encoded[9] ^= 1;
  struct tally passed;
  int64_t begun_ns;
  assert_int_equal(wire_take_result(result, &passed, &begun_ns, NULL), 0);
  tally_finish(&passed);
  protobuf_c_message_free_unpacked(&message->base, NULL);
  tally_finish(&tally);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_assignment_arrives_as_it_was_meant),   cmocka_unit_test(what_is_left_out_stays_out),
      cmocka_unit_test(a_sum_by_workers_is_that_of_one_program), cmocka_unit_test(an_empty_result_is_one),
      cmocka_unit_test(what_does_not_add_up_is_no_result),
  };
  return cmocka_run_group_tests_name("worker_wire", tests, NULL, NULL);
}
