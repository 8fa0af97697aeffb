/* Translate of the reference adapter: each translate/NAME.yaml gives translate/NAME.json, byte for byte and every time,
 * and nothing that is left out ever allows more. TRAMMEL_UPDATE_GOLDEN=1 writes the JSON files instead; read the
 * difference before committing it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/kit/translation_json.h"
#include "sdk/adapter/smi_wire.h"
#include "sdk/base/strbuf.h"
#include "sdk/smi/parse.h"
#include "tests/unit/reference/fixture.h"

static char *directory(void) {
  char *path = NULL;
  assert_true(asprintf(&path, "%s/tests/unit/reference/translate", getenv("TRAMMEL_SOURCE_DIR")) > 0);
  return path;
}

static void read_smi(struct arena *arena, const char *path, struct smi_set *ret_set) {
  char *text = NULL;
  size_t length = 0;
  struct document_list documents;
  struct diagnostics *diagnostics = diagnostics_create();
  assert_int_equal(file_read(path, 1u << 20, &text, &length, NULL), 0);
  const struct smi_parse_options options = {.default_namespace = "main"};
  if (document_read(arena, path, text, length, DOCUMENT_ANY, &document_limits_default, diagnostics, &documents) < 0 ||
      smi_parse(arena, &documents, &options, diagnostics, ret_set) < 0) {
    diagnostics_print(diagnostics, stderr);
    fail_msg("%s is no SMI", path);
  }
  diagnostics_destroy(diagnostics);
  free(text);
}

static int translate(struct arena *arena, const struct smi_set *set, bool allow_unsupported, struct fake_op *op) {
  static char ns[] = "main";
  char *deny[] = {ns};
  PB(TranslateOptions) options = PB_INIT(TRANSLATE_OPTIONS);
  PB(TranslateRequest) request = PB_INIT(TRANSLATE_REQUEST);
  options.n_deny_by_default = 1;
  options.deny_by_default = deny;
  options.allow_unsupported = allow_unsupported;
  request.smi = smi_to_wire(arena, set);
  request.inventory = (PB(Inventory) *)(uintptr_t)fixture_inventory();
  request.options = &options;
  assert_non_null(request.smi);
  return adapter_call("", "Translate", &request.base, op);
}

static json_t *response_to_json(const struct fake_op *op) {
  PB(TranslateResponse) *response =
      trammel__adapter__v1__translate_response__unpack(NULL, op->length, (const uint8_t *)op->message);
  assert_non_null(response);
  json_t *json = translation_to_json(response);
  assert_int_equal(json_object_set(json, "diagnostics", op->diagnostics), 0);
  trammel__adapter__v1__translate_response__free_unpacked(response, NULL);
  return json;
}

/* True when the translation of `path` is what its golden file says. */
static bool check_case(const char *path) {
  struct arena *arena = arena_create(0);
  struct smi_set set = {0};
  read_smi(arena, path, &set);
  struct fake_op strict, first, second;
  fake_op_init(&strict);
  fake_op_init(&first);
  fake_op_init(&second);
  int strict_status = translate(arena, &set, false, &strict);
  assert_int_equal(translate(arena, &set, true, &first), TRAMMEL_OK);
  assert_int_equal(translate(arena, &set, true, &second), TRAMMEL_OK);
  assert_int_equal(first.emitted, 1);
  assert_int_equal(first.length, second.length);
  assert_memory_equal(first.message, second.message, first.length);
  assert_int_equal(strict.emitted, strict_status == TRAMMEL_OK ? 1 : 0);

  json_t *result = response_to_json(&first);
  json_object_set_new(result, "strictStatus", json_integer(strict_status));
  struct strbuf text = STRBUF_INIT, golden = STRBUF_INIT;
  assert_int_equal(json_write(result, &text), 0);
  strbuf_append(&golden, path, strlen(path) - strlen("yaml"));
  strbuf_puts(&golden, "json");
  bool good = true;
  if (getenv("TRAMMEL_UPDATE_GOLDEN")) {
    FILE *out = fopen(strbuf_text(&golden), "we");
    assert_non_null(out);
    assert_true(fputs(strbuf_text(&text), out) >= 0 && fclose(out) == 0);
  } else {
    char *wanted = NULL;
    size_t length = 0;
    assert_int_equal(file_read(strbuf_text(&golden), 1u << 20, &wanted, &length, NULL), 0);
    good = length == text.length && memcmp(wanted, strbuf_text(&text), length) == 0;
    if (!good)
      fprintf(stderr, "%s\nexpected %s\nfound %s\n", strbuf_text(&golden), wanted, strbuf_text(&text));
    free(wanted);
  }
  strbuf_finish(&text);
  strbuf_finish(&golden);
  json_decref(result);
  fake_op_finish(&strict);
  fake_op_finish(&first);
  fake_op_finish(&second);
  arena_destroy(arena);
  return good;
}

static void translations_are_as_recorded(void **state) {
  (void)state;
  char *path = directory();
  DIR *files = opendir(path);
  assert_non_null(files);
  unsigned seen = 0, wrong = 0;
  for (const struct dirent *file; (file = readdir(files));) {
    size_t n = strlen(file->d_name);
    if (n < 5 || strcmp(file->d_name + n - 5, ".yaml") != 0)
      continue;
    char *name = NULL;
    assert_true(asprintf(&name, "%s/%s", path, file->d_name) > 0);
    wrong += !check_case(name);
    seen++;
    free(name);
  }
  (void)closedir(files);
  free(path);
  assert_in_range(seen, 9, 1000);
  assert_int_equal(wrong, 0);
}

/* ---- what must never widen: a target, and what its one permission may be at most */

static const char *const target_head =
    "apiVersion: access.smi-spec.io/v1alpha3\nkind: TrafficTarget\nmetadata: {name: t}\n"
    "spec:\n  destination: {kind: ServiceAccount, name: server}\n  sources: [{kind: ServiceAccount, name: client}]\n"
    "  rules:\n";
static const char *const routes =
    "---\napiVersion: specs.smi-spec.io/v1alpha4\nkind: HTTPRouteGroup\nmetadata: {name: http}\n"
    "spec: {matches: [{name: get, pathRegex: /a, methods: [GET]}, {name: bad, pathRegex: '(?=x)'}]}\n"
    "---\napiVersion: specs.smi-spec.io/v1alpha4\nkind: HTTPRouteGroup\nmetadata: {name: elsewhere, namespace: other}\n"
    "spec: {matches: [{name: all}]}\n"
    "---\napiVersion: specs.smi-spec.io/v1alpha4\nkind: TCPRoute\nmetadata: {name: tcp}\nspec: {matches: {ports: "
    "[8080]}}\n"
    "---\napiVersion: specs.smi-spec.io/v1alpha4\nkind: UDPRoute\nmetadata: {name: udp}\nspec: {matches: {ports: "
    "[53]}}\n";

/* The rules of the permission, as compact JSON; "none" without a permission. */
static char *rules_of(const char *rules, int *ret_strict_status) {
  struct arena *arena = arena_create(0);
  struct strbuf text = STRBUF_INIT;
  strbuf_printf(&text, "%s%s%s", target_head, rules, routes);
  struct document_list documents;
  struct smi_set set = {0};
  struct diagnostics *diagnostics = diagnostics_create();
  assert_int_equal(document_read(arena, NULL, text.data, text.length, DOCUMENT_YAML, &document_limits_default,
                                 diagnostics, &documents),
                   0);
  (void)smi_parse(arena, &documents, &(struct smi_parse_options){.default_namespace = "main"}, diagnostics, &set);
  assert_int_equal(set.target_count, 1);
  diagnostics_destroy(diagnostics);
  struct fake_op op;
  fake_op_init(&op);
  *ret_strict_status = translate(arena, &set, false, &op);
  fake_op_finish(&op);
  fake_op_init(&op);
  assert_int_equal(translate(arena, &set, true, &op), TRAMMEL_OK);
  json_t *response = response_to_json(&op);
  char *found = NULL;
  size_t i;
  json_t *object;
  json_array_foreach(json_object_get(response, "objects"), i,
                     object) if (strcmp(json_string_value(json_object_get(object, "id")), "permissions/main/t") == 0)
      found = json_dumps(json_object_get(json_object_get(object, "body"), "rules"), JSON_COMPACT | JSON_SORT_KEYS);
  json_decref(response);
  fake_op_finish(&op);
  strbuf_finish(&text);
  arena_destroy(arena);
  return found ? found : strdup("none");
}

static void nothing_left_out_widens(void **state) {
  (void)state;
#define UDP_53 "[{\"ports\":[53],\"protocol\":\"udp\"}"
#define GET_A "{\"methods\":[\"GET\"],\"path\":\"/a\"}"
  static const struct {
    const char *rules;
    const char *expected;
    bool complete; /* nothing is left out */
  } cases[] = {
      {"  - {kind: TCPRoute, name: tcp}\n", "[{\"ports\":[8080],\"protocol\":\"tcp\"}]", true},
      {"  - {kind: HTTPRouteGroup, name: http, matches: [get]}\n", "[{\"http\":[" GET_A "],\"protocol\":\"http\"}]",
       true},
      /* Both: an intersection. */
      {"  - {kind: TCPRoute, name: tcp}\n  - {kind: HTTPRouteGroup, name: http, matches: [get]}\n",
       "[{\"http\":[" GET_A "],\"ports\":[8080],\"protocol\":\"http\"}]", true},
      /* A route that is not there takes no limit away. */
      {"  - {kind: TCPRoute, name: gone}\n  - {kind: HTTPRouteGroup, name: http, matches: [get]}\n", "none", false},
      {"  - {kind: TCPRoute, name: tcp}\n  - {kind: HTTPRouteGroup, name: gone}\n", "none", false},
      {"  - {kind: TCPRoute, name: gone}\n", "none", false},
      {"  - {kind: TCPRoute, name: gone}\n  - {kind: TCPRoute, name: tcp}\n",
       "[{\"ports\":[8080],\"protocol\":\"tcp\"}]", false},
      {"  - {kind: HTTPRouteGroup, name: gone}\n", "none", false},
      /* A group of another namespace is not meant. */
      {"  - {kind: HTTPRouteGroup, name: elsewhere}\n", "none", false},
      /* A match that is not there, or cannot be carried over, is not every match. */
      {"  - {kind: HTTPRouteGroup, name: http, matches: [gone]}\n", "none", false},
      {"  - {kind: HTTPRouteGroup, name: http, matches: [bad]}\n", "none", false},
      {"  - {kind: HTTPRouteGroup, name: http, matches: [gone, get]}\n",
       "[{\"http\":[" GET_A "],\"protocol\":\"http\"}]", false},
      {"  - {kind: HTTPRouteGroup, name: http}\n", "[{\"http\":[" GET_A "],\"protocol\":\"http\"}]", false},
      {"  - {kind: TCPRoute, name: tcp}\n  - {kind: HTTPRouteGroup, name: http, matches: [bad]}\n", "none", false},
      {"  - {kind: UDPRoute, name: udp}\n", UDP_53 "]", true},
      {"  - {kind: UDPRoute, name: gone}\n", "none", false},
      {"  - {kind: UDPRoute, name: gone}\n  - {kind: UDPRoute, name: udp}\n", UDP_53 "]", false},
      /* TCP and UDP add up, each with its own ports. */
      {"  - {kind: UDPRoute, name: udp}\n  - {kind: TCPRoute, name: tcp}\n",
       "[{\"ports\":[8080],\"protocol\":\"tcp\"},{\"ports\":[53],\"protocol\":\"udp\"}]", true},
      {"  - {kind: UDPRoute, name: udp}\n  - {kind: TCPRoute, name: gone}\n", UDP_53 "]", false},
      /* UDP neither limits HTTP nor needs it. */
      {"  - {kind: UDPRoute, name: udp}\n  - {kind: HTTPRouteGroup, name: http, matches: [get]}\n",
       "[{\"http\":[" GET_A "],\"protocol\":\"http\"},{\"ports\":[53],\"protocol\":\"udp\"}]", true},
      {"  - {kind: UDPRoute, name: udp}\n  - {kind: HTTPRouteGroup, name: gone}\n", UDP_53 "]", false},
      {"  - {kind: UDPRoute, name: gone}\n  - {kind: HTTPRouteGroup, name: http, matches: [get]}\n",
       "[{\"http\":[" GET_A "],\"protocol\":\"http\"}]", false},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    int strict_status = -1;
    char *found = rules_of(cases[i].rules, &strict_status);
    if (strcmp(found, cases[i].expected) != 0)
      fail_msg("%sexpected %s\nfound %s", cases[i].rules, cases[i].expected, found);
    if (strict_status != (cases[i].complete ? TRAMMEL_OK : TRAMMEL_UNIMPLEMENTED))
      fail_msg("%sstrict status %d", cases[i].rules, strict_status);
    free(found);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(translations_are_as_recorded),
      cmocka_unit_test(nothing_left_out_widens),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
