/* An adapter that was built for an earlier minor version, with nothing but that release's header, is found, described
 * and called by this host: for each such version that there is in tests/abi/. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/adapter/instance.h"

static int scan(void **state) {
  char directory[4096];
  _cleanup_error_ struct error *err = NULL;
  (void)snprintf(directory, sizeof directory, "%s/tests/released-adapters", getenv("TRAMMEL_BUILD_DIR"));
  if (registry_scan((const struct adapter_directory[]){{.path = directory}, {0}},
                    &(struct registry_options){.placement = PLACEMENT_IN_PROCESS}, (struct registry **)state, &err) < 0)
    fail_msg("%s", error_message(err));
  return 0;
}

static int forget(void **state) {
  registry_destroy(*state);
  return 0;
}

static void every_released_minor_is_found_and_described(void **state) {
  const struct registry *registry = *state;
  assert_int_equal(registry_count(registry), RELEASED_MINORS);
  for (size_t i = 0; i < registry_count(registry); i++) {
    const struct adapter_entry *entry = registry_at(registry, i);
    if (!entry->usable)
      fail_msg("%s: %s", entry->path, entry->refusal);
    assert_string_equal(entry->description->adapter_id, entry->id);
    assert_string_equal(entry->description->mesh_type, "released");
    assert_int_equal(entry->description->n_methods, 1);
    assert_string_equal(entry->description->methods[0], "Translate");
  }
}

static void assert_translated(const Trammel__Adapter__V1__TranslateResponse *response, size_t request_length) {
  char body[32];
  if (!response)
    return; /* not after a failure */
  int length = snprintf(body, sizeof body, "{\"bytes\":%zu}", request_length);
  assert_int_equal(response->n_objects, 1);
  assert_string_equal(response->objects[0]->id, "one");
  assert_string_equal(response->objects[0]->http->path, "/v1/rules");
  assert_int_equal(response->objects[0]->body.len, length);
  assert_memory_equal(response->objects[0]->body.data, body, (size_t)length);
  assert_int_equal(response->n_coverage, 1);
  assert_string_equal(response->coverage[0]->pointer, "/spec/rules/0");
}

static void translate(const struct adapter_entry *entry) {
  static char name[] = "default";
  char *names[] = {name};
  Trammel__Adapter__V1__TranslateOptions options = TRAMMEL__ADAPTER__V1__TRANSLATE_OPTIONS__INIT;
  Trammel__Adapter__V1__TranslateRequest request = TRAMMEL__ADAPTER__V1__TRANSLATE_REQUEST__INIT;
  options.n_deny_by_default = 1;
  options.deny_by_default = names;
  request.options = &options;
  struct diagnostics *diagnostics = diagnostics_create();
  const struct call_options call = {.diagnostics = diagnostics};
  struct instance *instance = NULL;
  ProtobufCMessage *response = NULL;
  _cleanup_error_ struct error *err = NULL;
  if (instance_create(entry, NULL, NULL, diagnostics, &instance, &err) < 0 ||
      instance_call(instance, "Translate", &request.base, &trammel__adapter__v1__translate_response__descriptor, &call,
                    &response, &err) < 0)
    fail_msg("%s, %s: %s", entry->id, entry->confined ? "in a child" : "in this process", error_message(err));
  assert_translated((const Trammel__Adapter__V1__TranslateResponse *)response,
                    protobuf_c_message_get_packed_size(&request.base));
  assert_int_equal(diagnostics_count(diagnostics), 1);
  assert_string_equal(diagnostics_at(diagnostics, 0)->code, "RELEASED-0001");
  protobuf_c_message_free_unpacked(response, NULL);
  instance_destroy(instance);
  diagnostics_destroy(diagnostics);
}

static void every_released_minor_translates(void **state) {
  const struct registry *registry = *state;
  for (size_t i = 0; i < registry_count(registry); i++) {
    struct adapter_entry entry = *registry_at(registry, i);
    entry.confined = false;
    translate(&entry);
    entry.confined = true;
    translate(&entry);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_released_minor_is_found_and_described),
      cmocka_unit_test(every_released_minor_translates),
  };
  return cmocka_run_group_tests_name("adapters of released minor versions", tests, scan, forget);
}
