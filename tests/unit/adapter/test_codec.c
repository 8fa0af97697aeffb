/* The border: what is not a well-formed, bounded message never reaches protobuf-c or the SDK. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sdk/adapter/codec.h"
#include "trammel/adapter/v1/adapter.pb-c.h"

static int check(const char *bytes, size_t length) {
  return message_check(&trammel__adapter__v1__describe_response__descriptor, bytes, length, NULL);
}
#define CHECK(literal) check((literal), sizeof(literal) - 1)

static void well_formed_messages_pass(void **state) {
  (void)state;
  assert_int_equal(CHECK(""), 0);
  assert_int_equal(CHECK("\x0a\x02id"), 0);
  assert_int_equal(CHECK("\x0a\x04h\xc3\xa9!"), 0);
  assert_int_equal(CHECK("\x48\x01"), 0);
  assert_int_equal(CHECK("\x32\x04\x0a\x02hi"), 0);               /* smi: a message */
  assert_int_equal(CHECK("\xf8\x06\x01\x82\x07\x02\xff\xff"), 0); /* fields of a later version */
}

static void strings_are_utf8_without_nul(void **state) {
  (void)state;
  static const char *const bad[] = {"\x0a\x02\xc3\x28", "\x0a\x02\xc0\x80", "\x0a\x03\xed\xa0\x80", "\x0a\x01\xff",
                                    "\x32\x03\x0a\x01\xff"};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
    assert_int_equal(check(bad[i], strlen(bad[i])), -EPROTO);
  assert_int_equal(CHECK("\x0a\x03i\0d"), -EPROTO);
  assert_int_equal(CHECK("\x3a\x03i\0d"), 0); /* bytes may hold anything */
}

static void cut_off_messages_are_refused(void **state) {
  (void)state;
  static const char message[] = "\x0a\x05hello\x48\x01\x32\x04\x0a\x02hi";
  for (size_t n = 1; n < sizeof message - 1; n++)
    if (n != 7 && n != 9) /* the ends of fields */
      assert_int_equal(check(message, n), -EPROTO);
  assert_int_equal(CHECK("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), -EPROTO); /* a length beyond everything */
  assert_int_equal(CHECK("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), -EPROTO);
  assert_int_equal(CHECK("\x0b"), -EPROTO);     /* a group */
  assert_int_equal(CHECK("\x02\x00"), -EPROTO); /* field 0 */
}

/* Two bytes of a repeated empty message become a hundred: the budget is of memory. */
static void unpacking_keeps_to_its_budget(void **state) {
  (void)state;
  const size_t count = 100000;
  char *bytes = malloc(2 * count);
  assert_non_null(bytes);
  for (size_t i = 0; i < count; i++)
    memcpy(bytes + 2 * i, "\x32\x00", 2);
  ProtobufCMessage *message = NULL;
  const ProtobufCMessageDescriptor *type = &trammel__adapter__v1__describe_response__descriptor;
  assert_true(message_unpack(type, bytes, 2 * count, (size_t)1 << 20, &message, NULL) < 0);
  assert_null(message);
  struct arena *arena = arena_create((size_t)1 << 20);
  assert_true(message_unpack_arena(arena, type, bytes, 2 * count, &message, NULL) < 0);
  arena_destroy(arena);
  assert_int_equal(message_unpack(type, bytes, 2 * count, (size_t)64 << 20, &message, NULL), 0);
  protobuf_c_message_free_unpacked(message, NULL);
  free(bytes);
}

static void what_is_packed_unpacks(void **state) {
  (void)state;
  static char id[] = "reference";
  Trammel__Adapter__V1__DescribeResponse description = TRAMMEL__ADAPTER__V1__DESCRIBE_RESPONSE__INIT;
  description.adapter_id = id;
  uint8_t *bytes = NULL;
  size_t length = 0;
  ProtobufCMessage *message = NULL;
  assert_int_equal(message_pack(&description.base, &bytes, &length, NULL), 0);
  assert_int_equal(message_unpack(description.base.descriptor, bytes, length, 4096, &message, NULL), 0);
  assert_string_equal(((Trammel__Adapter__V1__DescribeResponse *)message)->adapter_id, id);
  protobuf_c_message_free_unpacked(message, NULL);
  free(bytes);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(well_formed_messages_pass),    cmocka_unit_test(strings_are_utf8_without_nul),
      cmocka_unit_test(cut_off_messages_are_refused), cmocka_unit_test(unpacking_keeps_to_its_budget),
      cmocka_unit_test(what_is_packed_unpacks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
