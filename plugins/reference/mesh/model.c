#include "plugins/reference/mesh/model.h"

#include "plugins/reference/mesh/pattern.h"

static void model_finish(struct model *model) {
  for (size_t i = 0; i < model->pattern_count; i++)
    pattern_destroy(model->patterns[i]);
  free(model->patterns);
  arena_destroy(model->arena);
}

void permission_destroy(struct permission *permission) {
  if (permission)
    model_finish(&permission->model);
  free(permission);
}

void split_destroy(struct split *split) {
  if (split)
    model_finish(&split->model);
  free(split);
}

void service_destroy(struct service *service) {
  if (service)
    model_finish(&service->model);
  free(service);
}

void workload_spec_destroy(struct workload_spec *spec) {
  if (spec)
    model_finish(&spec->model);
  free(spec);
}
