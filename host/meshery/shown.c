#include "host/meshery/shown.h"

#include <string.h>

#include "host/runs/process.h"
#include "sdk/base/clock.h"

#define SHOW_LIMIT_NS (20 * NS_PER_SECOND)

int shown_adapter(const struct service *host, const char *adapter, json_t **ret_shown, struct error **err) {
  json_auto_t *words =
      json_pack("[s, s, s, s, s, s]", host->program, "adapter", "show", "--output=json", "--", adapter);
  return process_capture_json(host->program, words, host->state_directory, SHOW_LIMIT_NS, JSON_OBJECT, ret_shown, err);
}

bool shown_is_testable(const json_t *shown, const json_t *spec) {
  const json_t *method;
  size_t i;
  bool found = json_array_size(json_object_get(spec, "endpoints")) > 0;
  json_array_foreach(json_object_get(shown, "methods"), i, method) {
    found = found || (json_is_string(method) && strcmp(json_string_value(method), "Plan") == 0);
  }
  return found;
}
