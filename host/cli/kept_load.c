#include "host/cli/kept_load.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "host/engine/journal.h"
#include "host/perf/shelf.h"
#include "sdk/base/document.h"
#include "sdk/base/strbuf.h"

static bool is_file(const char *what) {
  struct stat status;
  return strcmp(what, "-") == 0 || strchr(what, '/') || (stat(what, &status) == 0 && !S_ISDIR(status.st_mode));
}

int kept_load_path(const char *what, char **ret_path, struct error **err) {
  _cleanup_free_ char *state = NULL;
  if (is_file(what)) {
    *ret_path = strdup(what);
    return *ret_path ? 0 : error_set(err, ENOMEM, "no memory for a path");
  }
  int r = state_directory(&state, err);
  if (r == 0)
    r = shelf_find(state, what, ret_path, err);
  return r < 0 ? error_wrap(err, "there is no file %s", what) : 0;
}

int kept_load_prepare(struct error **err) {
  _cleanup_free_ char *state = NULL;
  int r = state_directory(&state, err);
  return r < 0 ? r : shelf_prepare(state, err);
}

int kept_load_keep(json_t *result, struct error **err) {
  _cleanup_free_ char *state = NULL;
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  char id[SHELF_ID_SIZE];
  int r = result && json_write(result, &text) == 0 ? 0 : error_set(err, ENOMEM, "no memory to keep a result");
  json_decref(result);
  if (r == 0)
    r = state_directory(&state, err);
  if (r == 0)
    r = shelf_keep_result(state, strbuf_text(&text), text.length, id, err);
  if (r == 0)
    fprintf(stderr, "kept as %s\n", id);
  return r;
}
