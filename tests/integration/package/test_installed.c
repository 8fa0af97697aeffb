/* Installing: what is in use, what was before, and that an end at any moment leaves one or the other. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "host/package/files.h"
#include "host/package/installed.h"
#include "sdk/base/clock.h"
#include "tests/support/command.h"

enum { PACKAGES = 3, ENDS = 120, CHANGE_S = 60 };

struct fixture {
  char *scratch; /* made anew for each test */
  struct package packages[PACKAGES];
};

/* Packages of one adapter that differ by a document. */
static int make_packages(void **state) {
  static struct fixture fixture;
  char adapter[512], document[512];
  (void)snprintf(adapter, sizeof adapter, "%s/lib/trammel/adapters/reference.so", getenv("TRAMMEL_BUILD_DIR"));
  char *directory = scratch_create();
  (void)snprintf(document, sizeof document, "%s/NOTES", directory);
  const char *documents[] = {document, NULL};
  const struct packing packing = {.adapter = adapter, .documents = documents, .facts = {.licence = "Apache-2.0"}};
  for (size_t i = 0; i < PACKAGES; i++) {
    char text[2] = {(char)('a' + i), '\0'};
    struct error *err = NULL;
    _cleanup_strbuf_ struct strbuf out = STRBUF_INIT;
    assert_int_equal(files_replace(document, text, 1, NULL), 0);
    if (package_make(&packing, &fixture.packages[i], &out, &err) < 0)
      fail_msg("%s", error_message(err));
  }
  scratch_remove(directory);
  *state = &fixture;
  return 0;
}

static int free_packages(void **state) {
  struct fixture *fixture = *state;
  for (size_t i = 0; i < PACKAGES; i++)
    package_finish(&fixture->packages[i]);
  return 0;
}

static int setup(void **state) {
  struct fixture *fixture = *state;
  fixture->scratch = scratch_create();
  return 0;
}

static int teardown(void **state) {
  struct fixture *fixture = *state;
  scratch_remove(fixture->scratch);
  return 0;
}

static struct installed *open_for(const struct fixture *fixture, bool change) {
  struct installed *installed = NULL;
  struct error *err = NULL;
  if (installed_open(fixture->scratch, change, &installed, &err) < 0)
    fail_msg("%s", error_message(err));
  return installed;
}

static void add(struct installed *installed, const struct package *package) {
  struct error *err = NULL;
  if (installed_add(installed, package, NULL, "/from/here.trm", &err) < 0)
    fail_msg("%s", error_message(err));
}

static void assert_in_use(const struct installed *installed, const struct package *current,
                          const struct package *previous) {
  const struct installed_adapter *adapter = installed_find(installed, "reference");
  assert_non_null(adapter);
  assert_string_equal(adapter->current.digest, current->digest);
  struct error *err = NULL;
  if (installed_verify(installed, adapter->id, &adapter->current, &err) < 0)
    fail_msg("%s", error_message(err));
  if (!previous) {
    assert_null(adapter->previous.version);
    return;
  }
  assert_string_equal(adapter->previous.digest, previous->digest);
  assert_int_equal(installed_verify(installed, adapter->id, &adapter->previous, NULL), 0);
}

static void what_is_installed_is_found_by_the_next(void **state) {
  const struct fixture *fixture = *state;
  struct installed *installed = open_for(fixture, false);
  assert_int_equal(installed_count(installed), 0);
  installed_close(installed);
  installed = open_for(fixture, true);
  add(installed, &fixture->packages[0]);
  installed_close(installed);
  _cleanup_installed_ struct installed *again = open_for(fixture, false);
  assert_int_equal(installed_count(again), 1);
  assert_in_use(again, &fixture->packages[0], NULL);
  assert_string_equal(installed_at(again, 0)->current.source, "/from/here.trm");
  assert_null(installed_at(again, 0)->current.signed_by);
}

static void the_version_before_is_kept_and_comes_back(void **state) {
  const struct fixture *fixture = *state;
  _cleanup_installed_ struct installed *installed = open_for(fixture, true);
  const struct package *packages = fixture->packages;
  assert_int_equal(installed_roll_back(installed, "reference", NULL), -ENOENT);
  add(installed, &packages[0]);
  assert_int_equal(installed_add(installed, &packages[0], NULL, "/from/here.trm", NULL), -EALREADY);
  assert_int_equal(installed_add(installed, &packages[0], NULL, "/x", NULL), 0); /* is only written down anew */
  assert_string_equal(installed_at(installed, 0)->current.source, "/x");
  assert_int_equal(installed_roll_back(installed, "reference", NULL), -ENOENT);
  add(installed, &packages[1]);
  assert_in_use(installed, &packages[1], &packages[0]);
  assert_int_equal(installed_roll_back(installed, "reference", NULL), 0);
  assert_in_use(installed, &packages[0], &packages[1]);
  add(installed, &packages[1]);
  assert_in_use(installed, &packages[1], &packages[0]);

  _cleanup_free_ char *oldest = installed_directory(installed, "reference", &installed_at(installed, 0)->previous);
  add(installed, &packages[2]);
  assert_in_use(installed, &packages[2], &packages[1]);
  assert_int_not_equal(access(oldest, F_OK), 0);
}

static void what_is_removed_leaves_nothing(void **state) {
  const struct fixture *fixture = *state;
  _cleanup_installed_ struct installed *installed = open_for(fixture, true);
  add(installed, &fixture->packages[0]);
  add(installed, &fixture->packages[1]);
  assert_int_equal(installed_remove(installed, "reference", NULL), 0);
  assert_int_equal(installed_count(installed), 0);
  assert_int_equal(installed_remove(installed, "reference", NULL), -ENOENT);
  char path[512];
  (void)snprintf(path, sizeof path, "%s/adapters/reference", fixture->scratch);
  assert_int_not_equal(access(path, F_OK), 0);
}

static void only_one_changes_at_a_time(void **state) {
  const struct fixture *fixture = *state;
  _cleanup_installed_ struct installed *installed = open_for(fixture, true), *reading = open_for(fixture, false);
  assert_non_null(installed);
  assert_non_null(reading);
  struct installed *other = NULL;
  assert_int_equal(installed_open(fixture->scratch, true, &other, NULL), -EBUSY);
  assert_null(other);
}

static void a_changed_file_is_told(void **state) {
  const struct fixture *fixture = *state;
  _cleanup_installed_ struct installed *installed = open_for(fixture, true);
  add(installed, &fixture->packages[0]);
  const struct installed_adapter *adapter = installed_at(installed, 0);
  _cleanup_free_ char *directory = installed_directory(installed, adapter->id, &adapter->current);
  char path[700];
  _cleanup_error_ struct error *err = NULL;
  (void)snprintf(path, sizeof path, "%s/reference.so", directory);
  assert_int_equal(files_replace(path, "x", 1, NULL), 0);
  assert_int_equal(installed_verify(installed, adapter->id, &adapter->current, &err), -EBADMSG);
  assert_non_null(strstr(error_message(err), "reference.so is not the file"));
  (void)snprintf(path, sizeof path, "%s/more", directory);
  assert_int_equal(symlink("/etc/passwd", path), 0);
  assert_int_equal(installed_verify(installed, adapter->id, &adapter->current, &err), -EINVAL);
  assert_non_null(strstr(error_message(err), "no regular file"));
}

/* Another content in a file of a version that is installed. */
static void damage(const struct installed *installed, const struct installed_version *version) {
  char path[700];
  _cleanup_free_ char *directory = installed_directory(installed, "reference", version);
  _cleanup_error_ struct error *err = NULL;
  (void)snprintf(path, sizeof path, "%s/reference.so", directory);
  assert_int_equal(files_replace(path, "x", 1, NULL), 0);
  assert_int_equal(installed_verify(installed, "reference", version, &err), -EBADMSG);
}

/* "Install it again" is what users are told of a damaged one. */
static void a_damaged_version_is_whole_when_it_is_installed_again(void **state) {
  const struct fixture *fixture = *state;
  const struct package *packages = fixture->packages;
  _cleanup_installed_ struct installed *installed = open_for(fixture, true);
  add(installed, &packages[0]);
  damage(installed, &installed_at(installed, 0)->current);
  add(installed, &packages[0]);
  assert_in_use(installed, &packages[0], NULL);

  damage(installed, &installed_at(installed, 0)->current);
  assert_int_equal(installed_add(installed, &packages[0], NULL, "/from/elsewhere.trm", NULL), 0);
  assert_in_use(installed, &packages[0], NULL);

  add(installed, &packages[1]);
  damage(installed, &installed_at(installed, 0)->previous);
  add(installed, &packages[0]);
  assert_in_use(installed, &packages[0], &packages[1]);

  _cleanup_free_ char *directory = installed_directory(installed, "reference", &installed_at(installed, 0)->current);
  assert_int_equal(files_remove(AT_FDCWD, directory, NULL), 0);
  add(installed, &packages[0]);
  assert_in_use(installed, &packages[0], &packages[1]);
}

/* Until the files are all there, what is left of the damaged ones is used: its adapter may still be whole. */
static void a_damaged_version_stays_when_it_cannot_be_unpacked(void **state) {
  const struct fixture *fixture = *state;
  _cleanup_installed_ struct installed *installed = open_for(fixture, true);
  add(installed, &fixture->packages[0]);
  _cleanup_free_ char *directory = installed_directory(installed, "reference", &installed_at(installed, 0)->current);
  char path[700];
  (void)snprintf(path, sizeof path, "%s/doc/NOTES", directory);
  assert_int_equal(files_replace(path, "damaged", 7, NULL), 0);
  const struct rlimit none = {.rlim_cur = 0, .rlim_max = RLIM_INFINITY};
  struct rlimit before;
  assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
  assert_ptr_not_equal(signal(SIGXFSZ, SIG_IGN), SIG_ERR);
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
  int r = installed_add(installed, &fixture->packages[0], NULL, "/from/here.trm", NULL);
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
  assert_int_equal(r, -EFBIG);
  (void)snprintf(path, sizeof path, "%s/reference.so", directory);
  assert_int_equal(access(path, F_OK), 0);
  add(installed, &fixture->packages[0]);
  assert_in_use(installed, &fixture->packages[0], NULL);
}

static char failing[512]; /* the directory that cannot be synced; "": none */

int __wrap_fsync(int fd);
extern int __real_fsync(int fd);
int __wrap_fsync(int fd) {
  char link[64], path[512] = {0};
  (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  if (*failing && readlink(link, path, sizeof path - 1) > 0 && strcmp(path, failing) == 0) {
    errno = EIO;
    return -1;
  }
  return __real_fsync(fd);
}

/* The list is in its place already when its directory cannot be synced: what is told of it and done next goes by it. */
static void what_is_in_the_list_counts_after_an_error(void **state) {
  const struct fixture *fixture = *state;
  const struct package *packages = fixture->packages;
  _cleanup_installed_ struct installed *installed = open_for(fixture, true);
  _cleanup_error_ struct error *err = NULL;
  add(installed, &packages[0]);
  (void)snprintf(failing, sizeof failing, "%s/adapters", fixture->scratch);
  int r = installed_add(installed, &packages[1], NULL, "/from/here.trm", &err);
  failing[0] = '\0';
  assert_int_equal(r, -EIO);
  _cleanup_installed_ struct installed *reading = open_for(fixture, false);
  assert_in_use(reading, &packages[1], &packages[0]);
  assert_in_use(installed, &packages[1], &packages[0]);
  assert_int_equal(installed_roll_back(installed, "reference", NULL), 0);
  assert_in_use(installed, &packages[0], &packages[1]);
}

static void a_list_that_is_none_is_refused(void **state) {
  const struct fixture *fixture = *state;
  static const char *const bad[] = {
      "",
      "{",
      "[]",
      "{\"format\":\"trammel.installed/v1\"}",
      "{\"format\":\"trammel.installed/v1\",\"adapters\":[{\"id\":\"../x\",\"versions\":[]}]}",
      NULL};
  char path[512];
  (void)snprintf(path, sizeof path, "%s/adapters", fixture->scratch);
  assert_int_equal(files_make_directories(path, NULL), 0);
  (void)snprintf(path, sizeof path, "%s/adapters/installed.json", fixture->scratch);
  for (size_t i = 0; bad[i]; i++) {
    struct installed *installed = NULL;
    _cleanup_error_ struct error *err = NULL;
    assert_int_equal(files_replace(path, bad[i], strlen(bad[i]), NULL), 0);
    assert_int_equal(installed_open(fixture->scratch, false, &installed, &err), -EINVAL);
    assert_non_null(strstr(error_message(err), "installed.json"));
  }
}

#define SHA_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define SHA_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define VERSION(digest)                                                                                                \
  "{\"version\":\"1\",\"sha256\":\"" digest "\",\"manifestSha256\":\"" SHA_A "\",\"source\":\"/x\"}"
#define ADAPTER(id, versions) "{\"id\":\"" id "\",\"versions\":[" versions "]}"
#define LIST(adapters) "{\"format\":\"trammel.installed/v1\",\"adapters\":[" adapters "]}"

/* What goes by the order would change another adapter than the one that was meant. */
static void a_list_out_of_order_is_refused(void **state) {
  const struct fixture *fixture = *state;
  static const struct {
    const char *list;
    const char *why; /* NULL: it is good */
  } lists[] = {
      {LIST(ADAPTER("a", VERSION(SHA_A)) "," ADAPTER("b", VERSION(SHA_B) "," VERSION(SHA_A))), NULL},
      {LIST(ADAPTER("b", VERSION(SHA_A)) "," ADAPTER("a", VERSION(SHA_A))), "/adapters/1: a comes after b"},
      {LIST(ADAPTER("a", VERSION(SHA_A)) "," ADAPTER("a", VERSION(SHA_B))), "/adapters/1: a is there twice"},
      {LIST(ADAPTER("a", VERSION(SHA_A) "," VERSION(SHA_A))), "/adapters/0: both versions of a are the same"},
  };
  char path[512];
  (void)snprintf(path, sizeof path, "%s/adapters", fixture->scratch);
  assert_int_equal(files_make_directories(path, NULL), 0);
  (void)snprintf(path, sizeof path, "%s/adapters/installed.json", fixture->scratch);
  for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
    _cleanup_installed_ struct installed *installed = NULL;
    _cleanup_error_ struct error *err = NULL;
    assert_int_equal(files_replace(path, lists[i].list, strlen(lists[i].list), NULL), 0);
    assert_int_equal(installed_open(fixture->scratch, false, &installed, &err), lists[i].why ? -EINVAL : 0);
    if (lists[i].why && !strstr(error_message(err), lists[i].why))
      fail_msg("expected \"%s\", found \"%s\"", lists[i].why, error_message(err));
  }
}

/* A file or directory below the scratch directory. */
static const char *below(const struct fixture *fixture, const char *name) {
  static char path[512];
  (void)snprintf(path, sizeof path, "%s/%s", fixture->scratch, name);
  return path;
}

static bool is_there(const struct fixture *fixture, const char *name) {
  struct stat status;
  return lstat(below(fixture, name), &status) == 0;
}

static void put(const struct fixture *fixture, const char *directory, const char *file) {
  assert_int_equal(files_make_directories(below(fixture, directory), NULL), 0);
  char name[256];
  (void)snprintf(name, sizeof name, "%s/%s", directory, file);
  assert_int_equal(files_replace(below(fixture, name), "x", 1, NULL), 0);
}

static void link_to(const struct fixture *fixture, const char *target, const char *name) {
  char to[512];
  (void)snprintf(to, sizeof to, "%s", below(fixture, target));
  assert_int_equal(symlink(to, below(fixture, name)), 0);
}

static void only_what_an_install_left_is_pruned(void **state) {
  const struct fixture *fixture = *state;
  /* Not from here, though some of it is called like it. */
  static const char *const kept[] = {"adapters/mine/work/x",
                                     "adapters/mine/1.0.0-0123456789AB/x",
                                     "adapters/mine/1.0.0-0123456789abc/x",
                                     "adapters/mine/-0123456789ab/x",
                                     "adapters/Mine/1.0.0-0123456789ab/x",
                                     "adapters/reference/notes",
                                     "elsewhere/1.0.0-0123456789ab/x",
                                     NULL};
  for (const char *const *name = kept; *name; name++) {
    const char *slash = strrchr(*name, '/');
    char directory[256];
    (void)snprintf(directory, sizeof directory, "%.*s", (int)(slash - *name), *name);
    put(fixture, directory, slash + 1);
  }
  assert_int_equal(mkdir(below(fixture, "adapters/empty"), 0700), 0);
  link_to(fixture, "elsewhere", "adapters/linked");
  link_to(fixture, "elsewhere/1.0.0-0123456789ab", "adapters/reference/2.0.0-0123456789ab");
  /* What an end left. */
  put(fixture, "adapters/reference/3.0.0-rc.1-0123456789ab/doc", "x");
  link_to(fixture, "elsewhere", "adapters/reference/3.0.0-rc.1-0123456789ab/link");
  put(fixture, "adapters/gone/1.0.0-0123456789ab", "x");
  put(fixture, "adapters", ".partial-0123456789abcdef");

  _cleanup_installed_ struct installed *installed = open_for(fixture, true);
  add(installed, &fixture->packages[0]);
  assert_in_use(installed, &fixture->packages[0], NULL);
  assert_false(is_there(fixture, "adapters/reference/3.0.0-rc.1-0123456789ab"));
  assert_false(is_there(fixture, "adapters/gone"));
  assert_false(is_there(fixture, "adapters/.partial-0123456789abcdef"));
  assert_int_equal(installed_remove(installed, "reference", NULL), 0);
  for (const char *const *name = kept; *name; name++)
    if (!is_there(fixture, *name))
      fail_msg("%s is gone", *name);
  assert_true(is_there(fixture, "adapters/empty"));
  assert_true(is_there(fixture, "adapters/linked"));
  assert_true(is_there(fixture, "adapters/reference/2.0.0-0123456789ab"));
}

/* Changes what is installed until it is killed; tells of its first change. */
static void __attribute__((noreturn)) change_for_ever(const struct fixture *fixture, int changed) {
  struct installed *installed = NULL;
  if (installed_open(fixture->scratch, true, &installed, NULL) < 0)
    _exit(1);
  for (size_t i = 0;; i++) {
    (void)installed_add(installed, &fixture->packages[i % PACKAGES], NULL, "/x", NULL);
    if (i == 0 && write(changed, "", 1) != 1)
      _exit(1);
    (void)installed_roll_back(installed, "reference", NULL);
    if (i % 5 == 4)
      (void)installed_remove(installed, "reference", NULL);
  }
}

/* Begins to change what is installed; with `changed`, something is when this returns. */
static pid_t start_changing(const struct fixture *fixture, bool changed) {
  int ends[2];
  assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0)
    change_for_ever(fixture, ends[1]);
  struct pollfd told = {.fd = ends[0], .events = POLLIN};
  assert_true(!changed || poll(&told, 1, CHANGE_S * 1000) == 1);
  (void)close(ends[0]);
  (void)close(ends[1]);
  return child;
}

static void an_end_at_any_moment_leaves_whole_versions(void **state) {
  const struct fixture *fixture = *state;
  unsigned found = 0;
  for (unsigned i = 0; i < ENDS; i++) {
    pid_t child = start_changing(fixture, i % 2 == 0); /* on a slow disk no first change is done in time */
    (void)usleep(1000 + i * 7919 % 20000);
    assert_int_equal(kill(child, SIGKILL), 0);
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    _cleanup_installed_ struct installed *installed = open_for(fixture, true);
    const struct installed_adapter *adapter = installed_find(installed, "reference");
    struct error *err = NULL;
    found += adapter != NULL;
    if (adapter &&
        (installed_verify(installed, adapter->id, &adapter->current, &err) < 0 ||
         (adapter->previous.version && installed_verify(installed, adapter->id, &adapter->previous, &err) < 0)))
      fail_msg("%s", error_message(err));
  }
  print_message("%u ends, an adapter was installed after %u of them\n", (unsigned)ENDS, found);
  assert_true(found > ENDS / 4);

  /* What the ends left goes with the next change. */
  _cleanup_installed_ struct installed *installed = open_for(fixture, true);
  (void)installed_remove(installed, "reference", NULL);
  add(installed, &fixture->packages[0]);
  assert_int_equal(installed_remove(installed, "reference", NULL), 0);
  char path[512];
  (void)snprintf(path, sizeof path, "%s/adapters/reference", fixture->scratch);
  assert_int_not_equal(access(path, F_OK), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(what_is_installed_is_found_by_the_next, setup, teardown),
      cmocka_unit_test_setup_teardown(the_version_before_is_kept_and_comes_back, setup, teardown),
      cmocka_unit_test_setup_teardown(what_is_removed_leaves_nothing, setup, teardown),
      cmocka_unit_test_setup_teardown(only_one_changes_at_a_time, setup, teardown),
      cmocka_unit_test_setup_teardown(a_changed_file_is_told, setup, teardown),
      cmocka_unit_test_setup_teardown(a_damaged_version_is_whole_when_it_is_installed_again, setup, teardown),
      cmocka_unit_test_setup_teardown(a_damaged_version_stays_when_it_cannot_be_unpacked, setup, teardown),
      cmocka_unit_test_setup_teardown(what_is_in_the_list_counts_after_an_error, setup, teardown),
      cmocka_unit_test_setup_teardown(a_list_that_is_none_is_refused, setup, teardown),
      cmocka_unit_test_setup_teardown(a_list_out_of_order_is_refused, setup, teardown),
      cmocka_unit_test_setup_teardown(only_what_an_install_left_is_pruned, setup, teardown),
      cmocka_unit_test_setup_teardown(an_end_at_any_moment_leaves_whole_versions, setup, teardown),
  };
  return cmocka_run_group_tests_name("installed", tests, make_packages, free_packages);
}
