#include "host/kit/project.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "host/kit/text_file.h"
#include "sdk/base/strbuf.h"

/* Each file of template/, and where it goes. Made by embed_file.cmake. */
#define TEMPLATE_FILES(F)                                                                                              \
  F(template_CMakeLists_txt, "CMakeLists.txt")                                                                         \
  F(template_README_md, "README.md")                                                                                   \
  F(template_adapter_c_in, "@NAME@.c")                                                                                 \
  F(template_gitignore, ".gitignore")                                                                                  \
  F(template_tests_setup_yaml, "tests/setup.yaml")                                                                     \
  F(template_tests_split_json, "tests/split.json")                                                                     \
  F(template_tests_split_yaml, "tests/split.yaml")                                                                     \
  F(template_tests_target_json, "tests/target.json")                                                                   \
  F(template_tests_target_yaml, "tests/target.yaml")
#define DECLARE(symbol, path)                                                                                          \
  extern const unsigned char symbol[];                                                                                 \
  extern const size_t symbol##_length;
TEMPLATE_FILES(DECLARE)

struct template_file {
  const char *path;
  const unsigned char *data;
  const size_t *length;
};
#define ENTRY(symbol, path) {path, symbol, &symbol##_length},
static const struct template_file files[] = {TEMPLATE_FILES(ENTRY)};
#define FOLDER "tests"

int project_check_name(const char *name, struct error **err) {
  /* Targets that a CMake project has already. */
  static const char *const taken[] = {"all", "clean", "help", "install", "package", "test"};
  size_t n = strlen(name);
  if (n == 0 || n > PROJECT_NAME_MAX || name[0] < 'a' || name[0] > 'z' || name[n - 1] == '-' ||
      strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != n)
    return error_set(err, EINVAL,
                     "'%s' is no name for an adapter: expected a letter, then letters, digits and inner dashes, all "
                     "lower-case, at most %d",
                     name, PROJECT_NAME_MAX);
  for (size_t i = 0; i < ARRAY_COUNT(taken); i++)
    if (strcmp(name, taken[i]) == 0)
      return error_set(err, EINVAL, "'%s' is what CMake calls a target of its own: take another name", name);
  return 0;
}

/* What an adapter's codes of diagnostics begin with: "MY-MESH". */
static void append_upper(struct strbuf *out, const char *name) {
  for (; *name; name++)
    strbuf_putc(out, (char)toupper((unsigned char)*name));
}

/* Appends `text` with @NAME@, @CODE@ and @VERSION@ filled in. */
static void fill_in(struct strbuf *out, const char *text, size_t length, const char *name, const char *version) {
  static const char *const marks[] = {"@NAME@", "@CODE@", "@VERSION@"};
  for (size_t i = 0; i < length;) {
    size_t mark = 0;
    while (mark < 3 && (length - i < strlen(marks[mark]) || memcmp(text + i, marks[mark], strlen(marks[mark])) != 0))
      mark++;
    if (mark == 3) {
      strbuf_putc(out, text[i++]);
      continue;
    }
    if (mark == 1)
      append_upper(out, name);
    else
      strbuf_puts(out, mark == 0 ? name : version);
    i += strlen(marks[mark]);
  }
}

static int write_file(const char *directory, const struct template_file *file, const char *name, const char *version,
                      struct error **err) {
  _cleanup_strbuf_ struct strbuf path = STRBUF_INIT, text = STRBUF_INIT;
  strbuf_printf(&path, "%s/", directory);
  fill_in(&path, file->path, strlen(file->path), name, version);
  fill_in(&text, (const char *)file->data, *file->length, name, version);
  if (strbuf_failed(&path) || strbuf_failed(&text))
    return error_set(err, ENOMEM, "out of memory");
  return text_file_create(strbuf_text(&path), strbuf_text(&text), text.length, err);
}

static void remove_files(const char *directory, size_t count, const char *name) {
  for (size_t i = 0; i < count; i++) {
    _cleanup_strbuf_ struct strbuf path = STRBUF_INIT;
    strbuf_printf(&path, "%s/", directory);
    fill_in(&path, files[i].path, strlen(files[i].path), name, "");
    if (!strbuf_failed(&path))
      (void)unlink(strbuf_text(&path));
  }
}

static int write_files(const char *directory, const char *name, const char *version, struct error **err) {
  _cleanup_free_ char *folder = NULL;
  if (asprintf(&folder, "%s/" FOLDER, directory) < 0)
    return error_set(err, ENOMEM, "out of memory");
  if (mkdir(folder, 0777) < 0)
    return error_set(err, errno, "making %s: %s", folder, strerror(errno));
  for (size_t i = 0; i < ARRAY_COUNT(files); i++) {
    int r = write_file(directory, &files[i], name, version, err);
    if (r < 0) {
      remove_files(directory, i, name);
      (void)rmdir(folder);
      return r;
    }
  }
  return 0;
}

static int check_empty(const char *directory, struct error **err) {
  DIR *open = opendir(directory);
  if (!open)
    return error_set(err, errno, "%s: %s", directory, strerror(errno));
  unsigned count = 0;
  while (readdir(open))
    count++;
  (void)closedir(open);
  if (count > 2) /* . and .. */
    return error_set(err, EEXIST, "%s is not empty: take another name, or another folder with -C DIR", directory);
  return 0;
}

int project_create(const char *directory, const char *name, const char *version, char **ret_path, struct error **err) {
  _cleanup_free_ char *path = NULL;
  int r = project_check_name(name, err);
  if (r < 0)
    return r;
  bool here = strcmp(directory, ".") == 0;
  if (asprintf(&path, "%s%s%s", here ? "" : directory, here ? "" : "/", name) < 0)
    return error_set(err, ENOMEM, "out of memory");
  bool made = mkdir(path, 0777) == 0;
  if (!made && errno != EEXIST)
    return error_set(err, errno, "making %s: %s", path, strerror(errno));
  if (!made)
    r = check_empty(path, err);
  if (r == 0)
    r = write_files(path, name, version, err);
  if (r < 0 && made)
    (void)rmdir(path);
  if (r == 0)
    *ret_path = take(path);
  return r;
}
