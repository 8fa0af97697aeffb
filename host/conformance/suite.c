#include "host/conformance/suite.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "host/conformance/case_read.h"
#include "host/conformance/embedded.h"
#include "host/conformance/statistics.h"
#include "sdk/base/error.h"

/* Limits of what a suite is made of. */
#define SUITE_BYTES_MAX ((size_t)256 << 20) /* all trees together */
#define SUITE_FILE_MAX ((size_t)1 << 20)
#define SUITE_FILES_MAX 10000
#define SUITE_DEPTH_MAX 8 /* folders in folders */

#define TOPOLOGIES_FILE "topologies.yaml"

/* A file that was read. Files of the same layer must not define the same thing; those of a later layer replace it. */
struct source {
  const char *file;
  unsigned layer;
  const struct node *root;
};

/* Something a source defined: a topology or a case. */
struct definition {
  const char *name;
  unsigned layer;
  const void *value;
};

struct definitions {
  struct definition *items;
  size_t count;
  size_t capacity;
};

struct suite_entry {
  const struct test_case *test;
};

struct suite {
  struct arena *arena;
  uint64_t digest;
  const char *name;
  struct suite_entry *cases; /* sorted by id */
  size_t count;
};

struct loader {
  struct arena *arena;
  struct diagnostics *diagnostics;
  struct source *sources;
  size_t source_count;
  size_t source_capacity;
  struct definitions topologies;
  struct definitions cases;
  uint64_t digest; /* of all files so far */
  bool invalid;
};

static void loader_finish(struct loader *loader) {
  free(loader->sources);
  free(loader->topologies.items);
  free(loader->cases.items);
  arena_destroy(loader->arena);
}
#define _cleanup_loader_ _cleanup_(loader_finish)

/* FNV-1a over the files in their order, with their layers and lengths. */
static uint64_t digest_bytes(uint64_t digest, unsigned layer, const void *data, size_t length) {
  const unsigned char *bytes = data;
  digest = (digest ^ layer ^ (uint64_t)length << 8) * UINT64_C(0x100000001b3);
  for (size_t i = 0; i < length; i++)
    digest = (digest ^ bytes[i]) * UINT64_C(0x100000001b3);
  return digest;
}

/* 0 or -ENOMEM; what is wrong with the text becomes diagnostics. */
static int add_source(struct loader *loader, unsigned layer, const char *file, const void *data, size_t length) {
  struct document_list documents = {0};
  int r = document_read(loader->arena, file, data, length, DOCUMENT_YAML, &document_limits_default, loader->diagnostics,
                        &documents);
  if (r == -ENOMEM)
    return r;
  if (r < 0) {
    loader->invalid = true;
    return 0;
  }
  struct source source = {.file = arena_strdup(loader->arena, file), .layer = layer};
  if (!source.file)
    return -ENOMEM;
  if (documents.count != 1) {
    struct diagnostic diagnostic = {.severity = SEVERITY_ERROR,
                                    .code = "CASE-0022",
                                    .position = {.file = source.file},
                                    .remedy = "Put each case into a file of its own."};
    loader->invalid = true;
    return diagnostics_addf(loader->diagnostics, &diagnostic, "the file holds %zu documents; it must hold one",
                            documents.count);
  }
  source.root = documents.roots[0];
  loader->digest = digest_bytes(loader->digest, layer, data, length);
  r = array_reserve((void **)&loader->sources, &loader->source_capacity, loader->source_count, sizeof(source));
  if (r == 0)
    loader->sources[loader->source_count++] = source;
  return r;
}

bool suite_is_embedded(const char *name) {
  for (size_t i = 0; i < embedded_file_count; i++)
    if (strcmp(embedded_files[i].suite, name) == 0)
      return true;
  return false;
}

static int add_embedded(struct loader *loader, const char *name, struct error **err) {
  if (!suite_is_embedded(name))
    return error_set(err, ENOENT, "there is no suite \"%s\"; those that are built in are \"smi\" and \"baseline\"",
                     name);
  for (size_t i = 0; i < embedded_file_count; i++) {
    const struct embedded_file *file = &embedded_files[i];
    if (strcmp(file->suite, name) != 0)
      continue;
    if (add_source(loader, 0, file->path, file->data, file->length) < 0)
      return error_set(err, ENOMEM, "reading the suite %s: no memory", name);
  }
  return 0;
}

static int add_file(struct loader *loader, unsigned layer, const char *path, struct error **err) {
  _cleanup_free_ char *data = NULL;
  size_t length = 0;
  if (loader->source_count >= SUITE_FILES_MAX)
    return error_set(err, E2BIG, "a suite has at most %d files", SUITE_FILES_MAX);
  int r = file_read(path, SUITE_FILE_MAX, &data, &length, err);
  if (r < 0)
    return r;
  if (add_source(loader, layer, path, data, length) < 0)
    return error_set(err, ENOMEM, "reading %s: no memory", path);
  return 0;
}

static bool is_yaml(const char *name) {
  size_t length = strlen(name);
  return length > strlen(".yaml") && strcmp(name + length - strlen(".yaml"), ".yaml") == 0;
}

/* What matters of a directory's entries: folders and YAML files, nothing hidden. */
static int entry_matters(const struct dirent *entry) {
  return entry->d_name[0] != '.';
}

struct entries {
  struct dirent **items;
  int count;
};

static void entries_finish(struct entries *entries) {
  for (int i = 0; i < entries->count; i++)
    free(entries->items[i]);
  free(entries->items);
}

static int add_directory(struct loader *loader, unsigned layer, const char *path, unsigned depth, struct error **err);

static int add_entry(struct loader *loader, unsigned layer, const char *directory, const char *name, unsigned depth,
                     struct error **err) {
  _cleanup_free_ char *path = NULL;
  struct stat status;
  if (asprintf(&path, "%s/%s", directory, name) < 0) {
    path = NULL;
    return error_set(err, ENOMEM, "reading %s: no memory", directory);
  }
  if (stat(path, &status) < 0)
    return error_set(err, errno, "reading %s: %s", path, strerror(errno));
  if (S_ISDIR(status.st_mode))
    return add_directory(loader, layer, path, depth + 1, err);
  if (S_ISREG(status.st_mode) && is_yaml(name))
    return add_file(loader, layer, path, err);
  return 0;
}

static int add_directory(struct loader *loader, unsigned layer, const char *path, unsigned depth, struct error **err) {
  _cleanup_(entries_finish) struct entries entries = {0};
  if (depth > SUITE_DEPTH_MAX)
    return error_set(err, ELOOP, "reading %s: folders are nested deeper than %d levels", path, SUITE_DEPTH_MAX);
  entries.count = scandir(path, &entries.items, entry_matters, alphasort);
  if (entries.count < 0) {
    int code = errno;
    entries.count = 0;
    if (code == ENOENT && depth == 0)
      return error_set(err, code, "there is no suite folder %s, and no built-in suite of that name (smi, baseline)",
                       path);
    return error_set(err, code, "reading the suite folder %s: %s", path, strerror(code));
  }
  int r = 0;
  for (int i = 0; r == 0 && i < entries.count; i++)
    r = add_entry(loader, layer, path, entries.items[i]->d_name, depth, err);
  return r;
}

/* Adds a definition, or puts it in the place of one of an earlier layer. -EEXIST when the same layer has it already. */
static int define(struct definitions *definitions, const struct definition *definition) {
  for (size_t i = 0; i < definitions->count; i++) {
    struct definition *other = &definitions->items[i];
    if (strcmp(other->name, definition->name) != 0)
      continue;
    if (other->layer == definition->layer)
      return -EEXIST;
    *other = *definition;
    return 0;
  }
  int r = array_reserve((void **)&definitions->items, &definitions->capacity, definitions->count, sizeof(*definition));
  if (r == 0)
    definitions->items[definitions->count++] = *definition;
  return r;
}

static int complain_twice(struct loader *loader, const struct node *at, const char *what, const char *name) {
  struct diagnostic diagnostic = {.severity = SEVERITY_ERROR, .code = "CASE-0005", .position = at->position};
  loader->invalid = true;
  return diagnostics_addf(loader->diagnostics, &diagnostic, "the %s \"%s\" is given twice", what, name);
}

static int load_topology(struct loader *loader, const struct source *source, const struct entry *entry) {
  struct topology *topology = arena_new(loader->arena, struct topology);
  if (!topology)
    return -ENOMEM;
  int r = topology_read(loader->arena, entry->key, entry->value, loader->diagnostics, topology);
  if (r == -EINVAL)
    loader->invalid = true;
  if (r < 0)
    return r == -EINVAL ? 0 : r;
  struct definition definition = {.name = topology->name, .layer = source->layer, .value = topology};
  r = define(&loader->topologies, &definition);
  return r == -EEXIST ? complain_twice(loader, entry->value, "topology", entry->key) : r;
}

static int load_topologies(struct loader *loader, const struct source *source) {
  if (source->root->kind != NODE_MAP) {
    struct diagnostic diagnostic = {.severity = SEVERITY_ERROR,
                                    .code = "TOPO-0003",
                                    .position = source->root->position,
                                    .summary = "a topologies file must be a map from names to topologies"};
    loader->invalid = true;
    return diagnostics_add(loader->diagnostics, &diagnostic);
  }
  int r = 0;
  for (size_t i = 0; r == 0 && i < source->root->count; i++)
    r = load_topology(loader, source, &source->root->entries[i]);
  return r;
}

static int load_case(struct loader *loader, const struct source *source, const struct topology_table *topologies) {
  struct test_case *test = arena_new(loader->arena, struct test_case);
  if (!test)
    return -ENOMEM;
  int r = case_read(loader->arena, topologies, source->root, loader->diagnostics, test);
  if (r == -EINVAL)
    loader->invalid = true;
  if (r < 0)
    return r == -EINVAL ? 0 : r;
  test->file = source->file;
  struct definition definition = {.name = test->id, .layer = source->layer, .value = test};
  r = define(&loader->cases, &definition);
  return r == -EEXIST ? complain_twice(loader, source->root, "case", test->id) : r;
}

static bool is_topologies(const struct source *source) {
  const char *slash = strrchr(source->file, '/');
  return strcmp(slash ? slash + 1 : source->file, TOPOLOGIES_FILE) == 0;
}

/* Topologies first: a case may use those of any layer. */
static int load_sources(struct loader *loader) {
  int r = 0;
  for (size_t i = 0; r == 0 && i < loader->source_count; i++)
    if (is_topologies(&loader->sources[i]))
      r = load_topologies(loader, &loader->sources[i]);
  size_t count = loader->topologies.count;
  const struct topology **topologies = arena_array(loader->arena, count, sizeof(const struct topology *));
  if (r < 0 || !topologies)
    return -ENOMEM;
  for (size_t i = 0; i < count; i++)
    topologies[i] = loader->topologies.items[i].value;
  struct topology_table table = {.topologies = topologies, .count = count};
  for (size_t i = 0; r == 0 && i < loader->source_count; i++)
    if (!is_topologies(&loader->sources[i]))
      r = load_case(loader, &loader->sources[i], &table);
  return r;
}

static int compare_cases(const void *a, const void *b) {
  const struct suite_entry *left = a;
  const struct suite_entry *right = b;
  return strcmp(left->test->id, right->test->id);
}

/* Hands the loader's arena over to the suite. */
static int loader_suite(struct loader *loader, const char *name, struct suite **ret_suite) {
  struct suite *suite = calloc(1, sizeof(*suite));
  if (!suite)
    return -ENOMEM;
  suite->name = arena_strdup(loader->arena, name);
  suite->cases = arena_array(loader->arena, loader->cases.count, sizeof(*suite->cases));
  if (!suite->name || !suite->cases) {
    free(suite);
    return -ENOMEM;
  }
  for (size_t i = 0; i < loader->cases.count; i++)
    suite->cases[suite->count++].test = loader->cases.items[i].value;
  qsort(suite->cases, suite->count, sizeof(*suite->cases), compare_cases);
  suite->arena = take(loader->arena);
  suite->digest = loader->digest;
  *ret_suite = suite;
  return 0;
}

int suite_load(const char *name, const char *const *directories, struct diagnostics *diagnostics,
               struct suite **ret_suite, struct error **err) {
  _cleanup_loader_ struct loader loader = {.arena = arena_create(SUITE_BYTES_MAX), .diagnostics = diagnostics};
  if (!loader.arena)
    return error_set(err, ENOMEM, "reading the suite %s: no memory", name);
  int r = add_embedded(&loader, name, err);
  for (unsigned i = 0; r == 0 && directories && directories[i]; i++) {
    size_t before = loader.source_count;
    r = add_directory(&loader, i + 1, directories[i], 0, err);
    if (r == 0 && !loader.invalid && loader.source_count == before)
      r = error_set(err, ENOENT, "there is no *.yaml file below %s", directories[i]);
  }
  if (r < 0)
    return r;
  if (load_sources(&loader) < 0)
    return error_set(err, ENOMEM, "reading the suite %s: no memory", name);
  if (loader.invalid)
    return error_set(err, EINVAL, "the suite %s has cases or topologies that are not valid", name);
  if (loader_suite(&loader, name, ret_suite) < 0)
    return error_set(err, ENOMEM, "reading the suite %s: no memory", name);
  return 0;
}

void suite_destroy(struct suite *suite) {
  if (!suite)
    return;
  arena_destroy(suite->arena);
  free(suite);
}

uint64_t suite_digest(const struct suite *suite) {
  return suite->digest;
}

const char *suite_name(const struct suite *suite) {
  return suite->name;
}

size_t suite_count(const struct suite *suite) {
  return suite->count;
}

const struct test_case *suite_at(const struct suite *suite, size_t i) {
  return i < suite->count ? suite->cases[i].test : NULL;
}

const struct test_case *suite_find(const struct suite *suite, const char *id) {
  struct test_case wanted = {.id = id};
  struct suite_entry key = {.test = &wanted};
  const struct suite_entry *found = bsearch(&key, suite->cases, suite->count, sizeof(key), compare_cases);
  return found ? found->test : NULL;
}

const char *check_kind_name(enum check_kind kind) {
  switch (kind) {
  case CHECK_ALLOWED:
    return "allowed";
  case CHECK_DENIED:
    return "denied";
  case CHECK_SPLIT:
    return "split";
  case CHECK_UNBROKEN:
    return "unbroken";
  case CHECK_CUT:
    return "cut";
  case CHECK_REFUSED:
    return "refused";
  case CHECK_REPORTED:
    return "reported";
  case CHECK_METRICS:
    return "metrics";
  case CHECK_COUNTED:
    return "counted";
  }
  return "unknown";
}

const char *check_connections_name(enum check_connections connections) {
  static const char *const names[] = {"reused", "fresh", "one"};
  return names[connections];
}

bool check_calls(const struct check *check) {
  return check->kind != CHECK_REFUSED && check->kind != CHECK_REPORTED;
}

bool check_goes_on(const struct check *check) {
  return check->kind == CHECK_UNBROKEN || check->kind == CHECK_CUT;
}

uint64_t check_request_count(const struct check *check) {
  double probabilities[CASE_SHARES_MAX] = {0};
  uint64_t sum = 0;
  if (check->kind != CHECK_SPLIT || check->repeat > 0)
    return check->repeat > 0 ? check->repeat : 1;
  for (size_t i = 0; i < check->share_count; i++)
    sum += check->shares[i].weight;
  for (size_t i = 0; i < check->share_count; i++)
    probabilities[i] = (double)check->shares[i].weight / (double)sum;
  return check->shares_judged
             ? split_sample_size(probabilities, check->share_count, SPLIT_ALPHA, SPLIT_POWER, SPLIT_SHIFT)
             : presence_sample_size(probabilities, check->share_count);
}
