/* The batches a workload is told to run. What is accepted keeps to the limits, and can be written into a request as it
 * is. */
#include <stdint.h>
#include <string.h>

#include "host/lab/workload/batch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds) {
  if (!holds)
    abort();
}

static void check(const struct batch *batch) {
  size_t id = strlen(batch->id);
  require(id > 0 && id <= BATCH_ID_MAX && !strpbrk(batch->id, " \r\n\""));
  require(call_protocol_name(batch->protocol) != NULL);
  require(batch->count >= 1 && batch->count <= WORKLOAD_CALLS_MAX);
  require(batch->concurrency >= 1 && batch->concurrency <= WORKLOAD_CONCURRENCY_MAX);
  require(batch->header_count <= WORKLOAD_HEADERS_MAX);
  require(!strpbrk(batch->method, " \r\n") && !strpbrk(batch->path, " \r\n") && !strpbrk(batch->authority, " \r\n"));
  for (size_t i = 0; i < batch->header_count; i++)
    require(!strpbrk(batch->headers[i].name, " :\r\n") && !strpbrk(batch->headers[i].value, "\r\n"));
  require(!batch->keep[0] || (batch->concurrency == 1 && !batch->fresh));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  _cleanup_error_ struct error *err = NULL;
  _cleanup_(batch_destroy_p) struct batch *batch = NULL;
  if (batch_parse((const char *)data, size, &batch, &err) == 0)
    check(batch);
  else
    require(error_message(err)[0] != '\0');
  return 0;
}
