#include "sdk/adapter/codec.h"

#include <errno.h>
#include <string.h>

#include "sdk/base/memory.h"
#include "sdk/base/utf8.h"

bool text_valid(const void *data, size_t length) {
  size_t offset;
  return length == 0 || (!memchr(data, '\0', length) && utf8_valid(data, length, &offset));
}

struct cursor {
  const uint8_t *p;
  size_t left;
};

static bool read_varint(struct cursor *in, uint64_t *ret_value) {
  uint64_t value = 0;
  for (unsigned shift = 0; shift < 64 && in->left; shift += 7) {
    uint8_t byte = *in->p++;
    in->left--;
    value |= (uint64_t)(byte & 0x7f) << shift;
    if (!(byte & 0x80)) {
      *ret_value = value;
      return true;
    }
  }
  return false;
}

static bool skip(struct cursor *in, uint64_t n) {
  if (n > in->left)
    return false;
  in->p += n;
  in->left -= (size_t)n;
  return true;
}

static int check_fields(const ProtobufCMessageDescriptor *type, struct cursor in, unsigned depth, struct error **err);

static int check_bytes(const ProtobufCMessageDescriptor *type, const ProtobufCFieldDescriptor *field, struct cursor in,
                       unsigned depth, struct error **err) {
  if (!field) /* of a later version of the contract */
    return 0;
  if (field->type == PROTOBUF_C_TYPE_STRING && !text_valid(in.p, in.left))
    return error_set(err, EPROTO, "%s.%s is not UTF-8 without NUL characters", type->short_name, field->name);
  if (field->type == PROTOBUF_C_TYPE_MESSAGE)
    return check_fields(field->descriptor, in, depth + 1, err);
  return 0;
}

/* One field, its tag read already. */
static int check_field(const ProtobufCMessageDescriptor *type, uint64_t tag, struct cursor *in, unsigned depth,
                       struct error **err) {
  const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field(type, (unsigned)(tag >> 3));
  uint64_t n = 0;
  bool good = false;
  switch (tag & 7) {
  case PROTOBUF_C_WIRE_TYPE_VARINT:
    good = read_varint(in, &n);
    break;
  case PROTOBUF_C_WIRE_TYPE_64BIT:
    good = skip(in, 8);
    break;
  case PROTOBUF_C_WIRE_TYPE_32BIT:
    good = skip(in, 4);
    break;
  case PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED:
    if (read_varint(in, &n) && n <= in->left) {
      int r = check_bytes(type, field, (struct cursor){in->p, (size_t)n}, depth, err);
      if (r < 0)
        return r;
      good = skip(in, n);
    }
    break;
  default:
    break;
  }
  return good ? 0
              : error_set(err, EPROTO, "malformed %s: field %llu is cut off or of an unknown wire type",
                          type->short_name, (unsigned long long)(tag >> 3));
}

static int check_fields(const ProtobufCMessageDescriptor *type, struct cursor in, unsigned depth, struct error **err) {
  if (depth > MESSAGE_DEPTH_MAX)
    return error_set(err, EPROTO, "%s: more than %d messages within each other", type->short_name, MESSAGE_DEPTH_MAX);
  while (in.left) {
    uint64_t tag;
    if (!read_varint(&in, &tag) || tag >> 3 == 0 || tag > UINT32_MAX)
      return error_set(err, EPROTO, "malformed %s: not a protobuf message", type->short_name);
    int r = check_field(type, tag, &in, depth, err);
    if (r < 0)
      return r;
  }
  return 0;
}

int message_check(const ProtobufCMessageDescriptor *type, const void *data, size_t length, struct error **err) {
  if (length > MESSAGE_MAX)
    return error_set(err, EMSGSIZE, "%s of %zu bytes, at most %u are taken", type->short_name, length, MESSAGE_MAX);
  return check_fields(type, (struct cursor){data, length}, 0, err);
}

static void *arena_message_alloc(void *data, size_t size) {
  return arena_alloc(data, size);
}

static void arena_message_free(void *data, void *pointer) {
  (void)data; /* all at once, with the arena */
  (void)pointer;
}

static int unpack(const ProtobufCMessageDescriptor *type, const void *data, size_t length,
                  ProtobufCAllocator *allocator, ProtobufCMessage **ret_message, struct error **err) {
  int r = message_check(type, data, length, err);
  if (r < 0)
    return r;
  ProtobufCMessage *message = protobuf_c_message_unpack(type, allocator, length, data);
  if (!message)
    return error_set(err, EPROTO, "malformed %s, or one that needs more memory than is given to it", type->short_name);
  *ret_message = message;
  return 0;
}

int message_unpack_arena(struct arena *arena, const ProtobufCMessageDescriptor *type, const void *data, size_t length,
                         ProtobufCMessage **ret_message, struct error **err) {
  ProtobufCAllocator allocator = {.alloc = arena_message_alloc, .free = arena_message_free, .allocator_data = arena};
  return unpack(type, data, length, &allocator, ret_message, err);
}

static void *budget_alloc(void *data, size_t size) {
  size_t *left = data;
  if (size > *left)
    return NULL;
  *left -= size;
  return malloc(size);
}

static void budget_free(void *data, void *pointer) {
  (void)data; /* what was handed out once stays counted: the budget bounds work, too */
  free(pointer);
}

int message_unpack(const ProtobufCMessageDescriptor *type, const void *data, size_t length, size_t memory_max,
                   ProtobufCMessage **ret_message, struct error **err) {
  size_t left = memory_max;
  ProtobufCAllocator allocator = {.alloc = budget_alloc, .free = budget_free, .allocator_data = &left};
  return unpack(type, data, length, &allocator, ret_message, err);
}

int message_pack(const ProtobufCMessage *message, uint8_t **ret_data, size_t *ret_length, struct error **err) {
  size_t length = protobuf_c_message_get_packed_size(message);
  if (length > MESSAGE_MAX)
    return error_set(err, EMSGSIZE, "%s of %zu bytes, at most %u are taken", message->descriptor->short_name, length,
                     MESSAGE_MAX);
  uint8_t *data = malloc(length ? length : 1);
  if (!data)
    return error_set(err, ENOMEM, "out of memory");
  protobuf_c_message_pack(message, data);
  *ret_data = data;
  *ret_length = length;
  return 0;
}
