#include "host/lab/workload/service.h"

#include <errno.h>
#include <string.h>

void service_finish(struct service *service) {
  record_finish(&service->record);
  metrics_finish(&service->metrics);
}

bool service_name_valid(const char *name) {
  size_t length = strlen(name);
  if (length == 0 || length > WORKLOAD_NAME_MAX)
    return false;
  for (size_t i = 0; i < length; i++)
    if (name[i] <= ' ' || name[i] >= 0x7f || name[i] == '"' || name[i] == '\\')
      return false;
  return true;
}

int service_accept(struct service *service, const char *id, size_t id_length, uint16_t port,
                   char ret_nonce[NONCE_LENGTH + 1]) {
  if (!call_id_valid(id, id_length))
    return -EINVAL;
  int r = nonce_draw(&service->nonces, ret_nonce);
  if (r < 0)
    return r;
  record_add(&service->record, id, id_length, ret_nonce, port);
  return 0;
}
