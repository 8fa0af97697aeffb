/* Translate: SMI to Istio's security and networking APIs. */
#ifndef TRAMMEL_PLUGINS_ISTIO_TRANSLATE_H
#define TRAMMEL_PLUGINS_ISTIO_TRANSLATE_H

#include "sdk/adapter/adapter.h"

int istio_translate(struct call *call, const struct translate_request *request, struct translation *translation);

#endif
