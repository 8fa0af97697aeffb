#include "plugins/consul/split.h"
#include "plugins/consul/target.h"

/* The objects that carry a target: those of its grants, which are next in the list; each once. */
static size_t objects_of(const struct intentions *intentions, size_t target, size_t *next,
                         const struct native_object **objects) {
  size_t count = 0;
  for (; *next < intentions->count && intentions->grants[*next].target_order == target; (*next)++)
    if (count == 0 || objects[count - 1] != intentions->grants[*next].object)
      objects[count++] = intentions->grants[*next].object;
  return count;
}

static void state_targets(const struct intentions *intentions, const struct coverage_list *coverage, size_t count,
                          struct translation *translation) {
  struct call *call = intentions->directory->call;
  const struct native_object **objects = arena_array(call_arena(call), intentions->count, sizeof *objects);
  size_t next = 0;
  if (!objects) {
    call_out_of_memory(call);
    return;
  }
  for (size_t i = 0; i < count; i++)
    coverage_state(&coverage[i], translation, objects, objects_of(intentions, i, &next, objects));
}

static void translate(struct directory *directory, struct intentions *intentions, struct translation *translation) {
  struct call *call = directory->call;
  const struct smi_set *smi = &directory->request->smi;
  struct protocols protocols = {.call = call};
  struct splits splits;
  struct coverage_list *coverage = arena_array(call_arena(call), smi->target_count, sizeof *coverage);
  if (!coverage || !splits_init(&splits, directory, &protocols)) {
    call_out_of_memory(call);
    return;
  }
  for (size_t i = 0; i < smi->target_count; i++) {
    coverage[i].call = call;
    target_translate(intentions, &protocols, i, &coverage[i]);
  }
  intentions_emit(intentions, translation);
  state_targets(intentions, coverage, smi->target_count, translation);
  for (size_t i = 0; i < smi->split_count; i++)
    split_translate(&splits, i, translation);
  protocols_emit(&protocols, directory->config, translation);
}

int consul_translate(struct call *call, const struct translate_request *request, struct translation *translation) {
  struct consul_config config;
  struct directory directory;
  struct intentions intentions;
  consul_config_read(call, &config);
  if (!directory_init(&directory, call, &config, request))
    return TRAMMEL_RESOURCE_EXHAUSTED;
  if (!intentions_init(&intentions, &directory)) {
    call_out_of_memory(call);
    return TRAMMEL_RESOURCE_EXHAUSTED;
  }
  translate(&directory, &intentions, translation);
  intentions_finish(&intentions);
  return TRAMMEL_OK;
}
