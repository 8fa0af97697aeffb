/* Runs a fuzz target over its corpus where there is no libFuzzer: each argument is a file, or a directory whose files
 * are run in the order of their names. Fails when nothing was run, so that a moved corpus does not pass unseen. */
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define INPUT_BYTES_MAX ((size_t)64 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool run_file(const char *path) {
  FILE *file = fopen(path, "rb");
  struct stat status;
  uint8_t *data;
  size_t size;

  if (!file || fstat(fileno(file), &status) < 0 || (size_t)status.st_size > INPUT_BYTES_MAX) {
    (void)fprintf(stderr, "cannot read %s: %s\n", path, file ? "too large" : strerror(errno));
    if (file)
      (void)fclose(file);
    return false;
  }
  size = (size_t)status.st_size;
  /* Exactly as large as the input, so that a sanitizer sees each read past its end. */
  data = malloc(size > 0 ? size : 1);
  if (!data || fread(data, 1, size, file) != size) {
    (void)fprintf(stderr, "cannot read %s\n", path);
    free(data);
    (void)fclose(file);
    return false;
  }
  (void)fclose(file);
  (void)LLVMFuzzerTestOneInput(data, size);
  free(data);
  return true;
}

static int is_visible(const struct dirent *entry) {
  return entry->d_name[0] != '.';
}

static bool run_directory(const char *path, size_t *run) {
  struct dirent **entries = NULL;
  int count = scandir(path, &entries, is_visible, alphasort);
  bool good = count >= 0;

  if (!good)
    (void)fprintf(stderr, "cannot read %s: %s\n", path, strerror(errno));
  for (int i = 0; i < count; i++) {
    char *name = NULL;

    if (good && asprintf(&name, "%s/%s", path, entries[i]->d_name) >= 0) {
      good = run_file(name);
      *run += good;
      free(name);
    } else {
      good = false;
    }
    free(entries[i]);
  }
  free(entries);
  return good;
}

int main(int argc, char **argv) {
  struct stat status;
  size_t run = 0;

  for (int i = 1; i < argc; i++) {
    bool good = stat(argv[i], &status) == 0;

    if (good && S_ISDIR(status.st_mode)) {
      good = run_directory(argv[i], &run);
    } else {
      good = run_file(argv[i]);
      run += good;
    }
    if (!good)
      return EXIT_FAILURE;
  }
  (void)printf("%zu inputs\n", run);
  return run > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
