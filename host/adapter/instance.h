/* A configured adapter in this process, and calls on it. The instance has a worker thread of its own: calls from any
 * thread queue up and run one at a time, unless the adapter says it is reentrant. */
#ifndef TRAMMEL_HOST_ADAPTER_INSTANCE_H
#define TRAMMEL_HOST_ADAPTER_INSTANCE_H

#include <jansson.h>
#include <stdatomic.h>
#include <stdint.h>

#include "host/adapter/registry.h"
#include "sdk/base/diagnostic.h"
#include "sdk/base/error.h"

/* How the host carries out an adapter's HTTP requests. `request` is called on the instance's worker thread, and honours
 * the deadline: whoever gives up a call waits for a request that is on its way. -ENOENT: the endpoint has no address.
 */
struct adapter_http {
  void *ctx;
  /* 0 with a heap `*ret_body` (freed by the caller) and the status; -errno with a reason otherwise. Method and path
   * were checked against the declared permissions. */
  int (*request)(void *ctx, void *user, const char *endpoint, const char *method, const char *path,
                 const char *content_type, const void *body, size_t body_length, int64_t deadline_ns,
                 unsigned *ret_status, char **ret_body, size_t *ret_body_length, struct error **err);
};

/* Of one call. */
struct call_options {
  int64_t deadline_ns;             /* CLOCK_MONOTONIC; 0: CALL_TIMEOUT_DEFAULT_NS from now */
  const atomic_bool *cancel;       /* polled; NULL: none */
  struct diagnostics *diagnostics; /* gets the adapter's diagnostics; NULL: dropped */
  void *user;                      /* handed to adapter_http.request for this call */
};
#define CALL_TIMEOUT_DEFAULT_NS (30 * INT64_C(1000000000))

/* Bytes of one request or response message, between processes and machines. Within this process there is no wire, and
 * a translation of 100,000 TrafficTargets has room. */
#define CALL_MESSAGE_MAX (64u * 1024 * 1024)
#define CALL_MESSAGE_INPROCESS_MAX (512u * 1024 * 1024)

struct instance;

/* Where lines of adapters' logs go; NULL: nowhere, which is the default. Set before any instance is made. `level` is
 * TRAMMEL_DEBUG … TRAMMEL_ERROR of trammel/abi.h; `write` is called from any thread. */
void adapter_log_to(void (*write)(void *ctx, const char *adapter, uint32_t level, const char *line), void *ctx);

/* Loads the adapter (the same descriptor that was hashed), makes an instance and configures it. `config` is checked
 * against the adapter's schema; violations are diagnostics. `http` may be NULL: then HTTP requests fail with
 * FAILED_PRECONDITION. The instance borrows `entry` and `http`. */
int instance_create(const struct adapter_entry *entry, json_t *config, const struct adapter_http *http,
                    struct diagnostics *diagnostics, struct instance **ret_instance, struct error **err);
void instance_destroy(struct instance *instance);

const struct adapter_entry *instance_entry(const struct instance *instance);

/* A unary call: sends `request` (a protobuf-c message) and gives back the decoded response, which the caller frees with
 * protobuf_c_message_free_unpacked(). -ENOTSUP for UNIMPLEMENTED (also: a translation with something the mesh cannot
 * do), -EINVAL for INVALID_ARGUMENT, -ETIMEDOUT, -ECANCELED, -EPROTO for a malformed answer, otherwise -EIO; the error
 * says method, status and the first diagnostic. Any thread. */
int instance_call(struct instance *instance, const char *method, const ProtobufCMessage *request,
                  const ProtobufCMessageDescriptor *response_type, const struct call_options *options,
                  ProtobufCMessage **ret_response, struct error **err);

/* The same for a request of `length` bytes that is packed already: what it was packed from need not be there meanwhile.
 */
int instance_call_packed(struct instance *instance, const char *method, const uint8_t *request, size_t length,
                         const ProtobufCMessageDescriptor *response_type, const struct call_options *options,
                         ProtobufCMessage **ret_response, struct error **err);

/* A streaming call: `on_message` gets each message, borrowed; a non-zero return ends the call with -ECANCELED. */
int instance_stream(struct instance *instance, const char *method, const ProtobufCMessage *request,
                    const ProtobufCMessageDescriptor *response_type,
                    int (*on_message)(void *ctx, const ProtobufCMessage *message), void *ctx,
                    const struct call_options *options, struct error **err);

#endif
