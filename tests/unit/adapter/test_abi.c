/* The layout of every table and the value of every constant, as released: a change here is a new ABI.
 * tests/abi/members.sh sees that nothing of the header is left out. Also that TRAMMEL_HAS reads only what is there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "trammel/abi.h"

#define AT(type, field, offset) _Static_assert(offsetof(type, field) == (offset), #type "." #field)
#define SIZE(type, size) _Static_assert(sizeof(type) == (size), #type)
#define VALUE(name, value) _Static_assert((name) == (value), #name)

SIZE(trammel_str, 16);
AT(trammel_str, p, 0);
AT(trammel_str, n, 8);

SIZE(trammel_head, 16);
AT(trammel_head, size, 0);
AT(trammel_head, abi_major, 4);
AT(trammel_head, abi_minor, 8);
AT(trammel_head, flags, 12);

SIZE(trammel_diagnostic, 128);
AT(trammel_diagnostic, size, 0);
AT(trammel_diagnostic, severity, 4);
AT(trammel_diagnostic, flags, 8);
AT(trammel_diagnostic, reserved, 12);
AT(trammel_diagnostic, code, 16);
AT(trammel_diagnostic, resource, 32);
AT(trammel_diagnostic, pointer, 48);
AT(trammel_diagnostic, summary, 64);
AT(trammel_diagnostic, detail, 80);
AT(trammel_diagnostic, cause, 96);
AT(trammel_diagnostic, remedy, 112);

SIZE(trammel_host, 32);
AT(trammel_host, head, 0);
AT(trammel_host, ctx, 16);
AT(trammel_host, get, 24);

SIZE(trammel_op_api, 56);
AT(trammel_op_api, head, 0);
AT(trammel_op_api, cancelled, 16);
AT(trammel_op_api, cancel_fd, 24);
AT(trammel_op_api, deadline_ns, 32);
AT(trammel_op_api, emit, 40);
AT(trammel_op_api, diagnose, 48);

SIZE(trammel_log_api, 24);
AT(trammel_log_api, head, 0);
AT(trammel_log_api, write, 16);

SIZE(trammel_http_header, 32);
AT(trammel_http_header, name, 0);
AT(trammel_http_header, value, 16);

SIZE(trammel_http_request, 80);
AT(trammel_http_request, size, 0);
AT(trammel_http_request, header_count, 4);
AT(trammel_http_request, endpoint, 8);
AT(trammel_http_request, method, 24);
AT(trammel_http_request, path, 40);
AT(trammel_http_request, headers, 56);
AT(trammel_http_request, body, 64);

SIZE(trammel_http_response, 40);
AT(trammel_http_response, size, 0);
AT(trammel_http_response, status, 4);
AT(trammel_http_response, content_type, 8);
AT(trammel_http_response, body, 24);

SIZE(trammel_http_api, 24);
AT(trammel_http_api, head, 0);
AT(trammel_http_api, request, 16);

SIZE(trammel_adapter, 80);
AT(trammel_adapter, head, 0);
AT(trammel_adapter, id, 16);
AT(trammel_adapter, version, 32);
AT(trammel_adapter, create, 48);
AT(trammel_adapter, call, 56);
AT(trammel_adapter, get, 64);
AT(trammel_adapter, destroy, 72);

SIZE(trammel_note, 112);
AT(trammel_note, abi_major, 0);
AT(trammel_note, abi_minor, 4);
AT(trammel_note, id, 8);
AT(trammel_note, version, 48);
AT(trammel_note, mesh, 72);

/* gRPC's numbers. */
VALUE(TRAMMEL_OK, 0);
VALUE(TRAMMEL_CANCELLED, 1);
VALUE(TRAMMEL_UNKNOWN, 2);
VALUE(TRAMMEL_INVALID_ARGUMENT, 3);
VALUE(TRAMMEL_DEADLINE_EXCEEDED, 4);
VALUE(TRAMMEL_NOT_FOUND, 5);
VALUE(TRAMMEL_ALREADY_EXISTS, 6);
VALUE(TRAMMEL_PERMISSION_DENIED, 7);
VALUE(TRAMMEL_RESOURCE_EXHAUSTED, 8);
VALUE(TRAMMEL_FAILED_PRECONDITION, 9);
VALUE(TRAMMEL_ABORTED, 10);
VALUE(TRAMMEL_OUT_OF_RANGE, 11);
VALUE(TRAMMEL_UNIMPLEMENTED, 12);
VALUE(TRAMMEL_INTERNAL, 13);
VALUE(TRAMMEL_UNAVAILABLE, 14);
VALUE(TRAMMEL_DATA_LOSS, 15);
VALUE(TRAMMEL_UNAUTHENTICATED, 16);

VALUE(TRAMMEL_INFO, 1);
VALUE(TRAMMEL_WARNING, 2);
VALUE(TRAMMEL_ERROR, 3);
VALUE(TRAMMEL_DEBUG, 4);
VALUE(TRAMMEL_RETRY_MAY_HELP, 1);
VALUE(TRAMMEL_EFFECTS_UNKNOWN, 2);

/* What a reader asks for stays what 1.0 had, whatever is appended later. */
_Static_assert(TRAMMEL_HOST_SIZE_1_0 == 32, "host 1.0");
_Static_assert(TRAMMEL_ADAPTER_SIZE_1_0 == 80, "adapter 1.0");
_Static_assert(TRAMMEL_OP_API_SIZE_1_0 == 56, "op 1.0");
_Static_assert(TRAMMEL_LOG_API_SIZE_1_0 == 24, "log 1.0");
_Static_assert(TRAMMEL_HTTP_API_SIZE_1_0 == 24, "http 1.0");
_Static_assert(TRAMMEL_DIAGNOSTIC_SIZE_1_0 == 128, "diagnostic 1.0");
_Static_assert(TRAMMEL_HTTP_REQUEST_SIZE_1_0 == 80, "request 1.0");
_Static_assert(TRAMMEL_HTTP_RESPONSE_SIZE_1_0 == 40, "response 1.0");

static void a_field_beyond_the_size_is_not_there(void **state) {
  (void)state;
  trammel_adapter table = {.head = {offsetof(trammel_adapter, call), TRAMMEL_ABI_MAJOR, 0, 0}};
  assert_true(TRAMMEL_HAS(&table, create));
  assert_false(TRAMMEL_HAS(&table, call));
  table.head.size++; /* part of a field is none of it */
  assert_false(TRAMMEL_HAS(&table, call));
  table.head.size = sizeof table;
  assert_true(TRAMMEL_HAS(&table, destroy));
}

/* Adapters have these in them; what a host gives for an id, and where it finds a note, are never renamed. */
static void ids_are_those_that_were_released(void **state) {
  (void)state;
  assert_string_equal(TRAMMEL_OP_SERVICE, "trammel.op/1");
  assert_string_equal(TRAMMEL_LOG_SERVICE, "trammel.log/1");
  assert_string_equal(TRAMMEL_HTTP_SERVICE, "trammel.http/1");
  assert_string_equal(TRAMMEL_ENTRY_SYMBOL, "trammel_adapter_entry_v1");
  assert_string_equal(TRAMMEL_NOTE_OWNER, "Trammel");
  assert_int_equal(TRAMMEL_NOTE_TYPE, 1);
  assert_int_equal(TRAMMEL_ABI_MAJOR, 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_field_beyond_the_size_is_not_there),
      cmocka_unit_test(ids_are_those_that_were_released),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
