#include "host/kit/recordings.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "host/adapter/instance.h"
#include "host/kit/line_diff.h"
#include "host/kit/setup.h"
#include "host/kit/text_file.h"
#include "host/kit/translation_json.h"
#include "host/lab/topology.h"
#include "sdk/adapter/codec.h"
#include "sdk/adapter/smi_wire.h"
#include "sdk/smi/parse.h"

#define PB(name) Trammel__Adapter__V1__##name
#define PB_INIT(NAME) TRAMMEL__ADAPTER__V1__##NAME##__INIT

const char *recording_verdict_name(enum recording_verdict verdict) {
  static const char *const names[] = {"", "passed", "differs", "absent", "broken", "written"};
  return names[verdict];
}

/* What all translations of a folder share. */
struct folder {
  struct arena *arena;
  struct instance *instance;
  struct setup setup;
  bool update;
};

/* ---- one translation */

static void responsep_free(PB(TranslateResponse) * *response) {
  if (*response)
    protobuf_c_message_free_unpacked(&(*response)->base, NULL);
}

static int translate(const struct folder *folder, PB(SmiSet) * smi, bool allow_unsupported,
                     struct diagnostics *diagnostics, PB(TranslateResponse) * *ret_response, struct error **err) {
  PB(TranslateOptions) options = PB_INIT(TRANSLATE_OPTIONS);
  PB(TranslateRequest) request = PB_INIT(TRANSLATE_REQUEST);
  options.n_deny_by_default = folder->setup.deny_count;
  options.deny_by_default = folder->setup.deny_by_default;
  options.allow_unsupported = allow_unsupported;
  request.smi = smi;
  request.inventory = folder->setup.inventory;
  request.options = &options;
  ProtobufCMessage *response = NULL;
  int r =
      instance_call(folder->instance, "Translate", &request.base, &trammel__adapter__v1__translate_response__descriptor,
                    &(struct call_options){.diagnostics = diagnostics}, &response, err);
  if (r == 0)
    *ret_response = (PB(TranslateResponse) *)(void *)response;
  return r;
}

/* Whether the second translation has the bytes of the first. */
static int check_repeats(const struct folder *folder, PB(SmiSet) * smi, const PB(TranslateResponse) * first,
                         struct error **err) {
  _cleanup_(responsep_free) PB(TranslateResponse) *second = NULL;
  _cleanup_free_ uint8_t *a = NULL, *b = NULL;
  size_t a_length = 0, b_length = 0;
  int r = translate(folder, smi, true, NULL, &second, err);
  if (r == 0)
    r = message_pack(&first->base, &a, &a_length, err);
  if (r == 0)
    r = message_pack(&second->base, &b, &b_length, err);
  if (r == 0 && (a_length != b_length || memcmp(a, b, a_length) != 0))
    r = error_set(err, EPROTO,
                  "translated twice, and the results differ: Translate may depend on nothing but its request");
  return r;
}

/* -ENOTSUP is an answer: something cannot be said on this mesh. */
static int check_complete(const struct folder *folder, PB(SmiSet) * smi, bool *ret_complete, struct error **err) {
  _cleanup_(responsep_free) PB(TranslateResponse) *response = NULL;
  _cleanup_error_ struct error *refusal = NULL;
  int r = translate(folder, smi, false, NULL, &response, &refusal);
  if (r < 0 && r != -ENOTSUP)
    return error_set(err, -r, "%s", error_message(refusal));
  *ret_complete = r == 0;
  return 0;
}

/* Appends what is recorded of a translation. */
static int describe(const struct folder *folder, PB(SmiSet) * smi, struct strbuf *out, struct error **err) {
  _cleanup_diagnostics_ struct diagnostics *diagnostics = diagnostics_create();
  _cleanup_(responsep_free) PB(TranslateResponse) *response = NULL;
  bool complete = false;
  int r =
      diagnostics ? translate(folder, smi, true, diagnostics, &response, err) : error_set(err, ENOMEM, "out of memory");
  if (r == 0)
    r = check_repeats(folder, smi, response, err);
  if (r == 0)
    r = check_complete(folder, smi, &complete, err);
  if (r < 0)
    return r;
  json_auto_t *json = translation_to_json(response);
  if (!json || json_object_set_new(json, "diagnostics", diagnostics_to_json(diagnostics)) < 0 ||
      json_object_set_new(json, "complete", json_boolean(complete)) < 0 || json_write(json, out) < 0)
    return error_set(err, ENOMEM, "out of memory");
  return 0;
}

/* ---- one file */

/* All diagnostics as text, for a verdict. */
static const char *diagnostics_text(struct arena *arena, const struct diagnostics *diagnostics) {
  _cleanup_free_ char *text = NULL;
  size_t length = 0;
  FILE *out = open_memstream(&text, &length);
  if (!out)
    return NULL;
  diagnostics_print(diagnostics, out);
  return fclose(out) == 0 ? arena_strndup(arena, text, length) : NULL;
}

/* Resources without a namespace are in the one where topologies have theirs. */
static int read_smi(struct arena *arena, const char *path, struct diagnostics *diagnostics, PB(SmiSet) * *ret_smi,
                    struct error **err) {
  const struct smi_parse_options options = {.default_namespace = TOPOLOGY_NAMESPACE_DEFAULT,
                                            .ignore_other_kinds = true};
  _cleanup_free_ char *text = NULL;
  size_t length = 0;
  struct document_list documents = {0};
  struct smi_set set = {0};
  int r = file_read(path, RECORDING_BYTES_MAX, &text, &length, err);
  if (r < 0)
    return r;
  r = document_read(arena, path, text, length, DOCUMENT_ANY, &document_limits_default, diagnostics, &documents);
  if (r == 0)
    r = smi_parse(arena, &documents, &options, diagnostics, &set);
  if (r < 0)
    return error_set(err, -r, "it is not valid SMI");
  *ret_smi = smi_to_wire(arena, &set);
  return *ret_smi ? 0 : error_set(err, ENOMEM, "out of memory");
}

/* "tests/split.json" of "tests/split.yaml". */
static const char *recorded_path(struct arena *arena, const char *path) {
  return arena_printf(arena, "%.*s.json", (int)(strlen(path) - strlen(".yaml")), path);
}

static int judge(const struct folder *folder, const char *found, struct recording *recording, struct error **err) {
  const char *path = recorded_path(folder->arena, recording->path);
  _cleanup_free_ char *recorded = NULL;
  size_t length = 0;
  if (!path)
    return error_set(err, ENOMEM, "out of memory");
  bool absent = access(path, F_OK) < 0 && errno == ENOENT;
  int r = absent ? 0 : file_read(path, RECORDING_BYTES_MAX, &recorded, &length, err);
  if (r < 0)
    return r;
  if (recorded && strcmp(recorded, found) == 0) {
    recording->verdict = RECORDING_PASSED;
    return 0;
  }
  if (folder->update) {
    recording->verdict = RECORDING_WRITTEN;
    return text_file_replace(path, found, err);
  }
  recording->verdict = absent ? RECORDING_ABSENT : RECORDING_DIFFERS;
  if (absent)
    return 0;
  _cleanup_strbuf_ struct strbuf difference = STRBUF_INIT;
  strbuf_printf(&difference, "--- %s\n+++ translated now\n", path);
  line_diff(&difference, recorded, found);
  recording->text = strbuf_failed(&difference) ? NULL : arena_strdup(folder->arena, strbuf_text(&difference));
  return recording->text ? 0 : error_set(err, ENOMEM, "out of memory");
}

static int run_file(const struct folder *folder, struct recording *recording, struct diagnostics *diagnostics,
                    struct error **err) {
  _cleanup_arena_ struct arena *arena = arena_create(0);
  _cleanup_strbuf_ struct strbuf found = STRBUF_INIT;
  PB(SmiSet) *smi = NULL;
  if (!arena)
    return error_set(err, ENOMEM, "out of memory");
  int r = read_smi(arena, recording->path, diagnostics, &smi, err);
  if (r == 0)
    r = describe(folder, smi, &found, err);
  return r < 0 ? r : judge(folder, strbuf_text(&found), recording, err);
}

/* -ENOMEM only: whatever else goes wrong is the verdict on this file. */
static int run_one(const struct folder *folder, struct recording *recording, struct error **err) {
  _cleanup_diagnostics_ struct diagnostics *diagnostics = diagnostics_create();
  _cleanup_error_ struct error *reason = NULL;
  if (!diagnostics)
    return error_set(err, ENOMEM, "out of memory");
  recording->text = "";
  int r = run_file(folder, recording, diagnostics, &reason);
  if (r == 0)
    return 0;
  const char *details = r == -ENOMEM ? NULL : diagnostics_text(folder->arena, diagnostics);
  recording->verdict = RECORDING_BROKEN;
  recording->text = details ? arena_printf(folder->arena, "%s\n%s", error_message(reason), details) : NULL;
  return recording->text ? 0 : error_set(err, ENOMEM, "out of memory");
}

/* ---- the folder */

static void closedirp(DIR **directory) {
  if (*directory)
    (void)closedir(*directory);
}

static bool is_input(const char *name) {
  size_t n = strlen(name);
  return n > 5 && name[0] != '.' && strcmp(name + n - 5, ".yaml") == 0 && strcmp(name, SETUP_FILE) != 0;
}

static int by_path(const void *a, const void *b) {
  return strcmp(((const struct recording *)a)->path, ((const struct recording *)b)->path);
}

static int list_files(const char *directory, struct recordings *recordings, struct error **err) {
  _cleanup_(closedirp) DIR *open = opendir(directory);
  if (!open)
    return error_set(err, errno, "folder %s: %s", directory, strerror(errno));
  size_t capacity = 0;
  for (const struct dirent *file; (file = readdir(open));) {
    if (!is_input(file->d_name))
      continue;
    if (recordings->count >= RECORDINGS_MAX)
      return error_set(err, E2BIG, "folder %s has more than %d files to translate", directory, RECORDINGS_MAX);
    char *path = arena_printf(recordings->arena, "%s/%s", directory, file->d_name);
    if (!path ||
        array_reserve((void **)&recordings->items, &capacity, recordings->count, sizeof *recordings->items) < 0)
      return error_set(err, ENOMEM, "out of memory");
    recordings->items[recordings->count++] = (struct recording){.path = path};
  }
  if (recordings->count == 0)
    return error_set(err, ENOENT, "folder %s has nothing to translate: put resources of SMI into a NAME.yaml",
                     directory);
  qsort(recordings->items, recordings->count, sizeof *recordings->items, by_path);
  return 0;
}

static int run_all(const struct adapter_entry *entry, const char *directory, struct folder *folder,
                   struct diagnostics *diagnostics, struct recordings *recordings, struct error **err) {
  int r = list_files(directory, recordings, err);
  if (r == 0)
    r = setup_read(folder->arena, directory, diagnostics, &folder->setup, err);
  if (r == 0)
    r = instance_create(entry, folder->setup.config, NULL, diagnostics, &folder->instance, err);
  for (size_t i = 0; r == 0 && i < recordings->count; i++)
    r = run_one(folder, &recordings->items[i], err);
  instance_destroy(folder->instance);
  setup_finish(&folder->setup);
  return r;
}

int recordings_run(const struct adapter_entry *entry, const char *directory, bool update,
                   struct diagnostics *diagnostics, struct recordings *ret_recordings, struct error **err) {
  struct recordings recordings = {.arena = arena_create(0)};
  if (!recordings.arena)
    return error_set(err, ENOMEM, "out of memory");
  struct folder folder = {.arena = recordings.arena, .update = update};
  int r = run_all(entry, directory, &folder, diagnostics, &recordings, err);
  if (r < 0)
    recordings_finish(&recordings);
  else
    *ret_recordings = recordings;
  return r;
}

void recordings_finish(struct recordings *recordings) {
  free(recordings->items);
  arena_destroy(recordings->arena);
  *recordings = (struct recordings){0};
}
