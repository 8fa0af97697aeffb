#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/conformance/support.h"
#include "trammel/adapter/v1/adapter.pb-c.h"

static void assert_described(const struct version_support *list, size_t count, enum smi_group group,
                             const char *expected) {
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  support_describe(&text, list, count, group);
  assert_string_equal(strbuf_text(&text), expected);
}

static void an_adapters_account_is_kept_in_its_order(void **state) {
  (void)state;
  static char access[] = "access", specs[] = "specs", third[] = "v1alpha3", fourth[] = "v1alpha4", odd[] = "v2";
  Trammel__Adapter__V1__SmiSupport said[] = {
      TRAMMEL__ADAPTER__V1__SMI_SUPPORT__INIT, TRAMMEL__ADAPTER__V1__SMI_SUPPORT__INIT,
      TRAMMEL__ADAPTER__V1__SMI_SUPPORT__INIT, TRAMMEL__ADAPTER__V1__SMI_SUPPORT__INIT};
  Trammel__Adapter__V1__SmiSupport *list[] = {&said[0], &said[1], &said[2], &said[3]};
  said[0].group = specs;
  said[0].version = fourth;
  said[0].support = TRAMMEL__ADAPTER__V1__SUPPORT__SUPPORT_NATIVE;
  said[1].group = access;
  said[1].version = odd; /* not a version of SMI */
  said[1].support = TRAMMEL__ADAPTER__V1__SUPPORT__SUPPORT_NATIVE;
  said[2].group = access;
  said[2].version = third;
  said[2].support = TRAMMEL__ADAPTER__V1__SUPPORT__SUPPORT_TRANSLATED;
  said[3].group = access;
  said[3].version = fourth; /* says nothing of support */
  Trammel__Adapter__V1__DescribeResponse description = TRAMMEL__ADAPTER__V1__DESCRIBE_RESPONSE__INIT;
  description.smi = list;
  description.n_smi = 4;
  struct version_support *found = NULL;
  size_t count = 0;
  assert_int_equal(support_of(&description, &found, &count), 0);
  assert_int_equal(count, 2);
  assert_int_equal(found[0].version.group, SMI_SPECS);
  assert_int_equal(found[0].version.alpha, 4);
  assert_int_equal(found[0].support, SUPPORT_NATIVE);
  assert_int_equal(found[1].version.group, SMI_ACCESS);
  assert_int_equal(found[1].support, SUPPORT_TRANSLATED);
  free(found);

  description.n_smi = 0;
  assert_int_equal(support_of(&description, &found, &count), 0);
  assert_null(found);
  assert_int_equal(count, 0);
}

static void a_group_is_described_in_one_phrase_where_versions_agree(void **state) {
  (void)state;
  static const struct version_support list[] = {
      {{SMI_ACCESS, 1}, SUPPORT_TRANSLATED}, {{SMI_ACCESS, 2}, SUPPORT_TRANSLATED},
      {{SMI_SPLIT, 1}, SUPPORT_NATIVE},      {{SMI_SPECS, 1}, SUPPORT_TRANSLATED},
      {{SMI_SPECS, 3}, SUPPORT_UNSUPPORTED}, {{SMI_SPECS, 2}, SUPPORT_TRANSLATED},
      {{SMI_SPECS, 4}, SUPPORT_NATIVE},
  };
  assert_described(list, 7, SMI_ACCESS, "translated by the adapter");
  assert_described(list, 7, SMI_SPLIT, "native");
  assert_described(list, 7, SMI_SPECS, "native: v1alpha4; translated: v1alpha1, v1alpha2; unsupported: v1alpha3");
  assert_described(list, 7, SMI_METRICS, "");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_adapters_account_is_kept_in_its_order),
      cmocka_unit_test(a_group_is_described_in_one_phrase_where_versions_agree),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
