#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sdk/base/document.h"
#include "sdk/base/document_internal.h"
#include "sdk/base/error.h"
#include "sdk/base/strbuf.h"

static uint64_t random_state;

/* splitmix64: the same trees on every machine. */
static uint64_t random_next(void) {
  uint64_t z = random_state += 0x9e3779b97f4a7c15U;

  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
  return z ^ (z >> 31);
}

static size_t random_below(size_t bound) {
  return (size_t)(random_next() % bound);
}

static const char *const parts[] = {
    "a",
    "b c",
    " ",
    "  ",
    "\n",
    "\n\n",
    "\t",
    "\r",
    "\r\n",
    ": ",
    " #",
    "- ",
    "? ",
    "'",
    "\"",
    "\\",
    "{",
    "}",
    "[",
    "]",
    ",",
    "&",
    "*",
    "!",
    "|",
    ">",
    "%",
    "@",
    "`",
    "---",
    "...",
    "null",
    "~",
    "yes",
    "0x1f",
    "0o7",
    "1e3",
    ".inf",
    ".nan",
    "12:30",
    "=",
    "<<",
    "true",
    "-",
    ":",
    "#",
    "\x01",
    "\x7f",
    "\xc2\x85",
    "\xc2\xa0",
    "\xe2\x80\xa8",
    "\xef\xbb\xbf",
    "\xef\xbf\xbe",
    "\xf0\x9f\x98\x80",
    "\xc3\xa4",
    "a very long piece of text that goes on for a while",
};
#define PART_COUNT (sizeof(parts) / sizeof(parts[0]))

static char *random_text(void) {
  struct strbuf text = STRBUF_INIT;
  char *result;

  for (size_t i = random_below(6); i > 0; i--)
    strbuf_puts(&text, parts[random_below(PART_COUNT)]);
  result = strbuf_steal(&text);
  assert_non_null(result);
  return result;
}

static double random_double(void) {
  static const double special[] = {0.0, -0.0, 0.1, 1e22, 1e-320, 1.7976931348623157e308, 9e99, 1.0 / 3, -2.5};
  uint64_t bits = random_next();
  double value;

  if (random_below(2) == 0)
    return special[random_below(sizeof(special) / sizeof(special[0]))];
  bits &= ~(UINT64_C(1) << 62); /* below 2, so neither infinite nor NaN */
  memcpy(&value, &bits, sizeof(value));
  return value;
}

static json_t *random_tree(size_t depth) {
  size_t kind = random_below(depth > 2 ? 16 : depth > 0 ? 8 : 6); /* 6 and more are lists and maps: trees must branch */
  json_t *tree;

  if (kind == 0)
    return json_null();
  if (kind == 1)
    return json_boolean(random_below(2) == 0);
  if (kind == 2)
    return json_integer((json_int_t)(random_next() >> random_below(64)));
  if (kind == 3)
    return json_real(random_double());
  if (kind < 6) {
    _cleanup_free_ char *text = random_text();

    return json_string(text);
  }
  tree = kind % 2 == 0 ? json_array() : json_object();
  for (size_t i = random_below(5); i > 0; i--) {
    _cleanup_free_ char *key = random_text();

    if (kind % 2 == 0)
      assert_int_equal(json_array_append_new(tree, random_tree(depth - 1)), 0);
    else
      assert_int_equal(json_object_set_new(tree, key, random_tree(depth - 1)), 0);
  }
  return tree;
}

static json_t *read_back(const struct strbuf *text, enum document_format format) {
  _cleanup_arena_ struct arena *arena = arena_create(0);
  _cleanup_diagnostics_ struct diagnostics *diagnostics = diagnostics_create();
  struct document_list documents;
  json_t *value = NULL;

  if (document_read(arena, NULL, text->data, text->length, format, NULL, diagnostics, &documents) < 0)
    diagnostics_print(diagnostics, stderr);
  else if (documents.count == 1)
    value = node_to_json(documents.roots[0]);
  return value;
}

static void assert_reads_back(const json_t *tree, int (*write)(const json_t *, struct strbuf *),
                              enum document_format format) {
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  json_t *back;

  assert_int_equal(write(tree, &text), 0);
  back = read_back(&text, format);
  if (!back || !json_equal(tree, back))
    fail_msg("does not read back the same:\n%s", strbuf_text(&text));
  json_decref(back);
}

static void random_trees_read_back_the_same(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= 20000; seed++) {
    json_t *tree;

    random_state = seed;
    tree = random_tree(4);
    assert_reads_back(tree, yaml_write, DOCUMENT_YAML);
    assert_reads_back(tree, json_write, DOCUMENT_JSON);
    if (json_is_array(tree) || json_is_object(tree)) /* what else stands alone is read as YAML */
      assert_reads_back(tree, json_write, DOCUMENT_ANY);
    json_decref(tree);
  }
}

/* Whether the tree can be written without libyaml's emitter; if so, in the same bytes. */
static bool is_block(const json_t *tree) {
  _cleanup_strbuf_ struct strbuf block = STRBUF_INIT, any = STRBUF_INIT;
  int r;

  strbuf_puts(&block, "---\n");
  r = yaml_write_block(tree, &block);
  if (r < 0) {
    assert_int_equal(r, -ENOTSUP);
    assert_string_equal(strbuf_text(&block), "---\n");
    return false;
  }
  assert_int_equal(yaml_write_any(tree, &any), 0);
  assert_string_equal(strbuf_text(&block) + 4, strbuf_text(&any));
  return true;
}

static void both_yaml_writers_write_the_same_trees(void **state) {
  size_t blocks = 0;

  (void)state;
  for (uint64_t seed = 1; seed <= 5000; seed++) {
    json_t *tree;

    random_state = seed;
    tree = random_tree(4);
    blocks += is_block(tree);
    json_decref(tree);
  }
  assert_true(blocks > 100);
}

/* Every text of up to four characters out of those that mean something to YAML, wherever a text can stand. */
static void both_yaml_writers_write_the_same_texts(void **state) {
  static const char characters[] = "aN0 :#-.?!&*|>'\"%@`,[]{}~=<\\/\n\t";
  const size_t count = sizeof(characters) - 1;
  size_t most = count * count * count * count, blocks = 0;

  (void)state;
  for (size_t i = 0; i < most; i += 1 + (i > count * count * count) * random_below(64)) {
    char text[5] = "";
    size_t rest = i;
    json_t *tree;

    for (size_t j = 0; rest > 0; j++, rest /= count)
      text[j] = characters[rest % count];
    tree = json_pack("{s:s, s:[s, [s]]}", text, text, "list", text, text);
    assert_non_null(tree);
    blocks += is_block(tree);
    json_decref(tree);
  }
  assert_true(blocks > 500);
}

static void both_yaml_writers_write_the_same_keys(void **state) {
  (void)state;
  for (size_t length = 1; length < 300; length++) {
    char key[300] = "";
    json_t *tree;

    memset(key, 'k', length);
    tree = json_pack("{s:{s:{}, s:[]}, s:[{s:i, s:[[b]]}]}", key, "map", "list", "deep", key, 1, "in", true);
    assert_non_null(tree);
    assert_int_equal(is_block(tree), length <= 128);
    json_decref(tree);
  }
}

/* Whether the text can be restyled; if so, to what its tree is written as, at the root and below a key. */
static bool is_restyled(const char *text, const json_t *tree) {
  _cleanup_strbuf_ struct strbuf quick = STRBUF_INIT, slow = STRBUF_INIT;
  json_auto_t *below = json_pack("{s:O}", "body", tree);
  int r = yaml_restyle("body", text, strlen(text), NULL, 0, &quick);

  if (r == 0) {
    assert_int_equal(yaml_write(below, &slow), 0);
    assert_string_equal(strbuf_text(&quick), strbuf_text(&slow));
  }
  strbuf_clear(&quick);
  strbuf_clear(&slow);
  strbuf_puts(&quick, "---\n");
  r = yaml_restyle(NULL, text, strlen(text), NULL, 0, &quick);
  if (r < 0) {
    assert_int_equal(r, -ENOTSUP);
    assert_string_equal(strbuf_text(&quick), "---\n");
    return false;
  }
  assert_int_equal(yaml_write(tree, &slow), 0);
  assert_string_equal(strbuf_text(&quick) + 4, strbuf_text(&slow));
  return true;
}

static void json_is_restyled_to_what_its_tree_is_written_as(void **state) {
  size_t restyled = 0;

  (void)state;
  for (uint64_t seed = 1; seed <= 20000; seed++) {
    json_auto_t *tree = (random_state = seed, random_tree(4));
    _cleanup_strbuf_ struct strbuf compact = STRBUF_INIT, indented = STRBUF_INIT;
    json_auto_t *sorted = NULL;

    assert_int_equal(json_write_compact(tree, &compact), 0);
    sorted = json_loads(strbuf_text(&compact), JSON_DECODE_ANY, NULL);
    assert_non_null(sorted);
    restyled += is_restyled(strbuf_text(&compact), sorted);
    assert_int_equal(json_write(tree, &indented), 0);
    restyled += is_restyled(strbuf_text(&indented), tree);
  }
  assert_true(restyled > 200);
}

static void what_needs_a_tree_is_not_restyled(void **state) {
  static const char *const wrong[] = {"",
                                      "{",
                                      "{}",
                                      "[]",
                                      "1",
                                      "{\"a\":}",
                                      "{\"a\":01}",
                                      "{\"a\":-}",
                                      "{\"a\":-0}",
                                      "{\"a\":1.0}",
                                      "{\"a\":1e1}",
                                      "{\"a\":1234567890123456789}",
                                      "{\"a\":1,}",
                                      "{,\"a\":1}",
                                      "{\"a\":1}{}",
                                      "{\"a\":1",
                                      "{\"a\" 1}",
                                      "{\"a\":1 \"b\":2}",
                                      "{a:1}",
                                      "{\"a\":tru}",
                                      "{\"a\":True}",
                                      "{\"a\":[1,]}",
                                      "{\"a\":[1 2]}",
                                      "{\"a\":1,\"a\":2}",
                                      "{\"a\":\"}",
                                      "{\"a\":\"\\",
                                      "{\"a\":\"\\n\"}",
                                      "{\"a\\/\":1}",
                                      "{\"a\":\"\x01\"}",
                                      "{\"a\":\"\xc3\xa4\"}",
                                      "{\"a\":1]",
                                      "{\"a\":[1}"};

  (void)state;
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

    if (yaml_restyle(NULL, wrong[i], strlen(wrong[i]), NULL, 0, &text) != -ENOTSUP)
      fail_msg("%s was taken", wrong[i]);
    assert_int_equal(text.length, 0);
  }
}

static void what_is_restyled_is_what_it_is_claimed_to_be(void **state) {
  static const char text[] = "{\"kind\":\"A\",\"name\":\"n\",\"metadata\":{\"name\":\"m\",\"deep\":{\"kind\":\"B\"}},"
                             "\"list\":[{\"name\":\"l\"}]}";
  static const struct {
    struct json_claim claim;
    bool holds;
  } cases[] = {
      {{NULL, "kind", "A"}, true},        {{NULL, "kind", "B"}, false},       {{NULL, "kind", ""}, false},
      {{NULL, "other", "A"}, false},      {{NULL, "other", ""}, true},        {{"metadata", "name", "m"}, true},
      {{"metadata", "name", "n"}, false}, {{"metadata", "kind", "A"}, false}, {{"metadata", "kind", ""}, true},
      {{"list", "name", "l"}, false},     {{NULL, "metadata", ""}, true},     {{"other", "name", ""}, true}};

  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    const struct json_claim claims[] = {{"metadata", "name", "m"}, cases[i].claim, {NULL, "name", "n"}};
    _cleanup_strbuf_ struct strbuf out = STRBUF_INIT;

    assert_int_equal(yaml_restyle(NULL, text, strlen(text), claims, 3, &out), cases[i].holds ? 0 : -ENOTSUP);
    assert_int_equal(out.length > 0, cases[i].holds);
  }
}

static void compact_json_is_what_jansson_writes(void **state) {
  json_t *many = json_object();

  (void)state;
  for (int i = 0; i < 100; i++) { /* more keys than are sorted without memory */
    char key[8];
    (void)snprintf(key, sizeof key, "k%d", i * 37 % 100);
    assert_int_equal(json_object_set_new(many, key, json_integer(i % 2 ? INT64_MIN + i : INT64_MAX - i)), 0);
  }
  for (uint64_t seed = 0; seed <= 5000; seed++) {
    json_auto_t *tree = seed == 0 ? many : (random_state = seed, random_tree(4));
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    _cleanup_free_ char *as = json_dumps(tree, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);

    assert_int_equal(json_write_compact(tree, &text), 0);
    assert_string_equal(strbuf_text(&text), as);
  }
}

static void jansson_reads_what_json_write_writes(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= 2000; seed++) {
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    json_t *tree, *back;

    random_state = seed;
    tree = random_tree(4);
    assert_int_equal(json_write(tree, &text), 0);
    back = json_loadb(text.data, text.length, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
    assert_true(json_equal(tree, back));
    json_decref(back);
    json_decref(tree);
  }
}

static void assert_written(const char *json, const char *yaml) {
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  json_t *tree = json_loads(json, JSON_DECODE_ANY, NULL);

  assert_non_null(tree);
  assert_int_equal(yaml_write(tree, &text), 0);
  assert_string_equal(strbuf_text(&text), yaml);
  json_decref(tree);
}

static void yaml_is_written_as_people_write_it(void **state) {
  (void)state;
  assert_written("{\"kind\": \"TrafficSplit\", \"spec\": {\"backends\": [{\"service\": \"v1\", \"weight\": 10}],"
                 " \"none\": [], \"ratio\": 0.1, \"whole\": 2.0}}",
                 "kind: TrafficSplit\nspec:\n  backends:\n  - service: v1\n    weight: 10\n  none: []\n  ratio: 0.1\n"
                 "  whole: 2.0\n");
  assert_written("{\"a\": \"line one\\nline two\\n\"}", "a: |\n  line one\n  line two\n");
}

static void strings_a_reader_would_misread_are_quoted(void **state) {
  (void)state;
  assert_written(
      "[\"yes\", \"1\", \"0777\", \"12:30\", \"2001-01-01\", \"null\", \"\", \"~\", \"1.5\", \".5\", \"on\"]",
      "- \"yes\"\n- \"1\"\n- \"0777\"\n- \"12:30\"\n- \"2001-01-01\"\n- \"null\"\n- \"\"\n- \"~\"\n"
      "- \"1.5\"\n- \".5\"\n- \"on\"\n");
  assert_written("{\"true\": \"plain\"}", "\"true\": plain\n");
}

static void trees_that_are_too_deep_are_refused(void **state) {
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  json_t *tree = json_null();

  (void)state;
  for (size_t i = 0; i < DOCUMENT_DEPTH_MAX + 1; i++) {
    json_t *around = json_array();

    assert_int_equal(json_array_append_new(around, tree), 0);
    tree = around;
  }
  assert_int_equal(yaml_write(tree, &text), -E2BIG);
  assert_int_equal(json_write(tree, &text), -E2BIG);
  json_decref(tree);
}

/* Allocations of jansson until one fails, and all that follow. */
static unsigned allocations_left;

static void *allocate(size_t size) {
  return allocations_left && allocations_left-- ? malloc(size) : NULL;
}

static void json_read_is_whole_or_out_of_memory(void **state) {
  static const char text[] =
      "{\"key that is longer than a buffer\": [1, \"a text that is longer than a buffer\\n\", true]}";
  json_t *value = NULL;
  (void)state;
  json_set_alloc_funcs(allocate, free);
  for (allocations_left = 1;; allocations_left++) {
    const unsigned given = allocations_left;
    if (json_read(text, sizeof text - 1, &value, NULL) == 0)
      break;
    assert_null(value);
    allocations_left = given;
  }
  json_set_alloc_funcs(malloc, free);
  json_t *wanted =
      json_pack("{s:[i, s, b]}", "key that is longer than a buffer", 1, "a text that is longer than a buffer\n", 1);
  assert_true(json_equal(value, wanted));
  json_decref(wanted);
  json_decref(value);
}

static void json_read_takes_one_value(void **state) {
  _cleanup_error_ struct error *err = NULL;
  json_t *value = NULL;
  (void)state;
  assert_int_equal(json_read("17", 2, &value, NULL), 0);
  assert_int_equal(json_integer_value(value), 17);
  json_decref(value);
  value = NULL;
  assert_int_equal(json_read("{\"a\": 1,\n\"a\": 2}", 17, &value, &err), -EINVAL);
  assert_non_null(strstr(error_message(err), "line 2"));
  assert_int_equal(json_read("", 0, &value, NULL), -EINVAL);
  assert_int_equal(json_read("[1] [2]", 7, &value, NULL), -EINVAL);
  assert_null(value);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(random_trees_read_back_the_same),
      cmocka_unit_test(both_yaml_writers_write_the_same_trees),
      cmocka_unit_test(both_yaml_writers_write_the_same_texts),
      cmocka_unit_test(both_yaml_writers_write_the_same_keys),
      cmocka_unit_test(json_is_restyled_to_what_its_tree_is_written_as),
      cmocka_unit_test(what_needs_a_tree_is_not_restyled),
      cmocka_unit_test(what_is_restyled_is_what_it_is_claimed_to_be),
      cmocka_unit_test(compact_json_is_what_jansson_writes),
      cmocka_unit_test(jansson_reads_what_json_write_writes),
      cmocka_unit_test(json_read_is_whole_or_out_of_memory),
      cmocka_unit_test(json_read_takes_one_value),
      cmocka_unit_test(yaml_is_written_as_people_write_it),
      cmocka_unit_test(strings_a_reader_would_misread_are_quoted),
      cmocka_unit_test(trees_that_are_too_deep_are_refused),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
