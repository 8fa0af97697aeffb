/* The scan: a directory with an adapter for each way to be wrong, and the good one among them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/adapter/registry.h"
#include "host/runner/sanitized.h"
#include "sdk/base/clock.h"
#include "sdk/base/document.h"
#include "tests/support/command.h"

/* It starts a process, which the confinement denies where it is whole. */
#if TRAMMEL_SANITIZED
#define LIVES_ON NULL
#else
#define LIVES_ON "Describe failed with INTERNAL"
#endif

/* The file, and the part of its refusal that says what is wrong with it; NULL: it is usable. */
static const struct {
  const char *file;
  const char *refusal;
} expected[] = {
    {"abort_on_load.so", "crashed while it was loaded and described: killed by SIGABRT"},
    {"bad_endpoint.so", "Describe names the endpoint \"../etc\""},
    {"bad_schema.so", "config_schema"},
    {"crash.so", "crashed while it was loaded and described: killed by SIGSEGV"},
    {"dangling_instance.so", "create failed with UNAVAILABLE"},
    {"error_status.so", "Describe failed with FAILED_PRECONDITION: no licence"},
    {"escapes.so", NULL}, /* how far it gets is test_confinement's */
    {"exits.so", "exit status 7"},
    {"extra_symbol.so", "exports the symbol broken_helper"},
    {"bad_domain.so", "the control domain \"io\", expected a DNS name of two labels or more"},
    {"false_embedded.so", "says embedded, which needs the methods Plan and Enroll"},
    {"flood.so", NULL},
    {"garbage.so", "answered with something that is no description"},
    {"hang.so", "did not load and answer Describe within 5 seconds"},
    {"huge.so", "its description has more than 1048576 bytes"},
    {"lies_mesh.so", "Describe says mesh_type \"istio\", its note says \"broken\""},
    {"lies_version.so", "Describe says adapter_version \"9.9.9\", its note says \"1.0.0\""},
    {"lives_on.so", LIVES_ON},
    {"missing_function.so", "its table lacks the function call"},
    {"newer_minor.so", "needs at least ABI 1.9, this host serves ABI 1.0"},
    {"no_note.so", "has no Trammel note"},
    {"no_symbol.so", "does not export trammel_adapter_entry_v1"},
    {"null_table.so", "its entry point returned no table"},
    {"short_table.so", "its table has 24 bytes"},
    {"silent.so", "Describe returned OK without a message"},
    {"table_major.so", "its table is of ABI 7.0, this host serves ABI 1.0"},
    {"twice.so", "Describe sent more than one message"},
    {"undefined_symbol.so", "cannot be loaded: undefined symbol: broken_not_there"},
    {"unknown_method.so", "Describe lists the unknown method \"Destroy\""},
    {"unknown_smi.so", "unknown SMI version access/v1beta1"},
    {"unknown_status.so", "Describe returned the unknown status 99"},
    {"unsealed.so", NULL}, /* as escapes.so */
    {"wrong_id.so", "its table has the id \"another\", its note has \"wrong-id\""},
    {"wrong_major.so", "offers ABI 2.0, this host serves ABI 1.0"},
    /* Made below. */
    {"dangling.so", "cannot be opened: No such file or directory"},
    {"directory.so", "is no regular file"},
    {"empty.so", "is empty"},
    {"half.so", "truncated ELF file"},
    {"header.so", "truncated ELF file: has 100 bytes"},
    {"machine.so", "is for ELF machine 243"},
    {"text.so", "not an ELF file"},
    {"word.so", "is 32-bit"},
    {"zz_duplicate.so", "offers the id \"reference\""},
};
#define EXPECTED (sizeof expected / sizeof expected[0])

struct fixture {
  char *scratch;
  char *broken;
  char *good;
  struct registry *registry;
};

static char *join(const char *directory, const char *name) {
  char *path = NULL;
  assert_true(asprintf(&path, "%s/%s", directory, name) > 0);
  return path;
}

static void write_file(const char *directory, const char *name, const void *data, size_t length) {
  char *path = join(directory, name);
  FILE *out = fopen(path, "we");
  assert_non_null(out);
  assert_int_equal(fwrite(data, 1, length, out), length);
  assert_int_equal(fclose(out), 0);
  free(path);
}

/* Copies of the good adapter, each with one thing wrong. */
static void make_files(const char *directory, const char *good) {
  char *data = NULL;
  size_t length = 0;
  char *reference = join(good, "reference.so");
  assert_int_equal(file_read(reference, 64u << 20, &data, &length, NULL), 0);
  free(reference);
  write_file(directory, "zz_duplicate.so", data, length);
  write_file(directory, "half.so", data, length / 2);
  write_file(directory, "header.so", data, 100);
  write_file(directory, "empty.so", "", 0);
  write_file(directory, "text.so", "#!/bin/sh\n", 10);
  uint16_t machine = EM_RISCV, before;
  memcpy(&before, data + offsetof(Elf64_Ehdr, e_machine), sizeof before);
  memcpy(data + offsetof(Elf64_Ehdr, e_machine), &machine, sizeof machine);
  write_file(directory, "machine.so", data, length);
  memcpy(data + offsetof(Elf64_Ehdr, e_machine), &before, sizeof before);
  data[EI_CLASS] = ELFCLASS32;
  write_file(directory, "word.so", data, length);
  free(data);
  char *path = join(directory, "directory.so");
  assert_int_equal(mkdir(path, 0700), 0);
  free(path);
  path = join(directory, "dangling.so");
  assert_int_equal(symlink("/nonexistent/adapter", path), 0);
  free(path);
  write_file(directory, "README", "not looked at", 13);
}

static int setup(void **state) {
  static struct fixture fixture;
  const char *build = getenv("TRAMMEL_BUILD_DIR");
  assert_non_null(build);
  fixture.scratch = scratch_create();
  fixture.broken = join(build, "tests/broken-adapters");
  fixture.good = join(build, "lib/trammel/adapters");
  make_files(fixture.scratch, fixture.good);
  struct error *err = NULL;
  const struct adapter_directory directories[] = {{.path = fixture.broken},  {.path = "/nonexistent"},
                                                  {.path = fixture.good},    {.path = fixture.scratch},
                                                  {.path = fixture.scratch}, {0}};
  if (registry_scan(directories, &(struct registry_options){0}, &fixture.registry, &err) < 0)
    fail_msg("%s", error_message(err));
  *state = &fixture;
  return 0;
}

static int teardown(void **state) {
  struct fixture *fixture = *state;
  registry_destroy(fixture->registry);
  scratch_remove(fixture->scratch);
  free(fixture->broken);
  free(fixture->good);
  return 0;
}

static const struct adapter_entry *find_file(const struct registry *registry, const char *name) {
  for (size_t i = 0; i < registry_count(registry); i++) {
    const struct adapter_entry *entry = registry_at(registry, i);
    const char *slash = strrchr(entry->path, '/');
    if (strcmp(slash + 1, name) == 0)
      return entry;
  }
  fail_msg("%s was not scanned", name);
  return NULL;
}

static void each_is_refused_with_its_own_reason(void **state) {
  const struct fixture *fixture = *state;
  for (size_t i = 0; i < EXPECTED; i++) {
    const struct adapter_entry *entry = find_file(fixture->registry, expected[i].file);
    assert_int_equal(entry->path[0], '/');
    if (!expected[i].refusal) {
      assert_true(entry->usable);
      assert_null(entry->refusal);
      continue;
    }
    assert_false(entry->usable);
    assert_null(entry->description);
    if (strncmp(entry->refusal, expected[i].file, strlen(expected[i].file)) != 0)
      fail_msg("refusal does not begin with the file: %s", entry->refusal);
    if (!strstr(entry->refusal, expected[i].refusal))
      fail_msg("%s: expected \"%s\", found \"%s\"", expected[i].file, expected[i].refusal, entry->refusal);
    for (size_t j = 0; j < i; j++)
      if (expected[j].refusal)
        assert_string_not_equal(strchr(find_file(fixture->registry, expected[j].file)->refusal, ' '),
                                strchr(entry->refusal, ' '));
  }
}

static void the_good_one_is_usable(void **state) {
  const struct fixture *fixture = *state;
  struct error *err = NULL;
  const struct adapter_entry *entry = registry_find(fixture->registry, "reference", &err);
  assert_non_null(entry);
  assert_true(entry->usable);
  assert_string_equal(entry->description->mesh_type, "reference");
  assert_int_equal(strlen(entry->digest), ADAPTER_DIGEST_LENGTH);
  assert_true(entry->description->embedded);
  assert_ptr_equal(registry_default(fixture->registry, &err), entry);
}

static void a_bad_one_is_found_with_its_reason(void **state) {
  const struct fixture *fixture = *state;
  struct error *err = NULL;
  assert_null(registry_find(fixture->registry, "wrong-major", &err));
  assert_non_null(strstr(error_message(err), "offers ABI 2.0"));
  assert_null(registry_find(fixture->registry, "nothing-like-it", &err));
  assert_non_null(strstr(error_message(err), "reference"));
  error_free(err);
}

static void a_refused_one_has_the_id_of_its_note(void **state) {
  const struct fixture *fixture = *state;
  assert_string_equal(find_file(fixture->registry, "extra_symbol.so")->id, "extra-symbol");
  assert_string_equal(find_file(fixture->registry, "wrong_major.so")->id, "wrong-major");
  assert_string_equal(find_file(fixture->registry, "no_note.so")->id, "no_note"); /* none: its file's name */
}

static void what_a_dying_adapter_wrote_is_told_without_its_escapes(void **state) {
  const struct fixture *fixture = *state;
  const char *refusal = find_file(fixture->registry, "exits.so")->refusal;
  assert_non_null(strstr(refusal, "licence"));
  assert_null(strchr(refusal, 033));
  assert_null(strchr(refusal, '\n'));
}

static bool runs(const char *name) {
  bool found = false;
  DIR *all = opendir("/proc");
  assert_non_null(all);
  for (const struct dirent *entry; !found && (entry = readdir(all));) {
    char path[300], text[64] = "";
    if (atoi(entry->d_name) <= 0)
      continue;
    (void)snprintf(path, sizeof path, "/proc/%s/comm", entry->d_name);
    FILE *file = fopen(path, "re");
    if (!file)
      continue;
    found = fgets(text, sizeof text, file) && strncmp(text, name, strlen(name)) == 0;
    (void)fclose(file);
  }
  (void)closedir(all);
  return found;
}

/* The adapter lives-on answers once its process is in a session of its own. */
static void nothing_an_adapter_started_stays(void **state) {
  const struct fixture *fixture = *state;
  assert_int_equal(find_file(fixture->registry, "lives_on.so")->usable, (const char *)LIVES_ON == NULL);
  /* Another run of this test may be scanning right now. */
  int64_t deadline = clock_monotonic_ns() + 10 * NS_PER_SECOND;
  bool there = true;
  while (there && clock_monotonic_ns() < deadline)
    there = runs("trammel-escaped");
  assert_false(there);
}

static void each_file_is_scanned_once(void **state) {
  const struct fixture *fixture = *state;
  size_t of_scratch = 0;
  for (size_t i = 0; i < registry_count(fixture->registry); i++)
    of_scratch += strncmp(registry_at(fixture->registry, i)->path, fixture->scratch, strlen(fixture->scratch)) == 0;
  assert_int_equal(of_scratch, 9);
}

static struct registry *scan_for(const struct fixture *fixture, const char *id) {
  struct registry *registry = NULL;
  const struct adapter_directory directories[] = {{.path = fixture->good}, {.path = fixture->scratch}, {0}};
  assert_int_equal(registry_scan(directories, &(struct registry_options){.id = id}, &registry, NULL), 0);
  return registry;
}

static void who_is_meant_by_id_is_found_without_the_others(void **state) {
  struct registry *registry = scan_for(*state, "reference");
  assert_int_equal(registry_count(registry), 2); /* of two with one id, the second is refused as ever */
  assert_true(registry_at(registry, 0)->usable);
  assert_ptr_equal(registry_find(registry, "reference", NULL), registry_at(registry, 0));
  assert_string_equal(registry_at(registry, 1)->id, "reference");
  assert_false(registry_at(registry, 1)->usable);
  registry_destroy(registry);
}

static void who_has_not_that_id_may_be_meant_by_its_mesh(void **state) {
  struct registry *registry = scan_for(*state, "somebody");
  assert_true(registry_count(registry) > 2);
  assert_non_null(registry_find(registry, "reference", NULL));
  registry_destroy(registry);
}

static void a_relative_directory_is_refused(void **state) {
  (void)state;
  struct registry *registry = NULL;
  struct error *err = NULL;
  const struct adapter_directory directories[] = {{.path = "tests"}, {0}};
  assert_true(registry_scan(directories, &(struct registry_options){0}, &registry, &err) < 0);
  assert_non_null(strstr(error_message(err), "not an absolute path"));
  error_free(err);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_is_refused_with_its_own_reason),
      cmocka_unit_test(the_good_one_is_usable),
      cmocka_unit_test(a_bad_one_is_found_with_its_reason),
      cmocka_unit_test(a_refused_one_has_the_id_of_its_note),
      cmocka_unit_test(what_a_dying_adapter_wrote_is_told_without_its_escapes),
      cmocka_unit_test(nothing_an_adapter_started_stays),
      cmocka_unit_test(each_file_is_scanned_once),
      cmocka_unit_test(who_is_meant_by_id_is_found_without_the_others),
      cmocka_unit_test(who_has_not_that_id_may_be_meant_by_its_mesh),
      cmocka_unit_test(a_relative_directory_is_refused),
  };
  return cmocka_run_group_tests(tests, setup, teardown);
}
