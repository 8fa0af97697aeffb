/* Indexes: what is read, what is refused, and which package is found. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "host/package/index.h"
#include "host/package/manifest.h"
#include "sdk/base/strbuf.h"
#include "tests/support/command.h"

#define DIGEST "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void put(struct strbuf *out, const char *id, const char *version, unsigned minor, const char *arch) {
  strbuf_printf(out,
                "%s{\"id\":\"%s\",\"version\":\"%s\",\"abi\":{\"major\":1,\"minor\":%u},\"platform\":{\"os\":\"linux\","
                "\"arch\":\"%s\"},\"mesh\":\"m\",\"summary\":\"s\",\"licence\":\"MIT\",\"file\":\"%s-%s-%s.trm\","
                "\"bytes\":7,\"sha256\":\"" DIGEST "\"}",
                strbuf_text(out)[out->length - 1] == '[' ? "" : ",", id, version, minor, arch, id, version, arch);
}

static void begin(struct strbuf *out) {
  strbuf_puts(out, "{\"format\":\"trammel.package-index/v1\",\"serial\":3,\"packages\":[");
}

static int read_text(const char *text, struct index *ret_index, struct error **err) {
  return index_read(text, strlen(text), ret_index, err);
}

static void finds(const struct index *index, const char *id, const char *version, bool prereleases,
                  const char *expected) {
  const struct index_package *found = index_find(index, id, version, prereleases);
  if (!expected)
    assert_null(found);
  else if (!found)
    fail_msg("expected %s", expected);
  else
    assert_string_equal(found->version, expected);
}

static void the_newest_that_suits_is_found(void **state) {
  (void)state;
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  _cleanup_index_ struct index index = {0};
  struct error *err = NULL;
  begin(&text);
  put(&text, "a", "1.10.0", 0, platform_arch());
  put(&text, "a", "1.2.0", 0, platform_arch());
  put(&text, "a", "2.0.0-rc.1", 0, platform_arch());
  put(&text, "a", "3.0.0", 0, "z80");
  put(&text, "a", "4.0.0", 1000, platform_arch()); /* needs a later Trammel */
  put(&text, "a", "9", 0, platform_arch());        /* is no semantic version */
  put(&text, "b", "1.0.0-rc.1", 0, platform_arch());
  put(&text, "b", "1.0.0-rc.2", 0, platform_arch());
  strbuf_puts(&text, "]}");
  if (read_text(strbuf_text(&text), &index, &err) < 0)
    fail_msg("%s", error_message(err));
  assert_int_equal(index.count, 8);
  assert_int_equal(index.serial, 3);
  assert_int_equal(index.packages[0].bytes, 7);
  finds(&index, "a", NULL, false, "1.10.0");
  finds(&index, "a", NULL, true, "2.0.0-rc.1");
  finds(&index, "a", "1.2.0", false, "1.2.0");
  finds(&index, "a", "9", false, "9");
  finds(&index, "a", "3.0.0", false, NULL);
  finds(&index, "a", "4.0.0", false, NULL);
  finds(&index, "b", NULL, false, "1.0.0-rc.2");
  finds(&index, "c", NULL, false, NULL);
}

static void the_packages_are_in_the_order_of_versions(void **state) {
  (void)state;
  /* As the file has them, and as they are to be read. */
  static const char *const written[] = {"0.10.0", "0.2.0", "0.2.0+b", "0.2.0-rc.10", "0.2.0-rc.9", "1", "next"};
  static const char *const expected[] = {"1", "next", "0.2.0-rc.9", "0.2.0-rc.10", "0.2.0", "0.2.0+b", "0.10.0"};
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  _cleanup_index_ struct index index = {0};
  struct error *err = NULL;
  begin(&text);
  for (size_t i = 0; i < ARRAY_COUNT(written); i++)
    put(&text, "a", written[i], 0, "x86_64");
  put(&text, "b", "0.1.0", 0, "x86_64");
  strbuf_puts(&text, "]}");
  if (read_text(strbuf_text(&text), &index, &err) < 0)
    fail_msg("%s", error_message(err));
  assert_int_equal(index.count, ARRAY_COUNT(expected) + 1);
  for (size_t i = 0; i < ARRAY_COUNT(expected); i++)
    assert_string_equal(index.packages[i].version, expected[i]);
  assert_string_equal(index.packages[index.count - 1].id, "b");
}

/* Reads an index of one package with a text in place of another. */
static void refuses(const char *before, const char *after, const char *why) {
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT, changed = STRBUF_INIT;
  _cleanup_error_ struct error *err = NULL;
  struct index index;
  begin(&text);
  put(&text, "a", "1.0.0", 0, "x86_64");
  strbuf_puts(&text, "]}");
  const char *place = strstr(strbuf_text(&text), before);
  assert_non_null(place);
  strbuf_append(&changed, text.data, (size_t)(place - text.data));
  strbuf_puts(&changed, after);
  strbuf_puts(&changed, place + strlen(before));
  assert_int_equal(read_text(strbuf_text(&changed), &index, &err), -EINVAL);
  assert_null(index.root);
  assert_null(index.packages);
  if (!strstr(error_message(err), why))
    fail_msg("expected \"%s\", found \"%s\"", why, error_message(err));
}

static void what_is_no_index_is_refused(void **state) {
  (void)state;
  refuses("{", "", "is no JSON");
  refuses("index/v1", "index/v2", "/format");
  refuses("\"serial\":3", "\"serial\":0", "/serial");
  refuses("\"serial\":3", "\"serial\":9007199254740992", "/serial");
  refuses("\"serial\":3", "\"serial\":9223372036854775807", "/serial");
  refuses("\"serial\":3", "\"serial\":3,\"serial\":4", "is no JSON");
  refuses("\"serial\":3", "\"serial\":3,\"more\":4", "more");
  refuses("\"id\":\"a\"", "\"id\":\"../a\"", "/packages/0/id");
  refuses("\"file\":\"a", "\"file\":\"../a", "/packages/0/file");
  refuses("\"file\":\"a", "\"file\":\"/a", "/packages/0/file");
  refuses("\"file\":\"a", "\"file\":\".a", "/packages/0/file");
  refuses("\"file\":\"a", "\"file\":\"a?x#", "/packages/0/file");
  refuses("\"bytes\":7", "\"bytes\":67108865", "/packages/0/bytes");
  refuses("\"bytes\":7", "\"bytes\":-1", "/packages/0/bytes");
  refuses(DIGEST, "0", "/packages/0/sha256");
  refuses("\"licence\":\"MIT\",", "", "licence");
}

static void what_is_there_twice_or_out_of_order_is_refused(void **state) {
  (void)state;
  static const char *const seconds[] = {"1.0.0", "0.9.0"};
  for (int i = 0; i < 2; i++) {
    _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
    _cleanup_error_ struct error *err = NULL;
    struct index index;
    begin(&text);
    put(&text, "a", "1.0.0", 0, "x86_64");
    put(&text, "a", seconds[i], 0, "x86_64");
    strbuf_puts(&text, "]}");
    assert_int_equal(read_text(strbuf_text(&text), &index, &err), -EINVAL);
    assert_non_null(strstr(error_message(err), "twice or out of order"));
  }
}

static void there_is_a_limit_to_bytes_and_packages(void **state) {
  (void)state;
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT, spaces = STRBUF_INIT;
  struct index index;
  begin(&text);
  for (unsigned i = 0; i <= INDEX_PACKAGES_MAX; i++) {
    char version[16];
    (void)snprintf(version, sizeof version, "1.0.%05u", i);
    put(&text, "a", version, 0, "x86_64");
  }
  strbuf_puts(&text, "]}");
  assert_true(text.length < INDEX_BYTES_MAX);
  assert_int_equal(read_text(strbuf_text(&text), &index, NULL), -EINVAL);
  for (size_t i = 0; i <= INDEX_BYTES_MAX; i++)
    strbuf_putc(&spaces, ' ');
  assert_int_equal(read_text(strbuf_text(&spaces), &index, NULL), -EINVAL);
}

/* Writes the index of no packages with a serial. */
static void write_serial(const char *path, int64_t serial) {
  FILE *file = fopen(path, "we");
  assert_non_null(file);
  assert_true(fprintf(file, "{\"format\":\"trammel.package-index/v1\",\"serial\":%lld,\"packages\":[]}",
                      (long long)serial) > 0);
  assert_int_equal(fclose(file), 0);
}

static void a_serial_grows_to_its_end(void **state) {
  (void)state;
  char *scratch = scratch_create();
  char private[300], public[300], path[300];
  (void)snprintf(private, sizeof private, "%s/key.pem", scratch);
  (void)snprintf(public, sizeof public, "%s/key.pub.pem", scratch);
  (void)snprintf(path, sizeof path, "%s/" INDEX_FILE, scratch);
  _cleanup_signing_key_ struct signing_key *key = NULL;
  _cleanup_error_ struct error *err = NULL;
  struct index_made made = {0};
  assert_int_equal(signing_key_create(private, public, NULL), 0);
  assert_int_equal(signing_key_read_private(private, &key, NULL), 0);
  assert_int_equal(index_make(scratch, key, 7, &made, NULL), 0);
  assert_int_equal(made.serial, 7);
  assert_int_equal(index_make(scratch, key, 7, &made, NULL), 0);
  assert_int_equal(made.serial, 8);
  write_serial(path, INDEX_SERIAL_MAX - 1);
  assert_int_equal(index_make(scratch, key, 7, &made, NULL), 0);
  assert_int_equal(made.serial, INDEX_SERIAL_MAX);
  assert_int_equal(index_make(scratch, key, 7, &made, &err), -EOVERFLOW);
  assert_non_null(strstr(error_message(err), "take it away"));
  scratch_remove(scratch);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_newest_that_suits_is_found),
      cmocka_unit_test(the_packages_are_in_the_order_of_versions),
      cmocka_unit_test(what_is_no_index_is_refused),
      cmocka_unit_test(what_is_there_twice_or_out_of_order_is_refused),
      cmocka_unit_test(there_is_a_limit_to_bytes_and_packages),
      cmocka_unit_test(a_serial_grows_to_its_end),
  };
  return cmocka_run_group_tests_name("index", tests, NULL, NULL);
}
