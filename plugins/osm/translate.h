/* Translate of the adapter. */
#ifndef TRAMMEL_PLUGINS_OSM_TRANSLATE_H
#define TRAMMEL_PLUGINS_OSM_TRANSLATE_H

#include "sdk/adapter/adapter.h"

int osm_translate(struct call *call, const struct translate_request *request, struct translation *translation);

#endif
