#include "host/cli/smi_inputs.h"

#include <errno.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "sdk/base/error.h"
#include "sdk/smi/lint.h"
#include "sdk/smi/text.h"

static const struct argp_option option_table[] = {
    {"file", 'f', "FILE", 0,
     "a file, a directory (*.yaml, *.yml and *.json in it and below, but nothing whose name begins with a dot), or - "
     "for "
     "standard input",
     0},
    {"namespace", 'n', "NS", 0, "the namespace of resources that name none (default: default)", 0},
    {0},
};

static void add_path(const struct argp_state *state, struct smi_inputs *inputs, const char *path) {
  if (array_reserve((void **)&inputs->paths, &inputs->capacity, inputs->count, sizeof(*inputs->paths)) < 0)
    argp_failure(state, EXIT_FAILURE, ENOMEM, "%s", path);
  inputs->paths[inputs->count++] = path;
}

static error_t parse(int key, char *argument, struct argp_state *state) {
  struct smi_inputs *inputs = state->input;
  const char *expected;

  switch (key) {
  case 'f':
  case ARGP_KEY_ARG:
    add_path(state, inputs, argument);
    return 0;
  case 'n':
    expected = text_expected(TEXT_LABEL, argument, strlen(argument));
    if (expected)
      argp_error(state, "'%s' is no namespace: expected %s", argument, expected);
    inputs->ns = argument;
    return 0;
  case ARGP_KEY_END:
    if (inputs->count == 0 && !inputs->optional)
      argp_error(state, "nothing to read: name a file or a directory, or - for standard input");
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

const struct argp smi_inputs_argp = {.options = option_table, .parser = parse, .args_doc = "[FILE...]"};

void smi_inputs_finish(struct smi_inputs *inputs) {
  free((void *)inputs->paths);
  *inputs = (struct smi_inputs){0};
}

/* Files being read. */
struct loading {
  struct smi_input *input;
  const struct smi_input_reading *reading;
  struct smi_reader *reader; /* NULL: nobody wants resources of SMI */
  bool must_stay;            /* documents of the file that is being read */
  size_t bytes;
};

static int report_unreadable(struct loading *loading, const char *path, const char *reason) {
  struct diagnostic diagnostic = {
      .severity = SEVERITY_ERROR, .code = "SMI-0018", .position = {.file = path}, .summary = reason};

  loading->input->unreadable = true;
  return diagnostics_add(loading->input->diagnostics, &diagnostic) < 0 ? -ENOMEM : -EINVAL;
}

static int read_documents(struct loading *loading, const struct document_list *list) {
  for (size_t i = 0; i < list->count; i++) {
    int r = loading->reader ? smi_reader_document(loading->reader, list->roots[i]) : 0;

    if (r == -E2BIG)
      loading->input->unreadable = true;
    if (r == -E2BIG || r == -ENOMEM)
      return r;
    r = loading->reading->document ? loading->reading->document(loading->reading->ctx, list->roots[i]) : 0;
    if (r == -ENOMEM)
      return r;
    loading->must_stay |= r != 0;
  }
  return 0;
}

/* Reads a file's text with the documents in `arena`. */
static int read_text(struct loading *loading, struct arena *arena, const char *path, const char *data, size_t length) {
  struct smi_input *input = loading->input;
  struct document_list list = {0};
  int r = document_read(arena, path, data, length, DOCUMENT_ANY, &document_limits_default, input->diagnostics, &list);

  if (r == -ENOMEM)
    return r;
  if (r < 0)
    input->unreadable = true;
  return read_documents(loading, &list);
}

static int keep_documents(struct smi_input *input, struct arena **arena) {
  if (array_reserve((void **)&input->documents, &input->document_capacity, input->document_count,
                    sizeof(*input->documents)) < 0)
    return -ENOMEM;
  input->documents[input->document_count++] = take(*arena);
  return 0;
}

/* The same, with an arena of the file's own. */
static int read_apart(struct loading *loading, const char *path, const char *data, size_t length) {
  _cleanup_arena_ struct arena *arena = arena_create(SMI_INPUT_MEMORY_MAX);
  int r;

  loading->must_stay = false;
  r = arena ? read_text(loading, arena, path, data, length) : -ENOMEM;
  return r != -ENOMEM && loading->must_stay && keep_documents(loading->input, &arena) < 0 ? -ENOMEM : r;
}

static int load_file(struct loading *loading, const char *path) {
  _cleanup_error_ struct error *err = NULL;
  _cleanup_free_ char *data = NULL;
  struct smi_input *input = loading->input;
  size_t length = 0;
  int r;

  if (input->files >= SMI_INPUT_FILES_MAX || loading->bytes >= SMI_INPUT_BYTES_MAX)
    return report_unreadable(loading, path, "too many files, or too large in all: read them in several goes") == -ENOMEM
               ? -ENOMEM
               : -E2BIG;
  r = file_read(path, document_limits_default.bytes, &data, &length, &err);
  if (r < 0)
    return r == -ENOMEM || report_unreadable(loading, path, error_message(err)) == -ENOMEM ? -ENOMEM : 0;
  input->files++;
  loading->bytes += length;
  return loading->reading->documents_go ? read_apart(loading, path, data, length)
                                        : read_text(loading, input->arena, path, data, length);
}

static bool is_manifest(const char *name) {
  const char *dot = strrchr(name, '.');

  return dot && (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0 || strcmp(dot, ".json") == 0);
}

static int by_name(const FTSENT **a, const FTSENT **b) {
  return strcmp((*a)->fts_name, (*b)->fts_name);
}

/* One entry of a directory walk. Links to files are followed, links to directories are not. Kubernetes mounts a
 * ConfigMap as links to files in a hidden directory: what is hidden is passed over, or each would be read twice. */
static int load_entry(struct loading *loading, FTS *walk, FTSENT *entry) {
  struct stat status;

  if (entry->fts_level > FTS_ROOTLEVEL && entry->fts_name[0] == '.') {
    (void)fts_set(walk, entry, FTS_SKIP);
    return 0;
  }
  switch (entry->fts_info) {
  case FTS_D:
    if (entry->fts_level <= SMI_INPUT_DEPTH_MAX)
      return 0;
    (void)fts_set(walk, entry, FTS_SKIP);
    return report_unreadable(loading, entry->fts_path, "directories nest too deep") == -ENOMEM ? -ENOMEM : 0;
  case FTS_DNR:
  case FTS_ERR:
  case FTS_NS:
    return report_unreadable(loading, entry->fts_path, strerror(entry->fts_errno)) == -ENOMEM ? -ENOMEM : 0;
  case FTS_F:
    return is_manifest(entry->fts_name) ? load_file(loading, entry->fts_path) : 0;
  case FTS_SL:
    return is_manifest(entry->fts_name) && stat(entry->fts_path, &status) == 0 && S_ISREG(status.st_mode)
               ? load_file(loading, entry->fts_path)
               : 0;
  default:
    return 0;
  }
}

static int load_directory(struct loading *loading, const char *path) {
  _cleanup_free_ char *copy = strdup(path);
  char *roots[] = {copy, NULL};
  size_t before = loading->input->files;
  bool was_unreadable = loading->input->unreadable;
  FTSENT *entry;
  FTS *walk = copy ? fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR | FTS_COMFOLLOW, by_name) : NULL;
  int r = walk ? 0 : -ENOMEM;

  while (r == 0 && (entry = fts_read(walk)))
    r = load_entry(loading, walk, entry);
  if (walk)
    (void)fts_close(walk);
  if (r == 0 && loading->input->files == before && loading->input->unreadable == was_unreadable)
    r = report_unreadable(loading, path, "the directory has no *.yaml, *.yml or *.json") == -ENOMEM ? -ENOMEM : 0;
  return r;
}

static int load_path(struct loading *loading, const char *path) {
  struct stat status;

  if (strcmp(path, "-") != 0 && stat(path, &status) == 0 && S_ISDIR(status.st_mode))
    return load_directory(loading, path);
  return load_file(loading, path);
}

static size_t count_resources(const struct smi_set *set) {
  size_t count = set->target_count + set->route_group_count + set->split_count + set->binding_count;

  for (size_t i = 0; i < set->port_route_count; i++)
    count += set->port_routes[i].meta.made ? 0 : 1;
  return count;
}

static int report_nothing(struct smi_input *input) {
  const struct diagnostic diagnostic = {.severity = SEVERITY_WARNING,
                                        .code = "SMI-0017",
                                        .summary = "there is no resource of SMI in the input",
                                        .remedy = "name the files that have them"};

  return diagnostics_add(input->diagnostics, &diagnostic) < 0 ? -ENOMEM : 0;
}

int smi_input_init(struct smi_input *ret_input) {
  *ret_input = (struct smi_input){.arena = arena_create(SMI_INPUT_MEMORY_MAX), .diagnostics = diagnostics_create()};
  return ret_input->arena && ret_input->diagnostics ? 0 : -ENOMEM;
}

static int finish(struct loading *loading) {
  struct smi_input *input = loading->input;
  int r = smi_reader_finish(loading->reader, &input->set);

  if (r == -ENOMEM)
    return r;
  input->resources = count_resources(&input->set);
  if (loading->reading->distinct && smi_lint_duplicates(&input->set, input->diagnostics) == -ENOMEM)
    return -ENOMEM;
  if (input->resources == 0 && !diagnostics_have_error(input->diagnostics))
    return report_nothing(input);
  return 0;
}

int smi_inputs_load(const struct smi_inputs *inputs, const struct smi_input_reading *reading, struct smi_input *input) {
  const struct smi_parse_options options = {.default_namespace = inputs->ns,
                                            .documents_stay = !reading->documents_go,
                                            .ignore_other_kinds = reading->ignore_other_kinds};
  struct loading loading = {.input = input, .reading = reading};
  int r = 0;

  if (!reading->no_smi) {
    loading.reader = smi_reader_create(input->arena, &options, input->diagnostics);
    if (!loading.reader)
      return -ENOMEM;
  }
  for (size_t i = 0; r == 0 && i < inputs->count; i++)
    r = load_path(&loading, inputs->paths[i]);
  if (r == -ENOMEM)
    return r;
  return loading.reader ? finish(&loading) : 0;
}

int smi_inputs_read(const struct smi_inputs *inputs, struct smi_input *ret_input) {
  static const struct smi_input_reading plain;
  int r = smi_input_init(ret_input);

  return r < 0 ? r : smi_inputs_load(inputs, &plain, ret_input);
}

void smi_input_finish(struct smi_input *input) {
  for (size_t i = 0; i < input->document_count; i++)
    arena_destroy(input->documents[i]);
  free((void *)input->documents);
  diagnostics_destroy(input->diagnostics);
  arena_destroy(input->arena);
}
