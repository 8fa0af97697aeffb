#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/transport/kube/base64.h"
#include "host/transport/kube/kubeconfig_internal.h"
#include "sdk/base/strbuf.h"
#include "sdk/base/utf8.h"

static const struct document_limits limits = {
    .bytes = KUBECONFIG_BYTES_MAX, .depth = 32, .nodes = 1000000, .documents = 1};

void texts_free(char **texts) {
  for (char **text = texts; text && *text; text++) {
    explicit_bzero(*text, strlen(*text));
    free(*text);
  }
  free(texts);
}

void kubeconfig_files_finish(struct kubeconfig_files *files) {
  for (size_t i = 0; i < files->count; i++) {
    free(files->files[i].path);
    free(files->files[i].directory);
  }
  arena_destroy(files->arena);
  *files = (struct kubeconfig_files){0};
}

/* Only place and code of a diagnostic are told: its text may quote a line that holds a secret. */
static int refuse_text(const char *path, const struct diagnostics *diagnostics, int r, struct error **err) {
  const struct diagnostic *first = diagnostics_count(diagnostics) > 0 ? diagnostics_at(diagnostics, 0) : NULL;

  if (r == -ENOMEM || !first)
    return error_set(err, -r, "out of memory for %s", path);
  return error_set(err, -r, "%s:%u:%u: no YAML or JSON that a kubeconfig may have (%s)", path, first->position.line,
                   first->position.column, first->code);
}

int kubeconfig_files_add(struct kubeconfig_files *files, const char *path, const char *directory, const char *text,
                         size_t length, struct error **err) {
  _cleanup_diagnostics_ struct diagnostics *diagnostics = diagnostics_create();
  struct document_list documents = {0};

  if (!files->arena)
    files->arena = arena_create(0);
  if (!files->arena || !diagnostics)
    return error_set(err, ENOMEM, "out of memory for %s", path);
  if (files->count == KUBECONFIG_FILES_MAX)
    return error_set(err, E2BIG, "KUBECONFIG names more than %d files", KUBECONFIG_FILES_MAX);
  int r = document_read(files->arena, path, text, length, DOCUMENT_ANY, &limits, diagnostics, &documents);
  if (r < 0)
    return refuse_text(path, diagnostics, r, err);
  if (documents.count == 0)
    return 0; /* an empty file says nothing */
  if (documents.roots[0]->kind != NODE_MAP)
    return error_set(err, EINVAL, "%s: a kubeconfig is a map, and this is a %s", path,
                     node_kind_name(documents.roots[0]->kind));
  struct kubeconfig_file *file = &files->files[files->count];
  *file = (struct kubeconfig_file){.path = strdup(path), .directory = strdup(directory), .root = documents.roots[0]};
  files->count++;
  return file->path && file->directory ? 0 : error_set(err, ENOMEM, "out of memory for %s", path);
}

/* Where the name is, not where a link leads to: that is how kubectl takes it. */
static char *directory_of(const char *path) {
  const char *slash = strrchr(path, '/');
  char *directory = NULL;

  if (path[0] == '/')
    return slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
  char *here = getcwd(NULL, 0);
  if (here && slash) {
    if (asprintf(&directory, "%s/%.*s", here, (int)(slash - path), path) < 0)
      directory = NULL;
    free(here);
    return directory;
  }
  return here;
}

static int read_file(struct kubeconfig_files *files, const char *path, bool required, struct error **err) {
  _cleanup_free_ char *directory = directory_of(path);
  char *text = NULL;
  size_t length = 0;

  if (!directory)
    return error_set(err, ENOMEM, "out of memory for %s", path);
  _cleanup_error_ struct error *reason = NULL;
  int r = file_read(path, KUBECONFIG_BYTES_MAX, &text, &length, &reason);
  if (r == -ENOENT && !required)
    return 0;
  if (r < 0)
    return error_set(err, -r, "kubeconfig: %s", error_message(reason));
  r = kubeconfig_files_add(files, path, directory, text, length, err);
  explicit_bzero(text, length);
  free(text);
  return r;
}

static int read_list(struct kubeconfig_files *files, const char *list, struct error **err) {
  int r = 0;

  for (const char *at = list; r == 0 && *at;) {
    size_t length = strcspn(at, ":");
    _cleanup_free_ char *path = strndup(at, length);
    if (!path)
      return error_set(err, ENOMEM, "out of memory for KUBECONFIG");
    if (length > 0)
      r = read_file(files, path, false, err);
    at += length + (at[length] == ':');
  }
  return r;
}

static int read_home(struct kubeconfig_files *files, struct error **err) {
  const char *home = getenv("HOME");
  char *path = NULL;

  if (!home || !*home)
    return 0;
  if (asprintf(&path, "%s/.kube/config", home) < 0)
    return error_set(err, ENOMEM, "out of memory for a path");
  int r = read_file(files, path, false, err);
  free(path);
  return r;
}

int kubeconfig_files_read(const char *path, struct kubeconfig_files *ret_files, struct error **err) {
  const char *list = getenv("KUBECONFIG");
  struct kubeconfig_files files = {0};
  int r;

  if (path)
    r = read_file(&files, path, true, err);
  else if (list && *list)
    r = read_list(&files, list, err);
  else
    r = read_home(&files, err);
  if (r < 0)
    kubeconfig_files_finish(&files);
  else
    *ret_files = files;
  return r;
}

int kubeconfig_refuse(const struct kubeconfig_entry *entry, const struct node *at, int code, struct error **err,
                      const char *format, ...) {
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  struct quote quote;
  va_list args;

  va_start(args, format);
  strbuf_vprintf(&text, format, args);
  va_end(args);
  return error_set(err, code, "%s:%u: %s %s: %s", entry->file->path, at ? at->position.line : 0, entry->kind,
                   quote_text(&quote, entry->name, strlen(entry->name)), strbuf_text(&text));
}

static const char *name_of(const struct node *item) {
  const struct node *name = node_get(item, "name");

  return name && name->text ? name->text : "";
}

static int find_in(const struct kubeconfig_file *file, const char *list, const char *kind, const char *name,
                   struct kubeconfig_entry *entry, struct error **err) {
  const struct node *items = node_get(file->root, list);

  if (!items || items->kind == NODE_NULL)
    return -ENOENT;
  if (items->kind != NODE_LIST || items->count > KUBECONFIG_ENTRIES_MAX)
    return error_set(err, EINVAL, "%s:%u: %s must be a list of at most %d", file->path, items->position.line, list,
                     KUBECONFIG_ENTRIES_MAX);
  struct kubeconfig_entry found = {.file = file, .kind = kind, .name = name};
  const struct node *first = NULL;
  for (size_t i = 0; i < items->count; i++) {
    if (strcmp(name_of(items->items[i]), name) != 0)
      continue;
    if (first)
      return kubeconfig_refuse(&found, items->items[i], EINVAL, err, "is there twice; the first is in line %u",
                               first->position.line);
    first = items->items[i];
  }
  if (!first)
    return -ENOENT;
  found.map = node_get(first, kind);
  if (found.map && found.map->kind != NODE_MAP && found.map->kind != NODE_NULL)
    return kubeconfig_refuse(&found, found.map, EINVAL, err, "must be a map, and is a %s",
                             node_kind_name(found.map->kind));
  *entry = found;
  return 0;
}

static void append_names(struct strbuf *out, const struct kubeconfig_files *files, const char *list) {
  struct quote quote;
  size_t count = 0;

  for (size_t f = 0; f < files->count; f++) {
    const struct node *items = node_get(files->files[f].root, list);
    for (size_t i = 0; items && items->kind == NODE_LIST && i < items->count && count < 20; i++, count++) {
      const char *name = name_of(items->items[i]);
      strbuf_printf(out, "%s%s", count > 0 ? ", " : "", quote_text(&quote, name, strlen(name)));
    }
  }
  if (count == 0)
    strbuf_puts(out, "none");
}

int kubeconfig_find(const struct kubeconfig_files *files, const char *list, const char *kind, const char *name,
                    struct kubeconfig_entry *ret_entry, struct error **err) {
  _cleanup_strbuf_ struct strbuf known = STRBUF_INIT;
  struct quote quote;

  for (size_t i = 0; i < files->count; i++) {
    _cleanup_error_ struct error *reason = NULL;
    int r = find_in(&files->files[i], list, kind, name, ret_entry, &reason);
    if (r == 0)
      return 0;
    if (reason)
      return error_set(err, -r, "%s", error_message(reason));
  }
  append_names(&known, files, list);
  return error_set(err, ENOENT, "the kubeconfig has no %s %s; it has: %s", kind, quote_text(&quote, name, strlen(name)),
                   strbuf_text(&known));
}

static const char *scalar(const struct node *node) {
  return node && node->kind != NODE_NULL && node->kind != NODE_LIST && node->kind != NODE_MAP ? node->text : NULL;
}

int kubeconfig_text(const struct kubeconfig_entry *entry, const char *key, char **ret_text, struct error **err) {
  const struct node *value = node_get(entry->map, key);
  const char *text = scalar(value);

  if (value && !text && value->kind != NODE_NULL)
    return kubeconfig_refuse(entry, value, EINVAL, err, "%s must be a string, and is a %s", key,
                             node_kind_name(value->kind));
  *ret_text = NULL;
  if (!text || !*text)
    return 0;
  *ret_text = strdup(text);
  return *ret_text ? 0 : error_set(err, ENOMEM, "out of memory for a kubeconfig");
}

int kubeconfig_boolean(const struct kubeconfig_entry *entry, const char *key, bool *ret_value, struct error **err) {
  const struct node *value = node_get(entry->map, key);

  if (value && value->kind != NODE_NULL && value->kind != NODE_BOOLEAN)
    return kubeconfig_refuse(entry, value, EINVAL, err, "%s must be true or false", key);
  *ret_value = value && value->kind == NODE_BOOLEAN && value->boolean;
  return 0;
}

int kubeconfig_texts(const struct kubeconfig_entry *entry, const struct node *list, const char *key, char ***ret_texts,
                     struct error **err) {
  *ret_texts = NULL;
  if (!list || list->kind == NODE_NULL)
    return 0;
  if (list->kind != NODE_LIST || list->count > KUBECONFIG_ARGUMENTS_MAX)
    return kubeconfig_refuse(entry, list, EINVAL, err, "%s must be a list of at most %d strings", key,
                             KUBECONFIG_ARGUMENTS_MAX);
  char **texts = calloc(list->count + 1, sizeof(*texts));
  for (size_t i = 0; texts && i < list->count; i++) {
    const char *text = scalar(list->items[i]);
    if (!text) {
      texts_free(texts);
      return kubeconfig_refuse(entry, list->items[i], EINVAL, err, "%s must hold strings alone", key);
    }
    texts[i] = strdup(text);
    if (!texts[i]) {
      texts_free(texts);
      texts = NULL;
    }
  }
  *ret_texts = texts;
  return texts ? 0 : error_set(err, ENOMEM, "out of memory for a kubeconfig");
}

int kubeconfig_path(const struct kubeconfig_entry *entry, const char *key, char **ret_path, struct error **err) {
  char *path = NULL;
  int r = kubeconfig_text(entry, key, &path, err);

  if (r < 0 || !path || path[0] == '/') {
    *ret_path = path;
    return r;
  }
  r = asprintf(ret_path, "%s/%s", entry->file->directory, path) < 0
          ? error_set(err, ENOMEM, "out of memory for a kubeconfig")
          : 0;
  if (r < 0)
    *ret_path = NULL;
  free(path);
  return r;
}

static int decode(const struct kubeconfig_entry *entry, const char *key, const char *text, char **ret_data,
                  struct error **err) {
  size_t length = 0;
  int r = base64_decode(text, strlen(text), ret_data, &length);

  if (r == -ENOMEM)
    return error_set(err, ENOMEM, "out of memory for a kubeconfig");
  if (r == 0 && strlen(*ret_data) == length)
    return 0;
  if (r == 0) {
    free(*ret_data);
    *ret_data = NULL;
  }
  return kubeconfig_refuse(entry, node_get(entry->map, key), EINVAL, err, "%s must be a PEM text in base64", key);
}

int kubeconfig_data(const struct kubeconfig_entry *entry, const char *data_key, const char *file_key, char **ret_data,
                    struct error **err) {
  _cleanup_free_ char *path = NULL;
  _cleanup_error_ struct error *reason = NULL;
  char *text = NULL;
  size_t length = 0;

  int r = kubeconfig_text(entry, data_key, &text, err);
  if (r == 0 && text) {
    r = decode(entry, data_key, text, ret_data, err);
    explicit_bzero(text, strlen(text));
    free(text);
    return r;
  }
  if (r == 0)
    r = kubeconfig_path(entry, file_key, &path, err);
  if (r < 0 || !path)
    return r;
  r = file_read(path, KUBECONFIG_FILE_BYTES_MAX, ret_data, &length, &reason);
  return r < 0 ? kubeconfig_refuse(entry, node_get(entry->map, file_key), -r, err, "%s: %s", file_key,
                                   error_message(reason))
               : 0;
}
