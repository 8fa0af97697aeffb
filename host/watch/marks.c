#include "host/watch/marks.h"

#include <errno.h>
#include <string.h>

#include "sdk/base/strbuf.h"
#include "sdk/kube/object.h"
#include "sdk/smi/model.h"

static const char *annotation(const json_t *object, const char *name) {
  const json_t *annotations = json_object_get(json_object_get(object, "metadata"), "annotations");

  return json_string_value(json_object_get(annotations, name));
}

bool marks_made(const json_t *object) {
  return annotation(object, KUBE_HASH_ANNOTATION) || annotation(object, MARKS_WAVE_ANNOTATION);
}

const char *marks_sources(const json_t *object) {
  const char *list = annotation(object, KUBE_SOURCES_ANNOTATION);

  return list ? list : "";
}

void marks_content(const json_t *object, struct strbuf *key) {
  const char *hash = annotation(object, KUBE_HASH_ANNOTATION);
  const char *kind = json_string_value(json_object_get(object, "kind"));

  if (hash && kind)
    strbuf_printf(key, "%s/%s", kind, hash);
}

unsigned marks_kinds(const char *sources) {
  unsigned kinds = 0;

  for (const char *source = sources; source; source = strchr(source, ',') ? strchr(source, ',') + 1 : NULL)
    for (enum smi_kind kind = SMI_TRAFFIC_TARGET; kind <= SMI_IDENTITY_BINDING; kind++) {
      size_t length = strlen(smi_kind_name(kind));
      if (strncmp(source, smi_kind_name(kind), length) == 0 && source[length] == '/')
        kinds |= 1u << kind;
    }
  return kinds;
}

unsigned marks_wave(const json_t *object, unsigned end, unsigned unknown) {
  const char *text = annotation(object, MARKS_WAVE_ANNOTATION);

  if (!text || text[0] < '0' || text[0] > '9' || text[1])
    return unknown;
  unsigned wave = (unsigned)(text[0] - '0');
  return wave < end ? wave : unknown;
}

int marks_set_wave(json_t *object, unsigned wave) {
  json_auto_t *change =
      json_pack("{s:{s:{s:o}}}", "metadata", "annotations", MARKS_WAVE_ANNOTATION, json_sprintf("%u", wave));

  return change && json_object_update_recursive(object, change) == 0 ? 0 : -ENOMEM;
}
