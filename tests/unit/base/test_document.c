#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "sdk/base/document.h"
#include "sdk/base/strbuf.h"

struct reading {
  struct arena *arena;
  struct diagnostics *diagnostics;
  struct document_list documents;
  int result;
};

static struct reading read_bytes(const char *text, size_t length, enum document_format format,
                                 const struct document_limits *limits) {
  struct reading reading = {.arena = arena_create(0), .diagnostics = diagnostics_create()};

  assert_non_null(reading.arena);
  assert_non_null(reading.diagnostics);
  reading.result =
      document_read(reading.arena, "in", text, length, format, limits, reading.diagnostics, &reading.documents);
  return reading;
}

static struct reading read_text(const char *text, enum document_format format) {
  return read_bytes(text, strlen(text), format, NULL);
}

static void reading_finish(struct reading *reading) {
  diagnostics_destroy(reading->diagnostics);
  arena_destroy(reading->arena);
}
#define _cleanup_reading_ __attribute__((cleanup(reading_finish)))

static const struct node *only_root(const struct reading *reading) {
  if (reading->result != 0)
    diagnostics_print(reading->diagnostics, stderr);
  assert_int_equal(reading->result, 0);
  assert_int_equal(diagnostics_count(reading->diagnostics), 0);
  assert_int_equal(reading->documents.count, 1);
  assert_null(reading->documents.roots[0]->parent);
  return reading->documents.roots[0];
}

static void assert_position(struct position position, uint32_t line, uint32_t column) {
  assert_string_equal(position.file, "in");
  assert_int_equal(position.line, line);
  assert_int_equal(position.column, column);
}

/* The first diagnostic has the code and position, and its summary holds `part`. */
static void assert_complaint(const struct reading *reading, int result, const char *code, uint32_t line,
                             uint32_t column, const char *part) {
  const struct diagnostic *first;

  assert_int_equal(reading->result, result);
  assert_true(diagnostics_count(reading->diagnostics) > 0);
  first = diagnostics_at(reading->diagnostics, 0);
  if (!strstr(first->summary, part) || strcmp(first->code, code) != 0 || first->position.line != line ||
      first->position.column != column)
    diagnostics_print(reading->diagnostics, stderr);
  assert_string_equal(first->code, code);
  assert_non_null(strstr(first->summary, part));
  assert_position(first->position, line, column);
}

static void assert_refused(const char *text, enum document_format format, const char *code, uint32_t line,
                           uint32_t column, const char *part) {
  _cleanup_reading_ struct reading reading = read_text(text, format);

  assert_complaint(&reading, -EINVAL, code, line, column, part);
}

/* How the YAML 1.2 core schema reads a plain scalar, or one with a tag. */
static const struct {
  const char *text;
  enum node_kind kind;
  int64_t integer;
} scalars[] = {
    {"null", NODE_NULL, 0},
    {"Null", NODE_NULL, 0},
    {"NULL", NODE_NULL, 0},
    {"~", NODE_NULL, 0},
    {"nULL", NODE_STRING, 0},
    {"true", NODE_BOOLEAN, 1},
    {"True", NODE_BOOLEAN, 1},
    {"TRUE", NODE_BOOLEAN, 1},
    {"false", NODE_BOOLEAN, 0},
    {"tRUE", NODE_STRING, 0},
    {"yes", NODE_STRING, 0},
    {"no", NODE_STRING, 0},
    {"on", NODE_STRING, 0},
    {"off", NODE_STRING, 0},
    {"0", NODE_INTEGER, 0},
    {"-0", NODE_INTEGER, 0},
    {"+12", NODE_INTEGER, 12},
    {"010", NODE_INTEGER, 10},
    {"0o17", NODE_INTEGER, 15},
    {"0o8", NODE_STRING, 0},
    {"0x1F", NODE_INTEGER, 31},
    {"0xg", NODE_STRING, 0},
    {"0x", NODE_STRING, 0},
    {"-0x1", NODE_STRING, 0},
    {"9223372036854775807", NODE_INTEGER, INT64_MAX},
    {"-9223372036854775808", NODE_INTEGER, INT64_MIN},
    {"9223372036854775808", NODE_NUMBER, 0},
    {"0x7fffffffffffffff", NODE_INTEGER, INT64_MAX},
    {"0x8000000000000000", NODE_NUMBER, 0},
    {"1.5", NODE_NUMBER, 0},
    {"1.", NODE_NUMBER, 0},
    {".5", NODE_NUMBER, 0},
    {"-.5e-3", NODE_NUMBER, 0},
    {"1e3", NODE_NUMBER, 0},
    {"1e", NODE_STRING, 0},
    {".", NODE_STRING, 0},
    {"1e999", NODE_NUMBER, 0},
    {".inf", NODE_NUMBER, 0},
    {"-.INF", NODE_NUMBER, 0},
    {".nan", NODE_NUMBER, 0},
    {"-.nan", NODE_STRING, 0},
    {"1_000", NODE_STRING, 0},
    {"0b11", NODE_STRING, 0},
    {"12:30", NODE_STRING, 0},
    {"2001-01-01", NODE_STRING, 0},
    {"1.2.3", NODE_STRING, 0},
    {"\"1\"", NODE_STRING, 0},
    {"'true'", NODE_STRING, 0},
    {"\"\"", NODE_STRING, 0},
    {"!!str 1", NODE_STRING, 0},
    {"! 1", NODE_STRING, 0},
    {"!!int \"7\"", NODE_INTEGER, 7},
    {"!!float 7", NODE_NUMBER, 0},
    {"!!null ''", NODE_NULL, 0},
    {"!!bool true", NODE_BOOLEAN, 1},
    {"!!int 9223372036854775808", NODE_NUMBER, 0},
};

static void scalars_resolve_by_the_core_schema(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof(scalars) / sizeof(scalars[0]); i++) {
    _cleanup_reading_ struct reading reading = read_text(scalars[i].text, DOCUMENT_YAML);
    const struct node *root = only_root(&reading);

    if (root->kind != scalars[i].kind)
      fail_msg("%s is read as %s", scalars[i].text, node_kind_name(root->kind));
    if (root->kind == NODE_INTEGER)
      assert_true(root->integer == scalars[i].integer);
    if (root->kind == NODE_BOOLEAN)
      assert_int_equal(root->boolean, scalars[i].integer);
  }
}

static const char manifest[] = "# comment\r\n"
                               "spec:\r\n"
                               "  \"b\xc3\xa4"
                               "ckends\":\n"
                               "  - service: v1   # one\n"
                               "    weight: 10\n"
                               "  - {service: v2, weight: 0x14}\n"
                               "  empty:\n";

static void yaml_positions_are_exact(void **state) {
  _cleanup_reading_ struct reading reading = read_text(manifest, DOCUMENT_YAML);
  const struct node *root = only_root(&reading), *spec, *backends;

  (void)state;
  assert_position(root->position, 2, 1);
  assert_position(root->entries[0].position, 2, 1);
  spec = node_get(root, "spec");
  assert_position(spec->position, 3, 3);
  backends = node_get(spec, "b\xc3\xa4"
                            "ckends");
  assert_position(spec->entries[0].position, 3, 3);
  assert_position(backends->position, 4, 3);
  assert_int_equal(backends->count, 2);
  assert_position(backends->items[0]->position, 4, 5);
  assert_position(node_get(backends->items[0], "service")->position, 4, 14);
  assert_position(node_entry(backends->items[0], "weight")->position, 5, 5);
  assert_position(node_get(backends->items[0], "weight")->position, 5, 13);
  assert_position(backends->items[1]->position, 6, 5);
  assert_position(node_entry(backends->items[1], "weight")->position, 6, 19);
  assert_position(node_get(backends->items[1], "weight")->position, 6, 27);
  assert_string_equal(node_get(backends->items[1], "weight")->text, "0x14");
  assert_int_equal(node_get(backends->items[1], "weight")->integer, 20);
  assert_int_equal(node_get(spec, "empty")->kind, NODE_NULL);
}

static void nodes_and_pointers_lead_to_each_other(void **state) {
  _cleanup_reading_ struct reading reading = read_text(manifest, DOCUMENT_YAML);
  const struct node *root = only_root(&reading), *spec = node_get(root, "spec");
  const struct node *backends = spec->entries[0].value;

  (void)state;
  assert_ptr_equal(backends->items[1]->parent, backends);
  assert_int_equal(backends->items[1]->index, 1);
  assert_ptr_equal(backends->parent, spec);
  assert_int_equal(node_get(spec, "empty")->index, 1);
  assert_string_equal(node_pointer(reading.arena, node_get(backends->items[1], "weight")), "/spec/b\xc3\xa4"
                                                                                           "ckends/1/weight");
  assert_string_equal(node_pointer(reading.arena, root), "");
  assert_ptr_equal(node_at(root, ""), root);
  assert_null(node_at(root, "/nosuch"));
  assert_null(node_at(root, "/spec/nosuch/0"));
  assert_null(node_at(root, "/spec/empty/0"));
  assert_null(node_at(root, "spec"));
  assert_ptr_equal(node_nearest(root, "/spec/empty"), node_get(spec, "empty"));
  assert_ptr_equal(node_nearest(root, "/spec/nosuch/0"), spec);
  assert_ptr_equal(node_nearest(root, ""), root);
}

static void pointers_into_lists_are_indices_without_leading_zeros(void **state) {
  _cleanup_reading_ struct reading reading = read_text("[a, b, {\"0\": c, \"\": d, \"~1\": e}]", DOCUMENT_YAML);
  const struct node *root = only_root(&reading);
  static const char *const bad[] = {"/3", "/00", "/01", "/-1", "/+1", "/", "/1x", "/18446744073709551616", "/2/~1"};

  (void)state;
  assert_ptr_equal(node_at(root, "/1"), root->items[1]);
  assert_string_equal(node_at(root, "/2/0")->text, "c");
  assert_string_equal(node_at(root, "/2/")->text, "d");
  assert_string_equal(node_at(root, "/2/~01")->text, "e");
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
    assert_null(node_at(root, bad[i]));
}

static void json_positions_are_exact(void **state) {
  static const char text[] = "\xef\xbb\xbf{\r\n"
                             "  \"\xc3\xa4/~\": [1, -2.50e1 ,\n"
                             "\ttrue, {\"n\":null}],\n"
                             "  \"s\": \"a\\u00e4\\ud83d\\ude00\\n\\\"\"}\n";
  _cleanup_reading_ struct reading reading = read_text(text, DOCUMENT_ANY);
  const struct node *root = only_root(&reading), *list, *string;

  (void)state;
  assert_position(root->position, 1, 1);
  assert_position(root->entries[0].position, 2, 3);
  list = root->entries[0].value;
  assert_position(list->position, 2, 10);
  assert_position(list->items[0]->position, 2, 11);
  assert_position(list->items[1]->position, 2, 14);
  assert_string_equal(list->items[1]->text, "-2.50e1");
  assert_int_equal(list->items[1]->kind, NODE_NUMBER);
  assert_position(list->items[2]->position, 3, 2);
  assert_position(list->items[3]->position, 3, 8);
  assert_position(node_get(list->items[3], "n")->position, 3, 13);
  assert_string_equal(node_pointer(reading.arena, node_get(list->items[3], "n")), "/\xc3\xa4~1~0/3/n");
  assert_ptr_equal(node_at(root, "/\xc3\xa4~1~0/3/n"), node_get(list->items[3], "n"));
  string = node_get(root, "s");
  assert_position(string->position, 4, 8);
  assert_string_equal(string->text, "a\xc3\xa4\xf0\x9f\x98\x80\n\"");
  assert_int_equal(string->length, strlen(string->text));
}

static void a_number_beyond_a_double_keeps_its_text_and_the_document(void **state) {
  _cleanup_reading_ struct reading reading =
      read_text("{\"weight\": 1e999, \"w\": 9e99, \"i\": 18446744073709551616}", DOCUMENT_JSON);
  const struct node *root = only_root(&reading);
  json_t *json = node_to_json(root);

  (void)state;
  assert_string_equal(node_get(root, "weight")->text, "1e999");
  assert_int_equal(node_get(root, "weight")->kind, NODE_NUMBER);
  assert_string_equal(json_string_value(json_object_get(json, "weight")), "1e999");
  assert_true(json_real_value(json_object_get(json, "w")) == 9e99);
  assert_true(json_real_value(json_object_get(json, "i")) == 18446744073709551616.0);
  json_decref(json);
}

static void documents_of_one_input_are_told_apart(void **state) {
  _cleanup_reading_ struct reading reading =
      read_text("---\na: 1\n---\n# nothing\n---\n- b\n...\n---\nnull\n", DOCUMENT_ANY);
  _cleanup_reading_ struct reading nothing = read_text("# nothing\n", DOCUMENT_ANY);
  _cleanup_reading_ struct reading empty = read_bytes(NULL, 0, DOCUMENT_ANY, NULL);

  (void)state;
  assert_int_equal(reading.result, 0);
  assert_int_equal(reading.documents.count, 3);
  assert_int_equal(reading.documents.roots[0]->kind, NODE_MAP);
  assert_int_equal(reading.documents.roots[1]->kind, NODE_LIST);
  assert_int_equal(reading.documents.roots[2]->kind, NODE_NULL);
  assert_int_equal(nothing.result, 0);
  assert_int_equal(nothing.documents.count, 0);
  assert_int_equal(empty.result, 0);
  assert_int_equal(empty.documents.count, 0);
}

static void documents_before_a_broken_one_are_returned(void **state) {
  _cleanup_reading_ struct reading syntax = read_text("a: 1\n---\nb: [\n", DOCUMENT_YAML);
  _cleanup_reading_ struct reading duplicate = read_text("a: 1\n---\nb: 1\nb: 2\n---\nc: 1\n", DOCUMENT_YAML);

  (void)state;
  assert_complaint(&syntax, -EINVAL, "DOC-0005", 4, 1, "not YAML");
  assert_int_equal(syntax.documents.count, 1);
  assert_complaint(&duplicate, -EINVAL, "DOC-0006", 4, 1, "duplicate key \"b\"");
  assert_int_equal(duplicate.documents.count, 1);
}

static void duplicate_keys_are_refused(void **state) {
  _cleanup_reading_ struct reading nested = read_text("spec:\n  x: [{a: 1, b: 2, \"a\": 3, a: 4}]\n", DOCUMENT_YAML);

  (void)state;
  assert_refused("{\"a\": 1,\n \"\\u0061\": 2}", DOCUMENT_JSON, "DOC-0006", 2, 2, "duplicate key \"a\"");
  assert_refused("{\"a\": 1,\n \"\\u0061\": 2}", DOCUMENT_ANY, "DOC-0006", 2, 2, "duplicate key \"a\"");
  assert_complaint(&nested, -EINVAL, "DOC-0006", 2, 20, "line 2, column 8");
  assert_int_equal(diagnostics_count(nested.diagnostics), 2);
  assert_string_equal(diagnostics_at(nested.diagnostics, 0)->pointer, "/spec/x/0/a");
}

static void aliases_are_refused_and_anchors_alone_are_not(void **state) {
  _cleanup_reading_ struct reading anchor = read_text("a: &x {b: 1}\n", DOCUMENT_YAML);

  (void)state;
  assert_int_equal(node_get(node_get(only_root(&anchor), "a"), "b")->integer, 1);
  assert_refused("a: &x 1\nb: *x\n", DOCUMENT_YAML, "DOC-0007", 2, 4, "\"x\"");
  assert_refused("a: &x 1\n*x : 2\n", DOCUMENT_YAML, "DOC-0007", 2, 1, "\"x\"");
  assert_refused("a: &a [1]\nb: &b [*a, *a]\nc: [*b, *b]\n", DOCUMENT_YAML, "DOC-0007", 2, 8, "\"a\"");
}

static void keys_are_text_and_merge_keys_are_keys(void **state) {
  _cleanup_reading_ struct reading reading = read_text("1: a\ntrue: b\n<<: {c: d}\n~: e\n", DOCUMENT_YAML);
  const struct node *root = only_root(&reading);

  (void)state;
  assert_string_equal(node_get(root, "1")->text, "a");
  assert_string_equal(node_get(root, "true")->text, "b");
  assert_string_equal(node_get(node_get(root, "<<"), "c")->text, "d");
  assert_string_equal(node_get(root, "~")->text, "e");
  assert_null(node_get(root, "c"));
  assert_null(node_get(node_get(root, "1"), "x"));
  assert_refused("? [a, b]\n: c\n", DOCUMENT_YAML, "DOC-0010", 1, 3, "list");
  assert_refused("a: {{ template }}\n", DOCUMENT_YAML, "DOC-0010", 1, 5, "map");
}

static void tags_other_than_the_core_ones_are_refused(void **state) {
  (void)state;
  assert_refused("a: !!binary aGk=\n", DOCUMENT_YAML, "DOC-0008", 1, 4, "binary");
  assert_refused("a: !mine {b: 1}\n", DOCUMENT_YAML, "DOC-0008", 1, 4, "!mine");
  assert_refused("!mine a: 1\n", DOCUMENT_YAML, "DOC-0008", 1, 1, "!mine");
  assert_refused("a: !!int x\n", DOCUMENT_YAML, "DOC-0009", 1, 4, "\"x\"");
  assert_refused("a: !!int 1.5\n", DOCUMENT_YAML, "DOC-0009", 1, 4, "1.5");
  assert_refused("a: !!seq {b: 1}\n", DOCUMENT_YAML, "DOC-0009", 1, 4, "map");
}

static void broken_text_is_refused_with_its_place(void **state) {
  _cleanup_reading_ struct reading nul = read_bytes("a: b\nc: \0d\n", 11, DOCUMENT_YAML, NULL);
  _cleanup_reading_ struct reading utf16 = read_bytes("\xff\xfe"
                                                      "a\0",
                                                      4, DOCUMENT_ANY, NULL);

  (void)state;
  assert_complaint(&nul, -EINVAL, "DOC-0002", 2, 4, "NUL");
  assert_complaint(&utf16, -EINVAL, "DOC-0003", 1, 1, "0xff");
  assert_non_null(strstr(diagnostics_at(utf16.diagnostics, 0)->remedy, "UTF-16"));
  assert_refused("\xc3\xa4: \xc3(\n", DOCUMENT_YAML, "DOC-0003", 1, 4, "0xc3");
  assert_refused("[\"\xed\xa0\x80\"]", DOCUMENT_JSON, "DOC-0003", 1, 3, "0xed");
  assert_refused("a: \"\\0\"\n", DOCUMENT_YAML, "DOC-0002", 1, 4, "NUL");
  assert_refused("[\"\\u0000\"]", DOCUMENT_JSON, "DOC-0002", 1, 3, "NUL");
  assert_refused("a: 1\nb: x\x01y\n", DOCUMENT_YAML, "DOC-0005", 2, 5, "U+0001");
  assert_refused("a:\n\tb: 1\n", DOCUMENT_YAML, "DOC-0005", 2, 1, "\\tb: 1");
  assert_refused("a: b: c\n", DOCUMENT_YAML, "DOC-0005", 1, 5, "mapping values are not allowed");
}

static void json_errors_say_what_was_expected_and_found(void **state) {
  (void)state;
  assert_refused("", DOCUMENT_JSON, "DOC-0004", 1, 1, "expected a value, found the end");
  assert_refused("{\"a\": 1\n \"b\": 2}", DOCUMENT_JSON, "DOC-0004", 2, 2, "',' or '}'");
  assert_refused("{\"a\": 1\n \"b\": 2}", DOCUMENT_ANY, "DOC-0004", 2, 2, "',' or '}'");
  assert_refused("[1, 2", DOCUMENT_ANY, "DOC-0004", 1, 6, "found the end");
  assert_refused("[1,]", DOCUMENT_JSON, "DOC-0004", 1, 4, "a value, found \"]\"");
  assert_refused("{\"a\":1,}", DOCUMENT_JSON, "DOC-0004", 1, 8, "a key in double quotes");
  assert_refused("{a: 1}", DOCUMENT_JSON, "DOC-0004", 1, 2, "found \"a\"");
  assert_refused("[tru]", DOCUMENT_JSON, "DOC-0004", 1, 2, "found \"tru\"");
  assert_refused("[nullx]", DOCUMENT_JSON, "DOC-0004", 1, 6, "found \"x\"");
  assert_refused("[01]", DOCUMENT_JSON, "DOC-0004", 1, 2, "found \"01\"");
  assert_refused("[1.]", DOCUMENT_JSON, "DOC-0004", 1, 2, "found \"1.\"");
  assert_refused("[\"a\nb\"]", DOCUMENT_JSON, "DOC-0004", 1, 4, "control characters");
  assert_refused("[\"\\x\"]", DOCUMENT_JSON, "DOC-0004", 1, 3, "escapes");
  assert_refused("[\"\\ud800\"]", DOCUMENT_JSON, "DOC-0004", 1, 3, "surrogates");
  assert_refused("[\"\\udc00\"]", DOCUMENT_JSON, "DOC-0004", 1, 3, "surrogates");
  assert_refused("[\"abc", DOCUMENT_JSON, "DOC-0004", 1, 6, "end of the string");
  assert_refused("[\"abc\\", DOCUMENT_JSON, "DOC-0004", 1, 6, "escape");
  assert_refused("{} x", DOCUMENT_JSON, "DOC-0004", 1, 4, "nothing after");
  assert_refused("{\"a\":1}\n{\"a\":2}", DOCUMENT_ANY, "DOC-0004", 2, 1, "nothing after");
}

static void flow_yaml_is_read_when_it_is_no_json(void **state) {
  _cleanup_reading_ struct reading map = read_text(" {a: 1, b: [x, 'y']}\n", DOCUMENT_ANY);
  _cleanup_reading_ struct reading two = read_text("{\"a\": 1}\n---\n{\"a\": 2}\n", DOCUMENT_ANY);

  (void)state;
  assert_int_equal(node_get(only_root(&map), "a")->integer, 1);
  assert_int_equal(two.result, 0);
  assert_int_equal(two.documents.count, 2);
  assert_int_equal(diagnostics_count(two.diagnostics), 0);
  assert_refused("{a: 1, b: [}\n", DOCUMENT_ANY, "DOC-0005", 1, 12, "not YAML");
}

static char *repeat(const char *part, size_t count, const char *end) {
  struct strbuf text = STRBUF_INIT;
  char *result;

  for (size_t i = 0; i < count; i++)
    strbuf_puts(&text, part);
  strbuf_puts(&text, end);
  result = strbuf_steal(&text);
  assert_non_null(result);
  return result;
}

static void limits_hold(void **state) {
  static const struct document_limits small = {.bytes = 40, .depth = 3, .nodes = 6, .documents = 2};
  static const struct {
    const char *text, *code, *part;
    enum document_format format;
  } cases[] = {
      {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "DOC-0001", "41 bytes, the limit is 40", DOCUMENT_ANY},
      {"[[[[1]]]]", "DOC-0011", "3", DOCUMENT_JSON},
      {"[[[[1]]]]", "DOC-0011", "3", DOCUMENT_YAML},
      {"[[[[1]]]]", "DOC-0011", "3", DOCUMENT_ANY},
      {"[1,2,3,4,5,6]", "DOC-0012", "6", DOCUMENT_JSON},
      {"[1,2,3,4,5,6]", "DOC-0012", "6", DOCUMENT_YAML},
      {"--- 1\n--- 2\n--- 3\n", "DOC-0013", "2", DOCUMENT_YAML},
  };

  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    _cleanup_reading_ struct reading reading =
        read_bytes(cases[i].text, strlen(cases[i].text), cases[i].format, &small);

    assert_int_equal(reading.result, -E2BIG);
    assert_string_equal(diagnostics_at(reading.diagnostics, 0)->code, cases[i].code);
    assert_non_null(strstr(diagnostics_at(reading.diagnostics, 0)->summary, cases[i].part));
  }
}

static void deep_nesting_is_refused_quickly(void **state) {
  static const char *const parts[] = {"[", "{\"a\":", "- ", "? ", "[{a: "};

  (void)state;
  for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
    for (enum document_format format = DOCUMENT_ANY; format <= DOCUMENT_YAML; format++) {
      _cleanup_free_ char *text = repeat(parts[i], 200000, "");
      _cleanup_reading_ struct reading reading = read_text(text, format);

      assert_true(reading.result == -E2BIG || reading.result == -EINVAL);
      assert_int_equal(reading.documents.count, 0);
      assert_true(diagnostics_have_error(reading.diagnostics));
    }
}

static void many_errors_end_the_reading(void **state) {
  _cleanup_free_ char *text = repeat("- *x\n", 5000, "");
  _cleanup_reading_ struct reading reading = read_text(text, DOCUMENT_YAML);

  (void)state;
  assert_int_equal(reading.result, -EINVAL);
  assert_int_equal(diagnostics_count(reading.diagnostics), 100);
}

static void a_full_arena_is_enomem(void **state) {
  struct arena *arena = arena_create(2000);
  _cleanup_free_ char *text = repeat("- a\n", 1000, "");
  struct document_list documents;

  (void)state;
  assert_int_equal(document_read(arena, "in", text, strlen(text), DOCUMENT_YAML, NULL, NULL, &documents), -ENOMEM);
  assert_int_equal(documents.count, 0);
  arena_destroy(arena);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(scalars_resolve_by_the_core_schema),
      cmocka_unit_test(yaml_positions_are_exact),
      cmocka_unit_test(nodes_and_pointers_lead_to_each_other),
      cmocka_unit_test(pointers_into_lists_are_indices_without_leading_zeros),
      cmocka_unit_test(json_positions_are_exact),
      cmocka_unit_test(a_number_beyond_a_double_keeps_its_text_and_the_document),
      cmocka_unit_test(documents_of_one_input_are_told_apart),
      cmocka_unit_test(documents_before_a_broken_one_are_returned),
      cmocka_unit_test(duplicate_keys_are_refused),
      cmocka_unit_test(aliases_are_refused_and_anchors_alone_are_not),
      cmocka_unit_test(keys_are_text_and_merge_keys_are_keys),
      cmocka_unit_test(tags_other_than_the_core_ones_are_refused),
      cmocka_unit_test(broken_text_is_refused_with_its_place),
      cmocka_unit_test(json_errors_say_what_was_expected_and_found),
      cmocka_unit_test(flow_yaml_is_read_when_it_is_no_json),
      cmocka_unit_test(limits_hold),
      cmocka_unit_test(deep_nesting_is_refused_quickly),
      cmocka_unit_test(many_errors_end_the_reading),
      cmocka_unit_test(a_full_arena_is_enomem),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
