/* What both ends of an HTTP/2 connection share. */
#ifndef TRAMMEL_REFERENCE_MESH_H2_H
#define TRAMMEL_REFERENCE_MESH_H2_H

#include <nghttp2/nghttp2.h>
#include <stdbool.h>
#include <stddef.h>

struct stream;

/* A session with the mesh's limits, which has its SETTINGS queued; windows are only opened by consuming. `callbacks`
 * are freed in every case. 0 or -ENOMEM. */
int h2_session_new(bool server, nghttp2_session_callbacks *callbacks, void *context, nghttp2_session **ret_session);

/* Queues frames on the stream until it is full, and sends. False when the session is broken. */
bool h2_send(nghttp2_session *session, struct stream *stream);

/* For on_invalid_header: nghttp2 would pass such a field over, and the rest of the message on. */
int h2_refuse_field(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_length,
                    const uint8_t *value, size_t value_length, uint8_t flags, void *context);

#endif
