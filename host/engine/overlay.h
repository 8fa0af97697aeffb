/* What an adapter's Enroll puts over the template of pods: a JSON merge patch. */
#ifndef TRAMMEL_HOST_ENGINE_OVERLAY_H
#define TRAMMEL_HOST_ENGINE_OVERLAY_H

#include <jansson.h>
#include <stdbool.h>

#include "sdk/base/error.h"
#include "trammel/adapter/v1/adapter.pb-c.h"

/* A new reference; NULL when there is none. -EPROTO when it is no JSON object. */
int overlay_read(const Trammel__Adapter__V1__EnrollResponse *enrolment, json_t **ret_overlay, struct error **err);

/* Whether it takes something away. */
bool overlay_removes(const json_t *overlay);

#endif
