#include "host/engine/sources.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sdk/base/strbuf.h"
#include "sdk/kube/object.h"

/* What stands at the end of a list that was cut. */
#define CUT "…"

struct sources {
  json_t *names; /* a set: the keys of an object */
};

void sources_destroy(struct sources *sources) {
  if (!sources)
    return;
  json_decref(sources->names);
  free(sources);
}

static bool add(struct sources *sources, const struct smi_meta *meta) {
  _cleanup_strbuf_ struct strbuf name = STRBUF_INIT;

  strbuf_printf(&name, "%s/%s/%s", smi_kind_name(meta->kind), meta->ns, meta->name);
  return !strbuf_failed(&name) && json_object_set_new(sources->names, strbuf_text(&name), json_true()) == 0;
}

static bool add_all(struct sources *sources, const struct smi_set *set) {
  bool added = true;

  for (size_t i = 0; i < set->target_count; i++)
    added = added && add(sources, &set->targets[i].meta);
  for (size_t i = 0; i < set->route_group_count; i++)
    added = added && add(sources, &set->route_groups[i].meta);
  for (size_t i = 0; i < set->port_route_count; i++)
    added = added && add(sources, &set->port_routes[i].meta);
  for (size_t i = 0; i < set->split_count; i++)
    added = added && add(sources, &set->splits[i].meta);
  for (size_t i = 0; i < set->binding_count; i++)
    added = added && add(sources, &set->bindings[i].meta);
  return added;
}

struct sources *sources_create(const struct smi_set *set) {
  _cleanup_(sources_destroy_p) struct sources *sources = calloc(1, sizeof(*sources));

  if (!sources)
    return NULL;
  sources->names = json_object();
  return sources->names && add_all(sources, set) ? take(sources) : NULL;
}

static const char *list_of(const json_t *object) {
  const json_t *annotations = json_object_get(json_object_get(object, "metadata"), "annotations");
  const char *list = json_string_value(json_object_get(annotations, KUBE_SOURCES_ANNOTATION));

  return list ? list : "";
}

/* Whether the name, of `length` bytes, was given. */
static bool is_given(const struct sources *sources, const char *name, size_t length) {
  _cleanup_free_ char *copy = strndup(name, length);

  return copy && json_object_get(sources->names, copy);
}

enum sources_standing sources_judge(const struct sources *sources, const json_t *object,
                                    char ret_other[SOURCES_TOLD_MAX]) {
  enum sources_standing standing = SOURCES_NONE;
  const char *name = list_of(object);

  if (ret_other)
    ret_other[0] = '\0';
  for (size_t length; *name; name += length + (name[length] == ',')) {
    length = strcspn(name, ",");
    if (length == strlen(CUT) && memcmp(name, CUT, length) == 0) {
      standing = SOURCES_CUT;
    } else if (!is_given(sources, name, length)) {
      if (ret_other)
        (void)snprintf(ret_other, SOURCES_TOLD_MAX, "%.*s", length < SOURCES_TOLD_MAX ? (int)length : 0, name);
      return SOURCES_OTHER;
    } else if (standing == SOURCES_NONE) {
      standing = SOURCES_GIVEN;
    }
  }
  return standing;
}
