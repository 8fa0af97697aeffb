#include "sdk/kube/root.h"

#include <string.h>

static const struct smi_traffic_split *first_by_name(const struct smi_index_entry *entries, size_t count) {
  const struct smi_traffic_split *first = (const void *)entries[0].meta;
  for (size_t i = 1; i < count; i++)
    if (strcmp(entries[i].meta->name, first->meta.name) < 0)
      first = (const void *)entries[i].meta;
  return first;
}

static void refuse(struct call *call, const struct smi_meta *other, const struct smi_traffic_split *first,
                   const char *code, struct translation *translation) {
  translation_cover(translation,
                    &(struct coverage){.resource = other,
                                       .level = COVERAGE_UNSUPPORTED,
                                       .pointer = "/spec/service",
                                       .code = code,
                                       .reason = arena_printf(call_arena(call), "TrafficSplit %s splits %s already",
                                                              first->meta.name, first->service),
                                       .remedy = "keep one split for a service"});
}

void kube_roots_translate(const struct kube_directory *directory, const void *options, const char *code_taken,
                          kube_split_translator *translate, struct translation *translation) {
  const struct smi_set *smi = &directory->request->smi;
  struct smi_index roots;
  if (smi_index_init(&roots, call_arena(directory->call), smi->split_count) < 0) {
    call_out_of_memory(directory->call);
    return;
  }
  for (size_t i = 0; i < smi->split_count; i++)
    smi_index_add(&roots, SMI_TRAFFIC_SPLIT, smi->splits[i].meta.ns, smi->splits[i].service, &smi->splits[i].meta);
  smi_index_sort(&roots);
  for (size_t start = 0, end; start < roots.count; start = end) {
    const struct smi_traffic_split *first;
    for (end = start + 1; end < roots.count && smi_index_same(&roots.entries[start], &roots.entries[end]);)
      end++;
    first = first_by_name(roots.entries + start, end - start);
    translate(directory, options, first, translation);
    for (size_t i = start; i < end; i++)
      if (roots.entries[i].meta != &first->meta)
        refuse(directory->call, roots.entries[i].meta, first, code_taken, translation);
  }
}
