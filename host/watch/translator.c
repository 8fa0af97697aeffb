#include "host/watch/translator.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/inventory/inventory.h"
#include "sdk/adapter/smi_wire.h"
#include "sdk/base/clock.h"
#include "sdk/smi/parse.h"

#define PB(name) Trammel__Adapter__V1__##name

void translator_finish(struct translator *translator) {
  if (translator->inventory)
    protobuf_c_message_free_unpacked(&translator->inventory->base, NULL);
  cell_edges_finish(&translator->edges);
}

/* ---- the inventory */

/* A copy without the documents that it was read from, which are many times as large. */
static PB(Inventory) * copy(const PB(Inventory) * inventory) {
  size_t size = protobuf_c_message_get_packed_size(&inventory->base);
  _cleanup_free_ uint8_t *packed = malloc(size ? size : 1);

  if (!packed)
    return NULL;
  (void)protobuf_c_message_pack(&inventory->base, packed);
  return (PB(Inventory) *)(void *)protobuf_c_message_unpack(&trammel__adapter__v1__inventory__descriptor, NULL, size,
                                                            packed);
}

static int read_object(struct inventory_reader *reader, struct arena *arena, const struct mirrored *entry) {
  struct document_list list = {0};

  int r = document_read(arena, entry->key, entry->text, strlen(entry->text), DOCUMENT_JSON, NULL, NULL, &list);
  for (size_t i = 0; r == 0 && i < list.count; i++)
    r = inventory_reader_document(reader, list.roots[i]);
  return r == -ENOMEM ? r : 0;
}

static int survey(struct translator *translator, struct arena *arena, struct diagnostics *told,
                  const struct mirror *population, PB(Inventory) * *ret_inventory) {
  const struct inventory_options options = {.default_protocol = translator->default_protocol};
  struct inventory_reader *reader = inventory_reader_create(arena, &options, told);
  struct inventory_found found = {0};
  int r = reader ? 0 : -ENOMEM;

  for (size_t i = 0; r == 0 && i < population->entries.capacity; i++) {
    const struct mirrored *entry = (const struct mirrored *)population->entries.slots[i];
    if (entry && entry->text)
      r = read_object(reader, arena, entry);
  }
  if (r == 0)
    r = inventory_reader_finish(reader, &found);
  if (r == -ENOMEM || !found.message)
    return r < 0 ? r : -ENOMEM;
  *ret_inventory = copy(found.message);
  return *ret_inventory ? 0 : -ENOMEM;
}

int translator_survey(struct translator *translator, const struct mirror *population, struct error **err) {
  _cleanup_arena_ struct arena *arena = arena_create(0);
  _cleanup_diagnostics_ struct diagnostics *told = diagnostics_create();
  PB(Inventory) *inventory = NULL;
  struct cell_edges edges = {0};

  int r = arena && told ? survey(translator, arena, told, population, &inventory) : -ENOMEM;
  if (r == 0 && cell_edges_read(inventory, &edges) < 0) {
    protobuf_c_message_free_unpacked(&inventory->base, NULL);
    r = -ENOMEM;
  }
  if (r == -ENOMEM)
    return error_set(err, ENOMEM, "out of memory for the inventory");
  if (r < 0)
    return error_set(err, -r, "the inventory: %s", diagnostics_first_error(told));
  translator_finish(translator);
  translator->inventory = inventory;
  translator->edges = edges;
  return 0;
}

/* ---- the translation */

const char *translator_text_now(const struct mirrored *entry) {
  return entry_counts(entry) ? entry->text : NULL;
}

const char *translator_text_before(const struct mirrored *entry) {
  return entry->dirty ? entry->text_before : translator_text_now(entry);
}

static int read_resource(struct smi_reader *reader, const char *text) {
  _cleanup_arena_ struct arena *arena = arena_create(0);
  struct document_list list = {0};

  if (!arena)
    return -ENOMEM;
  int r = document_read(arena, NULL, text, strlen(text), DOCUMENT_JSON, NULL, NULL, &list);
  for (size_t i = 0; r == 0 && i < list.count; i++)
    r = smi_reader_document(reader, list.roots[i]);
  return r == -EINVAL ? 0 : r; /* it was read before, alone: what is wrong with it is known */
}

static int read_set(struct arena *arena, struct mirrored *const *entries, size_t count, translator_text *text_of,
                    struct smi_set *ret_set) {
  static const struct smi_parse_options options = {.ignore_other_kinds = true};
  struct smi_reader *reader = smi_reader_create(arena, &options, NULL);
  int r = reader ? 0 : -ENOMEM;

  for (size_t i = 0; r == 0 && i < count; i++) {
    const char *text = text_of(entries[i]);
    r = text ? read_resource(reader, text) : 0;
  }
  if (r == 0)
    r = smi_reader_finish(reader, ret_set);
  return r == -EINVAL ? 0 : r;
}

static int call(const struct translator *translator, PB(SmiSet) * smi, PB(TranslateResponse) * *ret_response,
                struct error **err) {
  PB(TranslateOptions) options = TRAMMEL__ADAPTER__V1__TRANSLATE_OPTIONS__INIT;
  PB(TranslateRequest) request = TRAMMEL__ADAPTER__V1__TRANSLATE_REQUEST__INIT;
  const struct call_options how = {.deadline_ns = clock_in_ns(TRANSLATOR_TIMEOUT_NS), .cancel = translator->cancel};
  ProtobufCMessage *response = NULL;

  options.n_deny_by_default = translator->deny_count;
  options.deny_by_default = (char **)(uintptr_t)translator->deny_by_default; /* only packed */
  options.allow_unsupported = true;
  request.smi = smi;
  request.inventory = translator->inventory;
  request.options = &options;
  int r = instance_call(translator->instance, "Translate", &request.base,
                        &trammel__adapter__v1__translate_response__descriptor, &how, &response, err);
  if (r == 0)
    *ret_response = (PB(TranslateResponse) *)(void *)response;
  return r;
}

int translator_run(const struct translator *translator, struct mirrored *const *entries, size_t count,
                   translator_text *text_of, PB(TranslateResponse) * *ret_response, struct error **err) {
  _cleanup_arena_ struct arena *arena = arena_create(0);
  struct smi_set set = {0};

  int r = arena ? read_set(arena, entries, count, text_of, &set) : -ENOMEM;
  if (r < 0)
    return error_set(err, -r, r == -ENOMEM ? "out of memory for the resources" : "there are too many resources");
  PB(SmiSet) *smi = smi_to_wire(arena, &set);
  if (!smi)
    return error_set(err, ENOMEM, "out of memory for the resources");
  return call(translator, smi, ret_response, err);
}
