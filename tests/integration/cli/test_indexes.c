/* Indexes of packages, in directories and on the web, as people use them. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "host/signing/signature.h"
#include "sdk/base/document.h"
#include "tests/integration/cli/packages.h"
#include "tests/integration/engine/http_server.h"
#include "tests/support/command.h"

/* ---- indexes */

static void make_index(char path[PATH_SIZE], const char *name, size_t count) {
  packages_directory(path, name, count);
  packages_expect(0, "packages, serial ", "index", "make", path, "--key", kept.other_key, NULL);
}

/* Whichever place an index has: a newer version is found in it, by semantic versioning, and goes away again. */
static void use_index(const char *directory, const char *place) {
  packages_expect(0, "is trusted", "trust", "add", "vendor", kept.public_key, NULL);
  packages_expect(0, "added", "index", "add", "shop", place, "--key", kept.other_public, NULL);
  packages_expect(0, "shop", "index", "list", NULL);
  packages_expect(0, "versioned        1.2.0", "index", "show", "shop", NULL);
  packages_expect(0, "versioned 1.0.0: installed", "install", "shop/versioned@1.0.0", NULL);
  packages_expect(0, "versioned 1.2.0: installed, signed by vendor; 1.0.0 was in use before", "upgrade", NULL);
  packages_expect(0, "nothing newer", "upgrade", "versioned", NULL);
  const char *name = strrchr(directory, '/') + 1;
  char again[PATH_SIZE];
  make_index(again, name, VERSIONS);
  json_t *list = packages_output("upgrade", "-o", "json", NULL);
  const json_t *one = json_array_get(list, 0);
  assert_string_equal(packages_text_of(one, "version"), "1.10.0"); /* no prerelease, and 10 is more than 2 */
  assert_string_equal(packages_text_of(one, "before"), "1.2.0");
  assert_string_equal(packages_text_of(one, "source"), "shop/versioned");
  assert_string_equal(packages_text_of(one, "signer"), "vendor");
  json_decref(list);
  packages_expect(0, "versioned 2.0.0-rc.1: installed", "install", "versioned@2.0.0-rc.1", NULL);
  packages_expect(0, "versioned 1.10.0: in use again", "rollback", "versioned", NULL);
  packages_expect(2, "no index offers versioned 9.9.9", "install", "versioned@9.9.9", NULL);
  packages_expect(2, "no index offers other", "install", "other", NULL);
  packages_expect(2, "no index is called \"none\"", "install", "none/versioned", NULL);
  packages_expect(0, "removed", "index", "remove", "shop", NULL);
  packages_expect(2, "which is none any more", "upgrade", "versioned", NULL);
  packages_expect(2, "no index is called", "index", "remove", "shop", NULL);
}

static void an_index_is_a_directory(void **state) {
  (void)state;
  char directory[PATH_SIZE];
  make_index(directory, "index", 2);
  use_index(directory, directory);
}

/* A report of a check as it is kept for the file at `path`. */
static void keep_report(const char *path) {
  static const char text[] =
      "{\"format\":\"trammel.adapter-check/v1\",\"trammel\":\"1.2.3\",\"date\":\"2026-01-02T03:04:05Z\",\"seed\":\"1\","
      "\"file\":{\"name\":\"x\",\"kind\":\"package\",\"sha256\":\"DIGEST\"},"
      "\"adapter\":{\"id\":\"x\",\"version\":\"1\",\"mesh\":\"x\",\"sha256\":\"DIGEST\",\"abi\":{\"major\":1,\"minor\":"
      "0}},"
      "\"hostAbi\":{\"major\":1,\"minor\":0},"
      "\"conditions\":{\"confined\":true,\"configuration\":{\"given\":false,\"sha256\":"
      "\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"}},"
      "\"totals\":{\"skipped\":0,\"passed\":12,\"warning\":0,\"failed\":0,\"crashed\":0},\"exitCode\":0,\"checks\":[]}";
  char command[5 * PATH_SIZE], report[PATH_SIZE];
  packages_in_folder(report, "report.json");
  packages_write(report, text);
  (void)snprintf(command, sizeof command,
                 "d=$(sha256sum '%s' | cut -c1-64) && mkdir -p '%s/checks' && sed \"s/DIGEST/$d/g\" '%s' > "
                 "'%s/checks/'\"$d\".json",
                 path, kept.data, report, kept.data);
  assert_int_equal(system(command), 0);
}

/* What upgrade says of the one adapter that is installed and has nothing newer. */
static void assert_unchanged(const char *key_id, const char *signer, bool checked) {
  json_t *list = packages_output("upgrade", "-o", "json", NULL);
  const json_t *one = json_array_get(list, 0);
  assert_true(json_is_false(json_object_get(one, "changed")));
  assert_string_equal(packages_text_of(one, "version"), "1.0.0");
  assert_string_equal(packages_text_of(one, "keyId"), key_id);
  assert_string_equal(packages_text_of(one, "signer"), signer);
  assert_int_equal(json_integer_value(json_object_get(json_object_get(one, "checked"), "passed")), checked ? 12 : 0);
  assert_int_equal(json_is_null(json_object_get(one, "checked")), !checked);
  json_decref(list);
}

static void assert_listed_as_checked(void) {
  json_t *list = packages_output("list", "-o", "json", NULL);
  size_t i;
  const json_t *one, *found = NULL;
  json_array_foreach(list, i, one) {
    found = strcmp(packages_text_of(one, "id"), "versioned") == 0 ? one : found;
  }
  assert_int_equal(json_integer_value(json_object_get(json_object_get(found, "checked"), "passed")), 12);
  json_decref(list);
  packages_expect(0, "12 passed", "list", NULL);
  packages_expect(0, "12 passed", "show", "versioned", NULL);
}

static void what_has_nothing_newer_is_told_as_it_is(void **state) {
  (void)state;
  char directory[PATH_SIZE], package[PATH_SIZE], adapter[PATH_SIZE], checks[PATH_SIZE + 16], key_id[PATH_SIZE];
  make_index(directory, "index-same", 1);
  packages_path(package, "packages", "1.0.0");
  packages_expect(0, "is trusted", "trust", "add", "vendor", kept.public_key, NULL);
  packages_expect(0, "added", "index", "add", "shop", directory, "--key", kept.other_public, NULL);
  json_t *installed = packages_output("install", "shop/versioned", "-o", "json", NULL);
  (void)snprintf(key_id, sizeof key_id, "%s", packages_text_of(installed, "keyId"));
  assert_int_equal(strlen(key_id), 64);
  json_decref(installed);
  assert_unchanged(key_id, "vendor", false);
  keep_report(package);
  assert_unchanged(key_id, "vendor", true);
  assert_listed_as_checked();

  (void)snprintf(checks, sizeof checks, "%s/checks", kept.data);
  packages_remove(checks);
  assert_unchanged(key_id, "vendor", false);
  assert_true(snprintf(adapter, sizeof adapter, "%s/tests/versioned/1.0.0/versioned.so", getenv("TRAMMEL_BUILD_DIR")) <
              PATH_SIZE);
  keep_report(adapter);
  assert_unchanged(key_id, "vendor", true);
  packages_expect(0, "no longer trusted", "trust", "remove", "vendor", NULL);
  assert_unchanged(key_id, "", true);
}

static void a_name_in_two_indexes_needs_the_index(void **state) {
  (void)state;
  char one[PATH_SIZE], other[PATH_SIZE];
  make_index(one, "index-a", 1);
  make_index(other, "index-b", 1);
  packages_expect(0, "added", "index", "add", "a", one, "--key", kept.other_public, NULL);
  packages_expect(0, "added", "index", "add", "b", other, "--key", kept.other_public, NULL);
  packages_expect(2, "say a/versioned or b/versioned", "install", "versioned", "--allow-unsigned", NULL);
  packages_expect(0, "installed", "install", "b/versioned", "--allow-unsigned", NULL);
  packages_expect(2, "there is an index \"a\" already", "index", "add", "a", other, "--key", kept.other_public, NULL);
}

static void an_index_that_is_not_as_signed_is_refused(void **state) {
  (void)state;
  char directory[PATH_SIZE], file[PATH_SIZE + 32], package[PATH_SIZE], other[PATH_SIZE];
  make_index(directory, "index-changed", 1);
  packages_expect(1, "was signed with the key", "index", "add", "shop", directory, "--key", kept.public_key, NULL);
  packages_expect(0, "there is no index", "index", "list", NULL);
  packages_expect(0, "added", "index", "add", "shop", directory, "--key", kept.other_public, NULL);

  /* Another package in the place of the one that the index names. */
  packages_path(package, "index-changed", "1.0.0");
  packages_path(other, "packages", "1.2.0");
  packages_copy(other, package);
  packages_expect(1, "that the index names", "install", "versioned", "--allow-unsigned", NULL);
  packages_expect(0, "no adapter is installed", "verify", NULL);

  /* An index that was current once, with its good signature. */
  char command[4 * PATH_SIZE];
  (void)snprintf(command, sizeof command, "cp '%s'/index.json* '%s'", directory, kept.folder);
  assert_int_equal(system(command), 0);
  make_index(directory, "index-changed", 2);
  packages_expect(0, "1.2.0", "index", "show", "shop", NULL);
  (void)snprintf(command, sizeof command, "cp '%s'/index.json* '%s'", kept.folder, directory);
  assert_int_equal(system(command), 0);
  packages_expect(1, "it is older than one that was seen before", "index", "show", "shop", NULL);
  packages_expect(1, "it is older than one that was seen before", "install", "versioned", "--allow-unsigned", NULL);

  (void)snprintf(file, sizeof file, "%s/index.json", directory);
  packages_write(file, "{}");
  packages_expect(1, "the signature does not fit", "index", "show", "shop", NULL);
  packages_expect(2, "is there already and is not written over", "index", "make", directory, "--key", kept.other_key,
                  NULL);
  assert_int_equal(unlink(file), 0);
  packages_expect(2, "index.json", "index", "show", "shop", NULL);
}

/* What its owner can do: put a text in place of another in an index, and sign it. */
static void change_index(const char *directory, const char *before, const char *after) {
  char path[PATH_SIZE + 16], signature_path[PATH_SIZE + 32];
  _cleanup_free_ char *data = NULL;
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT, signature = STRBUF_INIT;
  _cleanup_signing_key_ struct signing_key *key = NULL;
  size_t length = 0;
  (void)snprintf(path, sizeof path, "%s/index.json", directory);
  (void)snprintf(signature_path, sizeof signature_path, "%s.sig", path);
  assert_int_equal(file_read(path, FILE_READ_MAX, &data, &length, NULL), 0);
  const char *place = strstr(data, before);
  assert_non_null(place);
  strbuf_append(&text, data, (size_t)(place - data));
  strbuf_puts(&text, after);
  strbuf_puts(&text, place + strlen(before));
  assert_int_equal(signing_key_read_private(kept.other_key, &key, NULL), 0);
  assert_int_equal(signature_make(key, text.data, text.length, &signature, NULL), 0);
  packages_write(path, strbuf_text(&text));
  packages_write(signature_path, strbuf_text(&signature));
}

/* The owner of an index is not trusted: under a new name or version comes only what the vendor has signed as such. */
static void a_package_that_is_another_than_the_index_says_is_refused(void **state) {
  (void)state;
  char directory[PATH_SIZE];
  make_index(directory, "index-lies", 1);
  packages_expect(0, "is trusted", "trust", "add", "vendor", kept.public_key, NULL);
  packages_expect(0, "added", "index", "add", "shop", directory, "--key", kept.other_public, NULL);
  packages_expect(0, "versioned 1.0.0: installed", "install", "shop/versioned", NULL);

  change_index(directory, "\"version\": \"1.0.0\"", "\"version\": \"9.9.9\"");
  packages_expect(1, "it is versioned 1.0.0 for linux on", "upgrade", NULL);
  packages_expect(1, "the index names versioned 9.9.9", "install", "shop/versioned", NULL);
  packages_expect(0, "versioned 1.0.0: good", "verify", NULL);

  change_index(directory, "\"id\": \"versioned\"", "\"id\": \"versionee\"");
  packages_expect(1, "the index names versionee 9.9.9", "install", "shop/versionee", NULL);
  packages_expect(0, "versioned 1.0.0: good", "verify", NULL);
}

static void an_index_of_what_is_no_package_is_not_made(void **state) {
  (void)state;
  char directory[PATH_SIZE], package[PATH_SIZE + 16];
  packages_directory(directory, "index-bad", 1);
  (void)snprintf(package, sizeof package, "%s/twice.trm", directory);
  char first[PATH_SIZE];
  packages_path(first, "index-bad", "1.0.0");
  packages_copy(first, package);
  packages_expect(2, "are both versioned 1.0.0", "index", "make", directory, "--key", kept.key, NULL);
  packages_write(package, "no package");
  packages_expect(2, "twice.trm", "index", "make", directory, "--key", kept.key, NULL);
  (void)snprintf(package, sizeof package, "%s/index.json", directory);
  assert_int_equal(access(package, F_OK), -1);
}

/* ---- over HTTP */

struct site {
  const char *directory;
  atomic_uint redirects;
};

static void answer_file(const struct site *site, struct evhttp_request *request, const char *name) {
  char path[2 * PATH_SIZE];
  (void)snprintf(path, sizeof path, "%s/%s", site->directory, name);
  int fd = strchr(name, '/') ? -1 : open(path, O_RDONLY | O_CLOEXEC);
  struct stat status;
  if (fd < 0 || fstat(fd, &status) < 0) {
    request_answer(request, 404, "text/plain", "no such file");
    return;
  }
  struct evbuffer *buffer = evbuffer_new();
  assert_int_equal(evbuffer_add_file(buffer, fd, 0, status.st_size), 0);
  evhttp_send_reply(request, 200, NULL, buffer);
  evbuffer_free(buffer);
}

/* /files/NAME is a file, /moved/NAME leads there, /loop to itself, /file to a file of this machine, /busy is down. */
static void serve(struct http_server *server, struct evhttp_request *request, void *ctx) {
  struct site *site = ctx;
  const char *path = evhttp_request_get_uri(request);
  char to[PATH_SIZE] = "";
  (void)server;
  if (strncmp(path, "/files/", 7) == 0) {
    answer_file(site, request, path + 7);
    return;
  }
  if (strncmp(path, "/busy", 5) == 0) {
    request_answer(request, 503, "text/plain", "busy");
    return;
  }
  if (strncmp(path, "/moved/", 7) == 0)
    (void)snprintf(to, sizeof to, "/files/%s", path + 7);
  else if (strncmp(path, "/file/", 6) == 0)
    (void)snprintf(to, sizeof to, "file://%s/%s", site->directory, path + 6);
  else
    (void)snprintf(to, sizeof to, "%s", path);
  (void)atomic_fetch_add(&site->redirects, 1);
  (void)evhttp_add_header(evhttp_request_get_output_headers(request), "Location", to);
  request_answer(request, 302, "text/plain", "elsewhere");
}

static void an_index_is_a_web_site(void **state) {
  (void)state;
  char directory[PATH_SIZE], url[PATH_SIZE];
  make_index(directory, "site", 2);
  struct site site = {.directory = directory};
  struct http_server *server = http_server_start(serve, &site);
  (void)snprintf(url, sizeof url, "%s/files", http_server_url(server));
  use_index(directory, url);
  (void)snprintf(url, sizeof url, "%s/moved/", http_server_url(server));
  packages_expect(0, "added", "index", "add", "moved", url, "--key", kept.other_public, NULL);
  assert_true(atomic_load(&site.redirects) >= 2);
  http_server_stop(server);
  packages_expect(3, "connection refused", "install", "versioned", NULL);
}

static void a_package_comes_from_the_web(void **state) {
  (void)state;
  char directory[PATH_SIZE], url[2 * PATH_SIZE], package[PATH_SIZE];
  packages_directory(directory, "site", 1);
  packages_path(package, "site", "1.0.0");
  const char *name = strrchr(package, '/') + 1;
  struct site site = {.directory = directory};
  struct http_server *server = http_server_start(serve, &site);
  const char *base = http_server_url(server);
  (void)snprintf(url, sizeof url, "%s/files/nothing.trm", base);
  packages_expect(2, "answered 404", "install", url, NULL);
  (void)snprintf(url, sizeof url, "%s/busy", base);
  packages_expect(3, "answered 503", "install", url, NULL);
  (void)snprintf(url, sizeof url, "%s/loop", base);
  packages_expect(3, "redirected more than 5 times", "install", url, NULL);
  assert_int_equal(atomic_load(&site.redirects), 6);
  (void)snprintf(url, sizeof url, "%s/file/%s", base, name);
  packages_expect(2, "file", "install", url, "--allow-unsigned", NULL);
  packages_expect(0, "no adapter is installed", "verify", NULL);
  (void)snprintf(url, sizeof url, "%s/moved/%s", base, name);
  packages_expect(1, "no trusted key has signed it", "install", url, NULL);
  packages_expect(0, "versioned 1.0.0: installed", "install", url, "--allow-unsigned", NULL);
  http_server_stop(server);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(an_index_is_a_directory, packages_forget),
      cmocka_unit_test_setup(what_has_nothing_newer_is_told_as_it_is, packages_forget),
      cmocka_unit_test_setup(a_name_in_two_indexes_needs_the_index, packages_forget),
      cmocka_unit_test_setup(an_index_that_is_not_as_signed_is_refused, packages_forget),
      cmocka_unit_test_setup(a_package_that_is_another_than_the_index_says_is_refused, packages_forget),
      cmocka_unit_test_setup(an_index_of_what_is_no_package_is_not_made, packages_forget),
      cmocka_unit_test_setup(an_index_is_a_web_site, packages_forget),
      cmocka_unit_test_setup(a_package_comes_from_the_web, packages_forget),
  };
  return cmocka_run_group_tests_name("indexes", tests, packages_setup, packages_teardown);
}
