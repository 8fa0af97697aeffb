/* Runs a fuzz target over the files of its corpus, so that every build tests it. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "sdk/base/document.h"
#include "sdk/base/error.h"

#define FILE_MAX ((size_t)16 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int run_file(const char *path) {
  _cleanup_error_ struct error *err = NULL;
  _cleanup_free_ char *data = NULL;
  size_t length;

  if (file_read(path, FILE_MAX, &data, &length, &err) < 0) {
    fprintf(stderr, "%s\n", error_message(err));
    return 1;
  }
  return LLVMFuzzerTestOneInput((const uint8_t *)data, length);
}

static int run_directory(const char *directory) {
  struct dirent **entries;
  int count = scandir(directory, &entries, NULL, alphasort);
  int run = 0, failed = 0;

  for (int i = 0; i < count; i++) {
    char path[4096];

    if (entries[i]->d_name[0] != '.' && snprintf(path, sizeof(path), "%s/%s", directory, entries[i]->d_name) > 0) {
      failed |= run_file(path);
      run++;
    }
    free(entries[i]);
  }
  if (count >= 0)
    free(entries);
  printf("%s: %d inputs\n", directory, run);
  return run == 0 || failed ? 1 : 0;
}

int main(int argc, char **argv) {
  int failed = argc < 2;

  for (int i = 1; i < argc; i++)
    failed |= run_directory(argv[i]);
  return failed;
}
