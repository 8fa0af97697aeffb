/* What goes between a host and a worker, as messages of proto/trammel/load/v1/worker.proto. What comes from a worker is
 * not believed: it has to add up. */
#ifndef TRAMMEL_HOST_WORKERS_WIRE_H
#define TRAMMEL_HOST_WORKERS_WIRE_H

#include "host/load/run.h"
#include "host/rpc/core/rpc.h"
#include "trammel/load/v1/worker.pb-c.h"

#define WORKER_RUN "/trammel.load.v1.WorkerService/Run"

/* Both live while the messages do: texts are borrowed. */
struct wire_assignment {
  Trammel__Load__V1__Assignment message;
  Trammel__Load__V1__Target target;
  Trammel__Load__V1__Tls tls;
  Trammel__Load__V1__Load load;
};
void wire_assign(const struct target_options *target, const struct load_options *load,
                 struct wire_assignment *ret_assignment);
/* -EINVAL for what no host sends. Borrows from the message; `headers` is the room for the headers. */
int wire_take_assignment(const Trammel__Load__V1__Assignment *message, const char *headers[TARGET_HEADERS_MAX],
                         struct target_options *ret_target, struct load_options *ret_load, struct error **err);

/* A result, packed in its FromWorker; heap. -ENOMEM. */
int wire_pack_result(const struct load_result *result, uint8_t **ret_data, size_t *ret_length);
/* Its counts and its beginning; the tally is to be finished by the caller. -EPROTO says what does not add up. */
int wire_take_result(const Trammel__Load__V1__Result *message, struct tally *ret_tally, int64_t *ret_begun_ns,
                     struct error **err);

/* Sends a message. -ECANCELED when the call is over, -ENOMEM. */
int wire_send(struct rpc_call *call, const ProtobufCMessage *message);
/* The next message, for message_free(): 1; 0 when there is none any more; -EPROTO for what is none, -ENOMEM. */
int wire_receive(struct rpc_call *call, const atomic_bool *cancel, const ProtobufCMessageDescriptor *type,
                 ProtobufCMessage **ret_message);

#endif
