/* A translation as JSON for people to read and to compare: what recordings of translations hold. */
#ifndef TRAMMEL_HOST_KIT_TRANSLATION_JSON_H
#define TRAMMEL_HOST_KIT_TRANSLATION_JSON_H

#include <jansson.h>

#include "trammel/adapter/v1/adapter.pb-c.h"

/* {"objects": […], "coverage": […]} in the response's order. Of an object over HTTP, what is as usual is left out: a
 * GET of the same path reads it, a DELETE of it removes it, and it is JSON. A body that is no JSON is a string. NULL
 * without memory. */
json_t *translation_to_json(const Trammel__Adapter__V1__TranslateResponse *response);

#endif
