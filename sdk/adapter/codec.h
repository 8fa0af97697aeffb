/* Messages from bytes and back, for the border: what comes from a peer is checked and bounded before protobuf-c sees
 * it. */
#ifndef TRAMMEL_SDK_ADAPTER_CODEC_H
#define TRAMMEL_SDK_ADAPTER_CODEC_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sdk/base/arena.h"
#include "sdk/base/error.h"

/* Bytes of one message, and of memory one message may unpack to: protobuf-c needs a multiple of the wire's bytes.
 * Between processes and machines the host takes less (CALL_MESSAGE_MAX of host/adapter/instance.h). */
#define MESSAGE_MAX (512u * 1024 * 1024)
#define MESSAGE_MEMORY_MAX (512u * 1024 * 1024)
/* Messages within messages. The contract's own depth is 6. */
#define MESSAGE_DEPTH_MAX 16

/* True when `data` is well-formed UTF-8 (RFC 3629) without a NUL. */
bool text_valid(const void *data, size_t length);

/* Walks the wire format: field structure, nesting, and that every string is UTF-8 without a NUL (protobuf-c checks
 * neither and cuts at the NUL). 0; -EMSGSIZE above MESSAGE_MAX; -EPROTO with what is wrong and in which field. */
int message_check(const ProtobufCMessageDescriptor *type, const void *data, size_t length, struct error **err);

/* Checks and unpacks into `arena`; never free the result with protobuf-c. 0, -EPROTO, -EMSGSIZE, -ENOMEM (the arena's
 * limit). */
int message_unpack_arena(struct arena *arena, const ProtobufCMessageDescriptor *type, const void *data, size_t length,
                         ProtobufCMessage **ret_message, struct error **err);

/* Checks and unpacks to the heap, at most `memory_max` bytes of it; the caller frees with
 * protobuf_c_message_free_unpacked(m, NULL). */
int message_unpack(const ProtobufCMessageDescriptor *type, const void *data, size_t length, size_t memory_max,
                   ProtobufCMessage **ret_message, struct error **err);

/* Heap bytes of a message; an empty message gives a valid pointer and length 0. 0, -EMSGSIZE above MESSAGE_MAX,
 * -ENOMEM. */
int message_pack(const ProtobufCMessage *message, uint8_t **ret_data, size_t *ret_length, struct error **err);

#endif
