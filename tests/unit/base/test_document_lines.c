/* The fast reader of block YAML against libyaml: what it reads is the same tree at the same places, and what it leaves
 * is told the same way. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sdk/base/strbuf.h"
#include "tests/unit/base/two_readers.h"

static const struct document_limits limits = {.bytes = 1 << 16, .depth = 6, .nodes = 60, .documents = 4};

static bool assert_same(const char *text, size_t length) {
  assert_true(readers_agree(text, length, &limits));
  return lines_suffice(text, length, &limits);
}

static bool assert_same_text(const char *text) {
  return assert_same(text, strlen(text));
}

static const char manifest[] = "# a comment\n"
                               "---\n"
                               "apiVersion: specs.smi-spec.io/v1alpha4\n"
                               "kind: HTTPRouteGroup\n"
                               "metadata:\n"
                               "  name: routes-1\n"
                               "  labels: {}\n"
                               "spec:\n"
                               "\n"
                               "  matches:\n"
                               "  - name: \"read\"\n"
                               "    pathRegex: /api/1/.*\n"
                               "    methods: [GET, 'PUT',\"*\"]\n"
                               "  # another\n"
                               "  - name:   write me\n"
                               "    weight: -10\n"
                               "    share: 0x1f\n"
                               "    list:\n"
                               "      -   a: b:c\n"
                               "          d: ~\n"
                               "      - true\n"
                               "      - []\n"
                               "---\n"
                               "other: 'text'\n";

static void manifests_need_no_libyaml(void **state) {
  (void)state;
  assert_true(assert_same_text(manifest));
  assert_true(assert_same_text(""));
  assert_true(assert_same_text("# only this\n"));
  assert_true(assert_same_text("a: b"));
}

/* Each is read by libyaml, from the document on that it is in. */
static void what_is_not_plain_block_yaml_is_left_to_libyaml(void **state) {
  static const char *const texts[] = {
      "a:\n",      "a: b\n  c\n",   "a: |\n  b\n", "a: *b\n",     "a: b # c\n",          "a: \"\\n\"\n", "a: 'b''c'\n",
      "a: {b: c}", "a: [b, [c]]\n", "a: b\n...\n", "--- a\n",     "a: b\na: c\n",        "- a\n",        "a: b: c\n",
      "a:\tb\n",   "a: b\r\n",      "a: !!str b",  "? a\n: b\n",  "a: \xc3\xa4\n",       "a: b \n",      "a:\n- - b\n",
      "a:\n-\n",   "a: b\n c: d\n", "a : b\n",     "a: [b, ]\n",  "a: [b\n  , c]\n",     "\"a\": b\n",   "a: [b]: c\n",
      "---\n",     "---\n---\n",    "a: \x01\n",   "%YAML 1.1\n", "a:\n  b: c\n d: e\n", "a: [b c]\n",   "# \xc3\xa4\n",
  };
  (void)state;
  for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
    _cleanup_strbuf_ struct strbuf later = STRBUF_INIT;
    if (assert_same_text(texts[i]))
      fail_msg("read without libyaml: %s", texts[i]);
    strbuf_puts(&later, "first: document\n---\n");
    strbuf_puts(&later, texts[i]);
    (void)assert_same_text(strbuf_text(&later));
  }
}

static uint64_t random_state = 1;

static size_t random_below(size_t count) {
  random_state = random_state * 6364136223846793005u + 1442695040888963407u;
  return (size_t)(random_state >> 33) % count;
}

static const char *random_of(const char *const *words, size_t count) {
  return words[random_below(count)];
}
#define RANDOM_OF(words) random_of(words, sizeof(words) / sizeof((words)[0]))

static void append_spaces(struct strbuf *out, size_t count) {
  while (count-- > 0)
    strbuf_putc(out, ' ');
}

static void append_random_value(struct strbuf *out) {
  static const char *const values[] = {
      "x",   "true",     "12",   "-3",         "~",     "0x1F",  "1.5",  "[a, b]", "[]",        "{}",
      "'q'", "\"q\"",    "a b",  "a:b",        "a#b",   "no",    "<<",   "''",     "\"\"",      "[-1]",
      "=",   "[ a ,b ]", "$(A)", "/x?y=&*%@`", "^a.*$", "(a|b)", "+1e3", ".5",     "\"a: #b\"", "[\"a\",'b']"};
  strbuf_puts(out, RANDOM_OF(values));
  strbuf_puts(out, random_below(8) ? "\n" : "\n\n  # comment\n");
}

/* Goes on where the text ends; its other lines begin `indent` characters on. */
static void append_random_map(struct strbuf *out, size_t indent, size_t depth) {
  for (size_t i = 0, count = 1 + random_below(3); i < count; i++) {
    if (i > 0)
      append_spaces(out, indent);
    strbuf_printf(out, "key %zu:", i);
    size_t step = random_below(3), choice = depth > 1 ? random_below(3) : 0;
    if (choice == 0) {
      append_spaces(out, 1 + step);
      append_random_value(out);
      continue;
    }
    strbuf_putc(out, '\n');
    if (choice == 1) {
      append_spaces(out, indent + 1 + step);
      append_random_map(out, indent + 1 + step, depth - 1);
      continue;
    }
    for (size_t j = 0, items = 1 + random_below(3); j < items; j++) {
      append_spaces(out, indent + step);
      strbuf_puts(out, "- ");
      if (depth > 2 && random_below(2))
        append_random_map(out, indent + step + 2, depth - 2);
      else
        append_random_value(out);
    }
  }
}

static void random_documents_need_no_libyaml(void **state) {
  size_t within_limits = 0;
  (void)state;
  for (uint64_t seed = 1; seed <= 5000; seed++) {
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    random_state = seed;
    for (size_t i = 0, count = 1 + random_below(3); i < count; i++) {
      strbuf_puts(&text, i > 0 || random_below(2) ? "---\n" : "");
      append_random_map(&text, 0, 5);
    }
    within_limits += assert_same(strbuf_text(&text), text.length);
  }
  assert_true(within_limits > 2500);
}

static void append_random_line(struct strbuf *out, size_t *indent) {
  static const char *const dashes[] = {"", "", "", "- ", "-   ", "-", "- - "};
  static const char *const keys[] = {"a", "b",   "c",   "d",     "long key", "e1", "_f",
                                     "9", "f/g", "x:y", "\"q\"", ".g",       "-h", "<<"};
  static const char *const colons[] = {": ", ":\n", ":   ", ":", " : ", ": #", ":\t"};
  static const char *const values[] = {
      "x",          "true", "12",   "-3",    "~",     "0x1F",   "1.5",         "[a, b]", "[]",      "{}",    "'q'",
      "\"q\"",      "a b",  "a:b",  "a#b",   "no",    "<<",     "''",          "\"\"",   "[ a ,b]", "[-1]",  "=",
      "/x?y=&*%@`", "$(A)", ".5",   "^a.*$", "(a|b)", "+1e3",   "[\"a\",'b']", "a, b]",  "a #b",    "[a b]", "a: b",
      "'it''s'",    "-",    "--- ", "...",   "[a,]",  "{a: b}", "\"a\" b",     "| ",     "[a:b]",   "%a",    "a\\b "};
  static const char *const others[] = {"---\n", "# comment\n", "\n",     "   \n", "#\n",
                                       "...\n", "plain\n",     "--- \n", "---a\n"};
  if (random_below(12) == 0) {
    strbuf_puts(out, RANDOM_OF(others));
    return;
  }
  /* Mostly where the line before was, or a step away. */
  *indent = random_below(4) > 0 ? *indent : random_below(2) ? *indent / 4 * 2 : random_below(*indent + 4);
  for (size_t i = 0; i < *indent; i++)
    strbuf_putc(out, ' ');
  const char *dash = RANDOM_OF(dashes);
  strbuf_puts(out, dash);
  if (random_below(8) > 0) {
    strbuf_puts(out, RANDOM_OF(keys));
    const char *colon = RANDOM_OF(colons);
    strbuf_puts(out, colon);
    *indent += strlen(dash);
    if (strchr(colon, '\n')) {
      *indent += 2;
      return;
    }
  }
  strbuf_puts(out, RANDOM_OF(values));
  strbuf_putc(out, '\n');
}

static void random_lines_read_the_same(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= 30000; seed++) {
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    size_t indent = 0;
    random_state = seed;
    for (size_t i = 0, count = 1 + random_below(8); i < count; i++)
      append_random_line(&text, &indent);
    (void)assert_same(strbuf_text(&text), text.length);
  }
}

/* One character of a manifest changed, taken away or put in. */
static void changed_manifests_read_the_same(void **state) {
  static const char characters[] = "a0 :#-.?!&*|>'\"%@`,[]{}~=<\\/\n\t\x7f";
  (void)state;
  for (size_t i = 0; i + 1 < sizeof(manifest); i++)
    for (size_t j = 0; j + 1 < sizeof(characters); j++)
      for (size_t how = 0; how < 2; how++) {
        _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
        strbuf_append(&text, manifest, i);
        strbuf_putc(&text, characters[j]);
        strbuf_puts(&text, manifest + i + how);
        (void)assert_same(strbuf_text(&text), text.length);
      }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(manifests_need_no_libyaml),
      cmocka_unit_test(what_is_not_plain_block_yaml_is_left_to_libyaml),
      cmocka_unit_test(random_documents_need_no_libyaml),
      cmocka_unit_test(random_lines_read_the_same),
      cmocka_unit_test(changed_manifests_read_the_same),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
