#include <string.h>

#include "host/rpc/methods.h"
#include "sdk/base/utf8.h"

/* Borrowed: the value of a field, of which `i` is the number in a repeated one. */
static const void *value_at(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field, size_t i) {
  const char *place = (const char *)message + field->offset;
  return field->label == PROTOBUF_C_LABEL_REPEATED ? (*(void *const *const *)place)[i] : *(const void *const *)place;
}

static size_t count_of(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field) {
  const char *quantifier = (const char *)message + field->quantifier_offset;
  if (field->label == PROTOBUF_C_LABEL_REPEATED)
    return *(const size_t *)quantifier;
  if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) /* the place is another field's unless this one is chosen */
    return *(const uint32_t *)quantifier == field->id ? 1 : 0;
  return 1;
}

const char *message_invalid_text(const ProtobufCMessage *message) {
  for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
    const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
    bool is_message = field->type == PROTOBUF_C_TYPE_MESSAGE;
    if (!is_message && field->type != PROTOBUF_C_TYPE_STRING)
      continue;
    for (size_t k = 0; k < count_of(message, field); k++) {
      const void *value = value_at(message, field, k);
      const char *inner = value && is_message ? message_invalid_text(value) : NULL;
      size_t at = 0;
      if (inner)
        return inner;
      if (value && !is_message && !utf8_valid(value, strlen(value), &at))
        return field->name;
    }
  }
  return NULL;
}
