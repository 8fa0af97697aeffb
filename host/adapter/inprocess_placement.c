/* An instance in this process. */
#include <errno.h>

#include "host/adapter/gate.h"
#include "host/adapter/inprocess.h"
#include "host/adapter/loader.h"
#include "host/adapter/placement.h"

struct inprocess_placement {
  struct placement placement; /* first */
  struct inprocess *inprocess;
};

static int call(struct placement *placement, const struct placed_call *wanted, const struct call_options *options,
                uint8_t **ret_message, size_t *ret_length, struct error **err) {
  const struct inprocess_placement *own = (const struct inprocess_placement *)placement;
  return inprocess_call(own->inprocess, wanted->method, wanted->request, wanted->length, wanted->on_message,
                        wanted->ctx, options, ret_message, ret_length, err);
}

static void destroy(struct placement *placement) {
  struct inprocess_placement *own = (struct inprocess_placement *)placement;
  inprocess_destroy(own->inprocess);
  free(own);
}

/* The same descriptor that was hashed. */
static int load(const struct adapter_entry *entry, const trammel_adapter **ret_adapter, struct error **err) {
  _cleanup_gate_ struct gate gate = {.fd = -1};
  int r = registry_open(entry, &gate, err);
  if (r == 0 && (r = loader_load(&gate, ret_adapter, err)) < 0)
    return error_wrap(err, "adapter %s (%s)", entry->id, entry->path);
  return r;
}

int inprocess_placement_create(const struct adapter_entry *entry, const char *config, const struct adapter_http *http,
                               struct diagnostics *diagnostics, struct placement **ret_placement, struct error **err) {
  const trammel_adapter *adapter = NULL;
  const struct inprocess_options options = {
      .id = entry->id, .description = entry->description, .http = http, .message_max = CALL_MESSAGE_INPROCESS_MAX};
  int r = load(entry, &adapter, err);
  if (r < 0)
    return r;
  struct inprocess_placement *own = calloc(1, sizeof *own);
  if (!own)
    return error_set(err, ENOMEM, "out of memory");
  own->placement = (struct placement){.call = call, .destroy = destroy};
  r = inprocess_create(adapter, &options, config, &(struct call_options){.diagnostics = diagnostics}, &own->inprocess,
                       err);
  if (r < 0)
    free(own);
  else
    *ret_placement = &own->placement;
  return r;
}
