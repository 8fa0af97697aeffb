/* Calls of the probe (probe.c) by way of an instance. */
#ifndef TRAMMEL_TESTS_INTEGRATION_ADAPTER_PROBE_CALL_H
#define TRAMMEL_TESTS_INTEGRATION_ADAPTER_PROBE_CALL_H

#include "host/adapter/instance.h"

#define PROBE_EVENT (&trammel__adapter__v1__invoke_event__descriptor)
#define PROBE_TEXT_SIZE 256

/* Fails the test when there can be none. */
struct instance *probe_create(const struct adapter_entry *probe, const struct adapter_http *http);

/* The summary of its answer goes to `ret_text` (NULL when none is expected). */
int probe_call(struct instance *instance, const char *method, const char *argument, const struct call_options *options,
               char ret_text[PROBE_TEXT_SIZE], struct error **err);

#endif
