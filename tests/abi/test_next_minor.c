/* The host as it will be when a minor version has appended a field to each table that may grow: the same sources, built
 * with a header like that (tests/abi/CMakeLists.txt). Adapters built for the versions before are loaded and called. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/adapter/inprocess.h"
#include "host/adapter/loader.h"

/* This is not the header of the tree. */
_Static_assert(sizeof(trammel_adapter) > TRAMMEL_ADAPTER_SIZE_1_0, "adapter");
_Static_assert(sizeof(trammel_host) > TRAMMEL_HOST_SIZE_1_0, "host");
_Static_assert(sizeof(trammel_diagnostic) > TRAMMEL_DIAGNOSTIC_SIZE_1_0, "diagnostic");
_Static_assert(sizeof(trammel_http_request) > TRAMMEL_HTTP_REQUEST_SIZE_1_0, "request");
_Static_assert(sizeof(trammel_http_response) > TRAMMEL_HTTP_RESPONSE_SIZE_1_0, "response");

static void an_adapter_of_1_0_is_loaded_and_called(void **state) {
  (void)state;
  char path[4096];
  struct gate gate = {.fd = -1};
  const trammel_adapter *adapter = NULL;
  struct inprocess *inprocess = NULL;
  uint8_t *answer = NULL;
  size_t length = 0;
  _cleanup_error_ struct error *err = NULL;
  struct diagnostics *diagnostics = diagnostics_create();
  const struct call_options call = {.diagnostics = diagnostics};
  (void)snprintf(path, sizeof path, "%s/tests/released-adapters/minor-1.0.so", getenv("TRAMMEL_BUILD_DIR"));
  if (gate_open(path, &gate, &err) < 0 || loader_load(&gate, &adapter, &err) < 0 ||
      inprocess_create(adapter, &(struct inprocess_options){.id = "minor-1-0"}, "", &call, &inprocess, &err) < 0 ||
      inprocess_call(inprocess, "Translate", "", 0, NULL, NULL, &call, &answer, &length, &err) < 0)
    fail_msg("%s", error_message(err));
  gate_close(&gate);
  if (!adapter)
    return; /* not after a failure */
  assert_int_equal(adapter->head.size, TRAMMEL_ADAPTER_SIZE_1_0);
  assert_int_equal(adapter->head.abi_minor, 0);
  assert_false(TRAMMEL_HAS(adapter, next));
  assert_true(length > 0);
  assert_int_equal(diagnostics_count(diagnostics), 1);
  free(answer);
  inprocess_destroy(inprocess);
  diagnostics_destroy(diagnostics);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(an_adapter_of_1_0_is_loaded_and_called)};
  return cmocka_run_group_tests_name("the next minor version", tests, NULL, NULL);
}
