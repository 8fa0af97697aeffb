#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "sdk/base/strbuf.h"
#include "tests/unit/smi/support.h"

#define SPECS "apiVersion: specs.smi-spec.io/"

static void lists_are_read_item_by_item(void **state) {
  struct reading_result r =
      read_text("apiVersion: v1\nkind: List\nitems:\n"
                "- {apiVersion: specs.smi-spec.io/v1alpha4, kind: TCPRoute, metadata: {name: a}}\n"
                "- {apiVersion: specs.smi-spec.io/v1alpha9, kind: TCPRoute, metadata: {name: b}}\n"
                "---\n" SPECS "v1alpha4\nkind: TCPRouteList\nmetadata: {resourceVersion: \"1\"}\nitems:\n"
                "- {metadata: {name: c}}\n");
  (void)state;

  assert_int_equal(r.result, -EINVAL);
  assert_int_equal(r.set.port_route_count, 2);
  assert_string_equal(r.set.port_routes[1].meta.name, "c");
  assert_string_equal(expect_diagnostic(r.diagnostics, "SMI-0003")->pointer, "/items/1/apiVersion");
  reading_finish(&r);
}

/* What concatenated outputs of kubectl look like. */
static void lists_within_lists_are_read(void **state) {
  struct reading_result r =
      read_text("apiVersion: v1\nkind: List\nitems:\n"
                "- apiVersion: v1\n  kind: List\n  items:\n"
                "  - {apiVersion: specs.smi-spec.io/v1alpha4, kind: TCPRoute, metadata: {name: a}}\n"
                "  - {apiVersion: specs.smi-spec.io/v1alpha4, kind: TCPRoute, metadata: {name: B}}\n"
                "- {apiVersion: specs.smi-spec.io/v1alpha4, kind: TCPRouteList, items: [{metadata: {name: c}}]}\n");
  (void)state;

  assert_int_equal(r.result, -EINVAL);
  assert_int_equal(r.set.port_route_count, 2);
  assert_string_equal(r.set.port_routes[0].meta.name, "a");
  assert_string_equal(r.set.port_routes[1].meta.name, "c");
  assert_string_equal(expect_diagnostic(r.diagnostics, "SMI-0010")->pointer, "/items/0/items/1/metadata/name");
  reading_finish(&r);
}

static struct reading_result read_nested(unsigned depth) {
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

  for (unsigned i = 0; i < depth; i++)
    strbuf_puts(&text, "{apiVersion: v1, kind: List, items: [");
  strbuf_puts(&text, "{apiVersion: specs.smi-spec.io/v1alpha4, kind: TCPRoute, metadata: {name: a}}");
  for (unsigned i = 0; i < depth; i++)
    strbuf_puts(&text, "]}");
  return read_text(strbuf_text(&text));
}

static void lists_nest_as_deep_as_the_limit_and_no_deeper(void **state) {
  struct reading_result good = read_nested(SMI_LIST_DEPTH_MAX), bad = read_nested(SMI_LIST_DEPTH_MAX + 1);
  (void)state;

  assert_int_equal(good.result, 0);
  assert_int_equal(good.set.port_route_count, 1);
  assert_int_equal(bad.result, -EINVAL);
  assert_int_equal(bad.set.port_route_count, 0);
  expect_diagnostic(bad.diagnostics, "SMI-0014");
  reading_finish(&good);
  reading_finish(&bad);
}

/* Every scalar of a long list is no resource, and finding its place took as long as the list. */
static void a_list_that_is_too_long_is_refused_as_a_whole(void **state) {
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  struct reading_result r;
  (void)state;

  strbuf_puts(&text, "{apiVersion: v1, kind: List, items: [1");
  for (size_t i = 0; i < SMI_LIST_MAX; i++)
    strbuf_puts(&text, ",1");
  strbuf_puts(&text, "]}");
  r = read_text(strbuf_text(&text));
  assert_int_equal(r.result, -EINVAL);
  assert_int_equal(diagnostics_count(r.diagnostics), 1);
  assert_string_equal(expect_diagnostic(r.diagnostics, "SMI-0014")->pointer, "/items");
  reading_finish(&r);
}

static void a_list_of_headers_that_is_too_long_is_refused(void **state) {
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  struct reading_result r;
  (void)state;

  strbuf_puts(&text, SPECS "v1alpha4\nkind: HTTPRouteGroup\nmetadata: {name: g}\n"
                           "spec: {matches: [{name: m, headers: [1");
  for (size_t i = 0; i < SMI_LIST_MAX; i++)
    strbuf_puts(&text, ",1");
  strbuf_puts(&text, "]}]}\n");
  r = read_text(strbuf_text(&text));
  assert_int_equal(r.result, -EINVAL);
  assert_int_equal(diagnostics_count(r.diagnostics), 1);
  assert_string_equal(expect_diagnostic(r.diagnostics, "SMI-0014")->pointer, "/spec/matches/0/headers");
  reading_finish(&r);
}

/* Beyond what the list keeps they are counted, and no memory is spent on them. */
static void errors_beyond_those_kept_are_counted(void **state) {
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  struct reading_result r;
  (void)state;

  strbuf_puts(&text, "{apiVersion: v1, kind: List, items: [1");
  for (size_t i = 1; i < SMI_LIST_MAX; i++)
    strbuf_puts(&text, ",1");
  strbuf_puts(&text, "]}");
  r = read_text(strbuf_text(&text));
  assert_int_equal(diagnostics_count(r.diagnostics), DIAGNOSTICS_MAX);
  assert_int_equal(diagnostics_count_of(r.diagnostics, SEVERITY_ERROR), SMI_LIST_MAX);
  assert_string_equal(diagnostics_at(r.diagnostics, DIAGNOSTICS_MAX - 1)->pointer, "/items/999");
  reading_finish(&r);
}

static void too_many_resources_stop_the_reading(void **state) {
  struct arena *arena = arena_create(0);
  struct diagnostics *diagnostics = diagnostics_create();
  struct smi_reader *reader = smi_reader_create(arena, NULL, diagnostics);
  struct document_list list;
  struct smi_set set;
  static const char text[] = SPECS "v1alpha4\nkind: TCPRoute\nmetadata: {name: r}\n";
  (void)state;

  assert_int_equal(
      document_read(arena, NULL, text, sizeof(text) - 1, DOCUMENT_ANY, &document_limits_default, diagnostics, &list),
      0);
  for (size_t i = 0; i < SMI_RESOURCES_MAX; i++)
    assert_int_equal(smi_reader_document(reader, list.roots[0]), 0);
  assert_int_equal(smi_reader_document(reader, list.roots[0]), -E2BIG);
  assert_int_equal(smi_reader_finish(reader, &set), 0);
  assert_int_equal(set.port_route_count, SMI_RESOURCES_MAX);
  diagnostics_destroy(diagnostics);
  arena_destroy(arena);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(lists_are_read_item_by_item),
      cmocka_unit_test(lists_within_lists_are_read),
      cmocka_unit_test(lists_nest_as_deep_as_the_limit_and_no_deeper),
      cmocka_unit_test(a_list_that_is_too_long_is_refused_as_a_whole),
      cmocka_unit_test(a_list_of_headers_that_is_too_long_is_refused),
      cmocka_unit_test(errors_beyond_those_kept_are_counted),
      cmocka_unit_test(too_many_resources_stop_the_reading),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
