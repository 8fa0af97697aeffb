#include "host/engine/fulfilment.h"

#include <string.h>

static bool has_items(const json_t *wanted, const json_t *there) {
  const json_t *value;
  size_t i;

  if (!json_is_array(there) || json_array_size(wanted) != json_array_size(there))
    return false;
  json_array_foreach(wanted, i, value) {
    if (!is_fulfilled(value, json_array_get(there, i)))
      return false;
  }
  return true;
}

static bool has_members(const json_t *wanted, const json_t *there) {
  const char *key;
  json_t *value;

  if (!json_is_object(there))
    return false;
  json_object_foreach((json_t *)wanted, key, value) {
    const json_t *other = json_object_get(there, key);
    if (!other && (json_is_object(value) || json_is_array(value)) && json_object_size(value) == 0 &&
        json_array_size(value) == 0)
      continue; /* a server may leave out what is empty */
    if (!is_fulfilled(value, other))
      return false;
  }
  return true;
}

bool is_fulfilled(const json_t *wanted, const json_t *there) {
  if (json_is_object(wanted))
    return has_members(wanted, there);
  if (json_is_array(wanted))
    return has_items(wanted, there);
  if (json_is_number(wanted) && json_is_number(there))
    return json_number_value(wanted) == json_number_value(there);
  return json_equal(wanted, there);
}
