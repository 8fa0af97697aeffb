/* What describes the messages of gRPC: a FileDescriptorSet (google/protobuf/descriptor.proto), as `protoc
 * --include_imports --descriptor_set_out` writes it. It is read where it is, each time that something of it is wanted:
 * a run encodes one message. */
#ifndef TRAMMEL_HOST_LOAD_PROTOSET_H
#define TRAMMEL_HOST_LOAD_PROTOSET_H

#include <stdbool.h>
#include <stdint.h>

#include "sdk/base/error.h"

#define PROTOSET_MAX (16U << 20)

/* Some of the bytes of a set, borrowed. */
struct protoset_part {
  const uint8_t *at;
  size_t length;
};

/* FieldDescriptorProto.Type */
enum protoset_type {
  PROTOSET_DOUBLE = 1,
  PROTOSET_FLOAT,
  PROTOSET_INT64,
  PROTOSET_UINT64,
  PROTOSET_INT32,
  PROTOSET_FIXED64,
  PROTOSET_FIXED32,
  PROTOSET_BOOL,
  PROTOSET_STRING,
  PROTOSET_GROUP,
  PROTOSET_MESSAGE,
  PROTOSET_BYTES,
  PROTOSET_UINT32,
  PROTOSET_ENUM,
  PROTOSET_SFIXED32,
  PROTOSET_SFIXED64,
  PROTOSET_SINT32,
  PROTOSET_SINT64,
};

struct protoset_field {
  struct protoset_part name, json_name, type_name;
  uint32_t number;
  uint64_t type; /* protoset_type, or a number that is none */
  bool repeated, required;
  int64_t oneof; /* its number in the message; -1: it is in none */
};

/* 0, -ENOENT, or -EINVAL when the set is damaged; these say what. Names are without a leading dot. */

/* The message that "PACKAGE.SERVICE/METHOD" takes. */
int protoset_request(struct protoset_part set, const char *call, struct protoset_part *ret_type_name,
                     struct error **err);
int protoset_message(struct protoset_part set, struct protoset_part name, struct protoset_part *ret_message,
                     struct error **err);
int protoset_enum(struct protoset_part set, struct protoset_part name, struct protoset_part *ret_enum,
                  struct error **err);

/* ---- of a message, of an enumeration; 1, 0 when there is none (any more), or -1 when it is damaged */

/* The next field; `rest` is the message at first. */
int protoset_next_field(struct protoset_part *rest, struct protoset_field *ret_field);
/* By its name, or the one that it has in JSON. */
int protoset_field_named(struct protoset_part message, const char *name, struct protoset_field *ret_field);
int protoset_field_numbered(struct protoset_part message, uint32_t number, struct protoset_field *ret_field);
/* Whether the message is an entry of a map: its key is field 1, its value field 2. */
int protoset_is_entry(struct protoset_part message);
int protoset_enum_number(struct protoset_part enumeration, const char *name, int32_t *ret_number);

#endif
