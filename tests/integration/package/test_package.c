/* Packages of a real adapter: made, read back, signed, and refused when anything in them is not what it was. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/adapter/child.h"
#include "host/package/package.h"
#include "sdk/base/document.h"
#include "tests/support/command.h"

struct fixture {
  char *scratch;
  char adapter[512];
  char document[512];
  struct strbuf packed;
};

static int setup(void **state) {
  static struct fixture fixture;
  fixture = (struct fixture){.scratch = scratch_create()};
  (void)snprintf(fixture.adapter, sizeof fixture.adapter, "%s/lib/trammel/adapters/reference.so",
                 getenv("TRAMMEL_BUILD_DIR"));
  (void)snprintf(fixture.document, sizeof fixture.document, "%s/README.md", getenv("TRAMMEL_SOURCE_DIR"));
  const char *documents[] = {fixture.document, NULL};
  const struct packing packing = {.adapter = fixture.adapter,
                                  .documents = documents,
                                  .facts = {.licence = "Apache-2.0", .homepage = "https://trammel.test"}};
  _cleanup_package_ struct package package = {0};
  struct error *err = NULL;
  if (package_make(&packing, &package, &fixture.packed, &err) < 0)
    fail_msg("%s", error_message(err));
  assert_string_equal(package.manifest.id, "reference");
  assert_string_equal(package.manifest.mesh_type, "reference");
  *state = &fixture;
  return 0;
}

static int teardown(void **state) {
  struct fixture *fixture = *state;
  scratch_remove(fixture->scratch);
  strbuf_finish(&fixture->packed);
  return 0;
}

static void read_back(const struct fixture *fixture, struct package *package) {
  struct error *err = NULL;
  if (package_read(fixture->packed.data, fixture->packed.length, package, &err) < 0)
    fail_msg("%s", error_message(err));
}

/* Reads what the files come to, and says why not. */
static void assert_refused(const struct tarball *tarball, int code, const char *why) {
  _cleanup_strbuf_ struct strbuf packed = STRBUF_INIT;
  _cleanup_error_ struct error *err = NULL;
  struct package package;
  assert_int_equal(tarball_write(tarball, &packed, NULL), 0);
  assert_int_equal(package_read(packed.data, packed.length, &package, &err), code);
  assert_null(package.tarball.files);
  assert_null(package.manifest.root);
  if (!strstr(error_message(err), why))
    fail_msg("expected \"%s\", found \"%s\"", why, error_message(err));
}

/* What could not be installed is not packed. */
static void a_manifest_that_is_none_is_not_made(void **state) {
  const struct fixture *fixture = *state;
  char longer[600] = "https://trammel.test/";
  memset(longer + strlen(longer), 'a', sizeof longer - 1 - strlen(longer));
  const char *const bad[] = {
      "trammel.test", "javascript:alert(1)", "https://trammel.test/\n", "https://a b", longer, NULL};
  for (size_t i = 0; bad[i]; i++) {
    const struct packing packing = {.adapter = fixture->adapter,
                                    .facts = {.licence = "Apache-2.0", .homepage = bad[i]}};
    _cleanup_package_ struct package package = {0};
    _cleanup_strbuf_ struct strbuf packed = STRBUF_INIT;
    _cleanup_error_ struct error *err = NULL;
    if (package_make(&packing, &package, &packed, &err) != -EINVAL || !strstr(error_message(err), "/homepage"))
      fail_msg("%s: %s", bad[i], err ? error_message(err) : "taken");
  }
}

static void what_is_made_is_read_back(void **state) {
  const struct fixture *fixture = *state;
  _cleanup_package_ struct package package = {0};
  read_back(fixture, &package);
  assert_string_equal(package.manifest.adapter, "reference.so");
  assert_string_equal(package.manifest.licence, "Apache-2.0");
  assert_string_equal(package.manifest.homepage, "https://trammel.test");
  assert_int_equal(package.tarball.count, 3);
  assert_non_null(tarball_find(&package.tarball, "doc/README.md"));
  assert_int_equal(strlen(package.digest), DIGEST_SIZE - 1);
  struct error *err = NULL;
  if (package_check_adapter(&package, false, &err) < 0)
    fail_msg("%s", error_message(err));
  _cleanup_free_ char *name = package_file_name(&package.manifest);
  assert_non_null(strstr(name, "reference-"));
  assert_string_equal(name + strlen(name) - strlen(PACKAGE_SUFFIX), PACKAGE_SUFFIX);
}

static void a_changed_file_is_refused(void **state) {
  const struct fixture *fixture = *state;
  _cleanup_package_ struct package package = {0};
  read_back(fixture, &package);
  assert_int_equal(tarball_put(&package.tarball, "doc/README.md", "other", 5, NULL), 0);
  assert_refused(&package.tarball, -EBADMSG, "doc/README.md is not the file that its manifest lists");
}

static void a_file_more_or_less_is_refused(void **state) {
  const struct fixture *fixture = *state;
  _cleanup_package_ struct package package = {0};
  _cleanup_tarball_ struct tarball less = {0};
  read_back(fixture, &package);
  for (size_t i = 0; i < package.tarball.count; i++)
    if (strcmp(package.tarball.files[i].path, "doc/README.md") != 0)
      assert_int_equal(tarball_add(&less, package.tarball.files[i].path, package.tarball.files[i].data,
                                   package.tarball.files[i].length, NULL),
                       0);
  assert_refused(&less, -EINVAL, "lists doc/README.md, which is not there");
  assert_int_equal(tarball_add(&package.tarball, "more", "", 0, NULL), 0);
  assert_refused(&package.tarball, -EINVAL, "files that its manifest does not list");
}

/* The package with one more file that its manifest lists. */
static void add_listed(struct package *package, const char *path) {
  static const char digest_of_nothing[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
  json_t *files = json_object_get(package->manifest.root, "files");
  size_t place = 0;
  while (place < json_array_size(files) &&
         strcmp(json_string_value(json_object_get(json_array_get(files, place), "path")), path) < 0)
    place++;
  assert_int_equal(
      json_array_insert_new(files, place,
                            json_pack("{s:s, s:i, s:s}", "path", path, "bytes", 0, "sha256", digest_of_nothing)),
      0);
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  assert_int_equal(json_write(package->manifest.root, &text), 0);
  assert_int_equal(tarball_put(&package->tarball, MANIFEST_PATH, text.data, text.length, NULL), 0);
  assert_int_equal(tarball_add(&package->tarball, path, "", 0, NULL), 0);
}

/* Nobody looked at what it says of itself, but it would be found where the package is installed. */
static void a_second_adapter_is_refused(void **state) {
  const struct fixture *fixture = *state;
  _cleanup_package_ struct package package = {0}, again = {0};
  _cleanup_strbuf_ struct strbuf packed = STRBUF_INIT;
  read_back(fixture, &package);
  add_listed(&package, "doc/other.so");
  add_listed(&package, "so");
  assert_int_equal(tarball_write(&package.tarball, &packed, NULL), 0);
  assert_int_equal(package_read(packed.data, packed.length, &again, NULL), 0);
  add_listed(&package, "other.so");
  assert_refused(&package.tarball, -EINVAL, "it has other.so besides its adapter reference.so");
}

/* The manifest with one text in place of another, its files as they were. */
static void assert_manifest_refused(const struct fixture *fixture, const char *before, const char *after, int code,
                                    const char *why) {
  _cleanup_package_ struct package package = {0};
  _cleanup_strbuf_ struct strbuf changed = STRBUF_INIT, text = STRBUF_INIT;
  read_back(fixture, &package);
  const struct tarball_file *manifest = tarball_find(&package.tarball, MANIFEST_PATH);
  strbuf_append(&text, manifest->data, manifest->length);
  const char *place = strstr(strbuf_text(&text), before);
  assert_non_null(place);
  strbuf_append(&changed, text.data, (size_t)(place - text.data));
  strbuf_puts(&changed, after);
  strbuf_puts(&changed, place + strlen(before));
  assert_int_equal(tarball_put(&package.tarball, MANIFEST_PATH, changed.data, changed.length, NULL), 0);
  assert_refused(&package.tarball, code, why);
}

static void a_manifest_that_lies_is_refused(void **state) {
  const struct fixture *fixture = *state;
  assert_manifest_refused(fixture, "\"id\": \"reference\"", "\"id\": \"another\"", -EINVAL,
                          "says id \"another\", its adapter \"reference\"");
  assert_manifest_refused(fixture, "\"os\": \"linux\"", "\"os\": \"plan9\"", -ENOEXEC, "it is for plan9");
  assert_manifest_refused(fixture, "\"id\": \"reference\"", "\"id\": \"../reference\"", -EINVAL,
                          "/id: expected text that matches");
  assert_manifest_refused(fixture, "\"format\"", "\"extra\": 1, \"format\"", -EINVAL, "\"extra\"");
  assert_manifest_refused(fixture, "\"adapter\": \"reference.so\"", "\"adapter\": \"doc/README.md\"", -EINVAL,
                          "doc/README.md is the adapter: it must end with .so");
  assert_manifest_refused(fixture, "{", "", -EINVAL, "its manifest.json is none");
}

static void a_signature_is_by_its_key_and_of_its_manifest(void **state) {
  const struct fixture *fixture = *state;
  char private_path[600], public_path[600], other_path[600], other_public[600];
  (void)snprintf(private_path, sizeof private_path, "%s/key.pem", fixture->scratch);
  (void)snprintf(public_path, sizeof public_path, "%s/key.pub.pem", fixture->scratch);
  (void)snprintf(other_path, sizeof other_path, "%s/other.pem", fixture->scratch);
  (void)snprintf(other_public, sizeof other_public, "%s/other.pub.pem", fixture->scratch);
  assert_int_equal(signing_key_create(private_path, public_path, NULL), 0);
  assert_int_equal(signing_key_create(other_path, other_public, NULL), 0);
  _cleanup_signing_key_ struct signing_key *own = NULL, *trusted = NULL, *other = NULL;
  assert_int_equal(signing_key_read_private(private_path, &own, NULL), 0);
  assert_int_equal(signing_key_read_public(public_path, &trusted, NULL), 0);
  assert_int_equal(signing_key_read_public(other_public, &other, NULL), 0);
  const struct signing_key *one[] = {trusted}, *wrong[] = {other}, *by = NULL;

  _cleanup_package_ struct package package = {0}, again = {0};
  _cleanup_strbuf_ struct strbuf with = STRBUF_INIT;
  read_back(fixture, &package);
  assert_int_equal(package_verify(&package, one, 1, &by, NULL), -ENOENT);
  assert_int_equal(package_sign(&package, own, &with, NULL), 0);
  assert_int_equal(package_read(with.data, with.length, &again, NULL), 0);
  assert_string_equal(again.digest, package.digest);
  assert_int_equal(package_verify(&again, one, 1, &by, NULL), 0);
  assert_ptr_equal(by, trusted);
  assert_int_equal(package_verify(&again, wrong, 1, &by, NULL), -ENOKEY);
  assert_int_equal(package_verify(&again, NULL, 0, &by, NULL), -ENOKEY);

  /* Someone else's package under this signature. */
  const struct tarball_file *manifest = tarball_find(&again.tarball, MANIFEST_PATH);
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  strbuf_append(&text, manifest->data, manifest->length);
  strbuf_puts(&text, " ");
  assert_int_equal(tarball_put(&again.tarball, MANIFEST_PATH, text.data, text.length, NULL), 0);
  assert_int_equal(package_verify(&again, one, 1, &by, NULL), -EBADMSG);
}

static void what_is_no_adapter_is_not_packed(void **state) {
  const struct fixture *fixture = *state;
  const struct packing packing = {.adapter = fixture->document, .facts = {.licence = "Apache-2.0"}};
  _cleanup_package_ struct package package = {0};
  _cleanup_strbuf_ struct strbuf out = STRBUF_INIT;
  _cleanup_error_ struct error *err = NULL;
  assert_int_equal(package_make(&packing, &package, &out, &err), -EINVAL);
  assert_non_null(strstr(error_message(err), "not an ELF file"));
  assert_int_equal(out.length, 0);
}

/* Adapters that pass the load gate and describe themselves, but not as the host takes it. */
static const struct {
  const char *name;
  const char *why;
} refused[] = {
    {"bad_schema", "config_schema"},
    {"bad_endpoint", "Describe names the endpoint"},
    {"lies_version", "Describe says adapter_version \"9.9.9\", its note says \"1.0.0\""},
    {"unknown_smi", "Describe names the unknown SMI version"},
};

static void broken_path(char path[512], const char *name) {
  (void)snprintf(path, 512, "%s/tests/broken-adapters/%s.so", getenv("TRAMMEL_BUILD_DIR"), name);
}

static void assert_says(const struct error *err, const char *why) {
  if (!strstr(error_message(err), why))
    fail_msg("expected \"%s\", found \"%s\"", why, error_message(err));
}

static void what_the_host_would_not_use_is_not_packed(void **state) {
  (void)state;
  for (size_t i = 0; i < ARRAY_COUNT(refused); i++) {
    char path[512];
    broken_path(path, refused[i].name);
    const struct packing packing = {.adapter = path, .facts = {.licence = "Apache-2.0"}};
    _cleanup_package_ struct package package = {0};
    _cleanup_strbuf_ struct strbuf out = STRBUF_INIT;
    _cleanup_error_ struct error *err = NULL;
    assert_int_equal(package_make(&packing, &package, &out, &err), -EINVAL);
    assert_says(err, refused[i].why);
    assert_int_equal(out.length, 0);
  }
}

/* What somebody packs with another tool: the manifest says what the adapter says. */
static void pack_as_it_is(const char *path, struct package *package) {
  static const struct manifest_facts facts = {.licence = "Apache-2.0"};
  Trammel__Adapter__V1__DescribeResponse *description = NULL;
  _cleanup_gate_ struct gate gate = {.fd = -1};
  _cleanup_free_ char *data = NULL;
  size_t length = 0;
  *package = (struct package){0};
  assert_int_equal(gate_open(path, &gate, NULL), 0);
  assert_int_equal(child_describe(gate.fd, true, &description, NULL), 0);
  assert_int_equal(file_read(path, TARBALL_BYTES_MAX, &data, &length, NULL), 0);
  assert_int_equal(tarball_add(&package->tarball, "broken.so", data, length, NULL), 0);
  assert_int_equal(
      manifest_make(&gate.note, description, &facts, "broken.so", &package->tarball, &package->manifest, NULL), 0);
  trammel__adapter__v1__describe_response__free_unpacked(description, NULL);
}

static void what_the_host_would_not_use_is_not_good(void **state) {
  (void)state;
  for (size_t i = 0; i < ARRAY_COUNT(refused); i++) {
    char path[512];
    _cleanup_package_ struct package package = {0};
    _cleanup_error_ struct error *err = NULL;
    broken_path(path, refused[i].name);
    pack_as_it_is(path, &package);
    assert_int_equal(package_check_adapter(&package, true, &err), -EINVAL);
    assert_says(err, refused[i].why);
  }
}

/* The package with another value in its manifest: its adapter says something else. */
static void assert_description_refused(const struct fixture *fixture, const char *part, const char *key, json_t *value,
                                       const char *why) {
  _cleanup_package_ struct package package = {0}, changed = {0};
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT, packed = STRBUF_INIT;
  _cleanup_error_ struct error *err = NULL;
  read_back(fixture, &package);
  json_t *root = package.manifest.root;
  assert_int_equal(json_object_set_new(part ? json_object_get(root, part) : root, key, value), 0);
  assert_int_equal(json_write(root, &text), 0);
  assert_int_equal(tarball_put(&package.tarball, MANIFEST_PATH, text.data, text.length, NULL), 0);
  assert_int_equal(tarball_write(&package.tarball, &packed, NULL), 0);
  assert_int_equal(package_read(packed.data, packed.length, &changed, NULL), 0);
  assert_int_equal(package_check_adapter(&changed, true, &err), -EINVAL);
  assert_says(err, why);
}

static void a_manifest_that_says_something_else_than_describe_is_refused(void **state) {
  const struct fixture *fixture = *state;
  assert_description_refused(fixture, NULL, "summary", json_string("Better"),
                             "its manifest says the summary \"Better\", its adapter \"");
  assert_description_refused(fixture, "mesh", "name", json_string("Best"),
                             "its manifest says the mesh's name \"Best\", its adapter \"");
  assert_description_refused(fixture, "mesh", "versions", json_pack("[s, s]", "1", "2"), "other versions of its mesh");
  assert_description_refused(fixture, NULL, "endpoints", json_array(), "other endpoints or permissions");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_is_made_is_read_back),
      cmocka_unit_test(a_manifest_that_is_none_is_not_made),
      cmocka_unit_test(a_changed_file_is_refused),
      cmocka_unit_test(a_file_more_or_less_is_refused),
      cmocka_unit_test(a_second_adapter_is_refused),
      cmocka_unit_test(a_manifest_that_lies_is_refused),
      cmocka_unit_test(a_signature_is_by_its_key_and_of_its_manifest),
      cmocka_unit_test(what_is_no_adapter_is_not_packed),
      cmocka_unit_test(what_the_host_would_not_use_is_not_packed),
      cmocka_unit_test(what_the_host_would_not_use_is_not_good),
      cmocka_unit_test(a_manifest_that_says_something_else_than_describe_is_refused),
  };
  return cmocka_run_group_tests_name("package", tests, setup, teardown);
}
