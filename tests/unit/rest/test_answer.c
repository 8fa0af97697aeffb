/* What an error of the host is over HTTP. */
#include <errno.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "host/rest/answer.h"

static void errors_have_the_status_that_clients_act_on(void **state) {
  static const struct {
    int code;
    unsigned status;
    const char *title;
  } errors[] = {{EINVAL, 400, "Bad Request"},
                {ENOENT, 404, "Not Found"},
                {EREMOTE, 409, "Conflict"},
                {EAGAIN, 429, "Too Many Requests"},
                {E2BIG, 429, "Too Many Requests"},
                {ESHUTDOWN, 503, "Service Unavailable"},
                {EBUSY, 503, "Service Unavailable"},
                {EROFS, 503, "Service Unavailable"},
                {ECONNREFUSED, 503, "Service Unavailable"},
                {ECONNRESET, 503, "Service Unavailable"},
                {EINPROGRESS, 503, "Service Unavailable"},
                {ENOSPC, 507, "Insufficient Storage"},
                {EIO, 500, "Internal Server Error"}};
  (void)state;
  for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++) {
    struct answer answer = answer_error(-errors[i].code, NULL);
    json_auto_t *problem = json_loadb(answer.data, answer.length, 0, NULL);
    assert_int_equal(answer.status, errors[i].status);
    assert_string_equal(answer.type, "application/problem+json");
    assert_string_equal(json_string_value(json_object_get(problem, "title")), errors[i].title);
    assert_int_equal(json_integer_value(json_object_get(problem, "status")), errors[i].status);
    free(answer.data);
  }
}

int main(void) {
  static const struct CMUnitTest tests[] = {cmocka_unit_test(errors_have_the_status_that_clients_act_on)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
