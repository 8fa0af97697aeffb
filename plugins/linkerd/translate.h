/* Translate: SMI to Linkerd's policies and routes. */
#ifndef TRAMMEL_PLUGINS_LINKERD_TRANSLATE_H
#define TRAMMEL_PLUGINS_LINKERD_TRANSLATE_H

#include "sdk/adapter/adapter.h"

int linkerd_translate(struct call *call, const struct translate_request *request, struct translation *translation);

#endif
