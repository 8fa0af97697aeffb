/* Native objects as text that other programs read. */
#ifndef TRAMMEL_HOST_CLI_NATIVE_TEXT_H
#define TRAMMEL_HOST_CLI_NATIVE_TEXT_H

#include "sdk/base/error.h"
#include "sdk/base/strbuf.h"
#include "trammel/adapter/v1/adapter.pb-c.h"

enum native_format { NATIVE_YAML, NATIVE_JSON };

/* Appends all objects in the order they are to be applied in. YAML: a document each, after "---". JSON: a v1 List whose
 * `items` are the Kubernetes objects, and when there are others `requests` beside them. A Kubernetes object is as the
 * API server takes it; an object over HTTP is {endpoint, method, path, contentType when it is not application/json,
 * body}. -EPROTO when an object is not what the contract says it is, -ENOMEM. */
int native_text(const Trammel__Adapter__V1__TranslateResponse *response, enum native_format format, struct strbuf *out,
                struct error **err);

#endif
