#include "host/engine/overlay.h"

#include <errno.h>

int overlay_read(const Trammel__Adapter__V1__EnrollResponse *enrolment, json_t **ret_overlay, struct error **err) {
  const ProtobufCBinaryData *text = &enrolment->pod_template_overlay;
  json_error_t wrong = {0};

  json_t *overlay =
      text->len > 0 ? json_loadb((const char *)text->data, text->len, JSON_REJECT_DUPLICATES, &wrong) : NULL;
  if (text->len > 0 && !json_is_object(overlay)) {
    json_decref(overlay);
    return error_set(err, EPROTO, "the adapter's Enroll: its pod template overlay is no JSON object%s%s",
                     *wrong.text ? ": " : "", wrong.text);
  }
  *ret_overlay = overlay;
  return 0;
}

/* A merge patch takes away what it says to be null. One from outside is at most as deep as jansson reads. */
bool overlay_removes(const json_t *overlay) {
  const char *key;
  json_t *value;

  json_object_foreach((json_t *)overlay, key, value) {
    if (json_is_null(value) || (json_is_object(value) && overlay_removes(value)))
      return true;
  }
  return false;
}
