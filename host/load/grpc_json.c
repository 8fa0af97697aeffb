#include "host/load/grpc_json.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <openssl/evp.h>
#include <string.h>

#include "sdk/base/memory.h"

enum wire { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_LENGTH = 2, WIRE_32 = 5 };

struct encoder {
  struct protoset_part set;
  struct error **err;
  unsigned depth;
};

static int encode_message(struct encoder *encoder, struct protoset_part message, const json_t *json,
                          struct strbuf *out);

static int refuse(const struct encoder *encoder, const struct protoset_field *field, const char *wanted) {
  return error_set(encoder->err, EINVAL, "the field %.*s is %s", (int)field->name.length, (const char *)field->name.at,
                   wanted);
}

static int damaged(const struct encoder *encoder) {
  return error_set(encoder->err, EINVAL, "the descriptor set is damaged");
}

/* ---- the wire format */

static void put_varint(struct strbuf *out, uint64_t value) {
  for (; value > 0x7f; value >>= 7)
    strbuf_putc(out, (char)(value | 0x80));
  strbuf_putc(out, (char)value);
}

static void put_tag(struct strbuf *out, const struct protoset_field *field, enum wire wire) {
  put_varint(out, (uint64_t)field->number << 3 | wire);
}

static void put_fixed(struct strbuf *out, uint64_t value, unsigned bytes) {
  for (unsigned i = 0; i < bytes; i++)
    strbuf_putc(out, (char)(value >> (8 * i)));
}

static void put_bytes(struct strbuf *out, const struct protoset_field *field, const void *data, size_t length) {
  put_tag(out, field, WIRE_LENGTH);
  put_varint(out, length);
  strbuf_append(out, data, length);
}

/* ---- numbers */

/* An integer as JSON has it: a number, or a string with one; without losing anything. */
static bool read_signed(const json_t *json, int64_t *ret_value) {
  const char *text = json_string_value(json);
  char *end = NULL;
  if (json_is_integer(json)) {
    *ret_value = json_integer_value(json);
    return true;
  }
  if (json_is_real(json)) {
    double value = json_real_value(json);
    *ret_value = fabs(value) < 9e15 ? (int64_t)value : 0;
    return fabs(value) < 9e15 && value == trunc(value);
  }
  if (!text || !*text || strspn(text, "-0123456789") != strlen(text))
    return false;
  errno = 0;
  *ret_value = strtoll(text, &end, 10);
  return errno == 0 && *end == '\0';
}

static bool read_unsigned(const json_t *json, uint64_t *ret_value) {
  const char *text = json_string_value(json);
  char *end = NULL;
  int64_t value;
  if (text && *text && strspn(text, "0123456789") == strlen(text)) {
    errno = 0;
    *ret_value = strtoull(text, &end, 10);
    return errno == 0;
  }
  if (!read_signed(json, &value) || value < 0)
    return false;
  *ret_value = (uint64_t)value;
  return true;
}

static bool read_real(const json_t *json, double *ret_value) {
  const char *text = json_string_value(json);
  char *end = NULL;
  if (json_is_number(json)) {
    *ret_value = json_number_value(json);
    return true;
  }
  if (!text || !*text)
    return false;
  if (strcmp(text, "NaN") == 0)
    *ret_value = (double)NAN;
  else if (strcmp(text, "Infinity") == 0 || strcmp(text, "-Infinity") == 0)
    *ret_value = text[0] == '-' ? -(double)INFINITY : (double)INFINITY;
  else if (strspn(text, "+-.0123456789eE") == strlen(text))
    *ret_value = strtod(text, &end);
  else
    return false;
  return !end || *end == '\0';
}

static int encode_signed(struct encoder *encoder, const struct protoset_field *field, const json_t *json,
                         struct strbuf *out) {
  bool narrow = field->type == PROTOSET_INT32 || field->type == PROTOSET_SINT32 || field->type == PROTOSET_SFIXED32;
  int64_t value;
  if (!read_signed(json, &value) || (narrow && (value < INT32_MIN || value > INT32_MAX)))
    return refuse(encoder, field, narrow ? "an integer of 32 bits" : "an integer of 64 bits");
  uint64_t zigzag = ((uint64_t)value << 1) ^ (value < 0 ? UINT64_MAX : 0);
  if (field->type == PROTOSET_SFIXED32 || field->type == PROTOSET_SFIXED64) {
    put_tag(out, field, narrow ? WIRE_32 : WIRE_64);
    put_fixed(out, (uint64_t)value, narrow ? 4 : 8);
    return 0;
  }
  put_tag(out, field, WIRE_VARINT);
  put_varint(out, field->type == PROTOSET_SINT32 || field->type == PROTOSET_SINT64 ? zigzag : (uint64_t)value);
  return 0;
}

static int encode_unsigned(struct encoder *encoder, const struct protoset_field *field, const json_t *json,
                           struct strbuf *out) {
  bool narrow = field->type == PROTOSET_UINT32 || field->type == PROTOSET_FIXED32;
  bool fixed = field->type == PROTOSET_FIXED32 || field->type == PROTOSET_FIXED64;
  uint64_t value;
  if (!read_unsigned(json, &value) || (narrow && value > UINT32_MAX))
    return refuse(encoder, field, narrow ? "an integer from 0 of 32 bits" : "an integer from 0 of 64 bits");
  put_tag(out, field, !fixed ? WIRE_VARINT : narrow ? WIRE_32 : WIRE_64);
  if (fixed)
    put_fixed(out, value, narrow ? 4 : 8);
  else
    put_varint(out, value);
  return 0;
}

static int encode_real(struct encoder *encoder, const struct protoset_field *field, const json_t *json,
                       struct strbuf *out) {
  bool narrow = field->type == PROTOSET_FLOAT;
  uint64_t bits = 0;
  double value;
  if (!read_real(json, &value))
    return refuse(encoder, field, "a number");
  float single = (float)value;
  if (narrow)
    memcpy(&bits, &single, sizeof(single)); /* the machines that this is built for have the low bytes first */
  else
    memcpy(&bits, &value, sizeof(value));
  put_tag(out, field, narrow ? WIRE_32 : WIRE_64);
  put_fixed(out, bits, narrow ? 4 : 8);
  return 0;
}

/* ---- others */

static int encode_bool(struct encoder *encoder, const struct protoset_field *field, const json_t *json,
                       struct strbuf *out) {
  const char *text = json_string_value(json); /* a key of a map is one */
  bool value = json_is_true(json) || (text && strcmp(text, "true") == 0);
  if (!json_is_boolean(json) && !(text && (value || strcmp(text, "false") == 0)))
    return refuse(encoder, field, "true or false");
  put_tag(out, field, WIRE_VARINT);
  put_varint(out, value);
  return 0;
}

static int encode_enum(struct encoder *encoder, const struct protoset_field *field, const json_t *json,
                       struct strbuf *out) {
  struct protoset_part enumeration;
  int64_t number = 0;
  int32_t named = 0;
  int r = protoset_enum(encoder->set, field->type_name, &enumeration, encoder->err);
  if (r < 0)
    return r;
  if (json_is_string(json)) {
    r = protoset_enum_number(enumeration, json_string_value(json), &named);
    number = named;
  } else {
    r = read_signed(json, &number) && number >= INT32_MIN && number <= INT32_MAX;
  }
  if (r <= 0)
    return r < 0 ? damaged(encoder) : refuse(encoder, field, "a name of its enumeration, or a number");
  put_tag(out, field, WIRE_VARINT);
  put_varint(out, (uint64_t)number);
  return 0;
}

static int encode_bytes(struct encoder *encoder, const struct protoset_field *field, const json_t *json,
                        struct strbuf *out) {
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const char *text = json_string_value(json);
  size_t length = text ? json_string_length(json) : 0;
  if (!text || length % 4 != 0 || length > PROTOSET_MAX)
    return refuse(encoder, field, "base64 with its padding");
  size_t padding = length > 0 ? (size_t)(text[length - 1] == '=') + (text[length - 2] == '=') : 0;
  if (strspn(text, digits) + padding != length)
    return refuse(encoder, field, "base64 with its padding");
  _cleanup_free_ unsigned char *data = malloc(length / 4 * 3 + 1);
  if (!data)
    return error_set(encoder->err, ENOMEM, "no memory for a message");
  int decoded = length > 0 ? EVP_DecodeBlock(data, (const unsigned char *)text, (int)length) : 0;
  if (decoded < 0)
    return refuse(encoder, field, "base64 with its padding");
  put_bytes(out, field, data, (size_t)decoded - padding);
  return 0;
}

static int encode_inner(struct encoder *encoder, const struct protoset_field *field, const json_t *json,
                        struct strbuf *out) {
  _cleanup_strbuf_ struct strbuf inner = STRBUF_INIT;
  struct protoset_part message;
  int r = protoset_message(encoder->set, field->type_name, &message, encoder->err);
  if (r < 0)
    return r;
  if (encoder->depth == GRPC_JSON_DEPTH_MAX)
    return refuse(encoder, field, "too deep inside of other messages");
  if (!json_is_object(json))
    return refuse(encoder, field, "a message: an object with its fields");
  encoder->depth++;
  r = encode_message(encoder, message, json, &inner);
  encoder->depth--;
  if (r < 0)
    return r;
  if (strbuf_failed(&inner))
    return error_set(encoder->err, ENOMEM, "no memory for a message");
  put_bytes(out, field, strbuf_text(&inner), inner.length);
  return 0;
}

/* One value; of what is repeated, one of them. None are packed, which every reader has to take. */
static int encode_value(struct encoder *encoder, const struct protoset_field *field, const json_t *json,
                        struct strbuf *out) {
  switch (field->type) {
  case PROTOSET_INT32:
  case PROTOSET_INT64:
  case PROTOSET_SINT32:
  case PROTOSET_SINT64:
  case PROTOSET_SFIXED32:
  case PROTOSET_SFIXED64:
    return encode_signed(encoder, field, json, out);
  case PROTOSET_UINT32:
  case PROTOSET_UINT64:
  case PROTOSET_FIXED32:
  case PROTOSET_FIXED64:
    return encode_unsigned(encoder, field, json, out);
  case PROTOSET_FLOAT:
  case PROTOSET_DOUBLE:
    return encode_real(encoder, field, json, out);
  case PROTOSET_BOOL:
    return encode_bool(encoder, field, json, out);
  case PROTOSET_ENUM:
    return encode_enum(encoder, field, json, out);
  case PROTOSET_BYTES:
    return encode_bytes(encoder, field, json, out);
  case PROTOSET_MESSAGE:
    return encode_inner(encoder, field, json, out);
  case PROTOSET_STRING:
    if (!json_is_string(json))
      return refuse(encoder, field, "a string");
    put_bytes(out, field, json_string_value(json), json_string_length(json));
    return 0;
  default:
    return refuse(encoder, field, "of a type that is not known here (groups are not)");
  }
}

/* ---- maps and lists */

/* 1 and the entry's message when the field is a map. */
static int read_map(struct encoder *encoder, const struct protoset_field *field, struct protoset_part *ret_entry) {
  if (!field->repeated || field->type != PROTOSET_MESSAGE)
    return 0;
  int r = protoset_message(encoder->set, field->type_name, ret_entry, encoder->err);
  if (r == 0)
    r = protoset_is_entry(*ret_entry);
  return r == -1 ? damaged(encoder) : r;
}

static int encode_map(struct encoder *encoder, const struct protoset_field *field, struct protoset_part entry,
                      const json_t *json, struct strbuf *out) {
  struct protoset_field key_field, value_field;
  const char *key;
  json_t *value;
  if (!json_is_object(json))
    return refuse(encoder, field, "a map: an object");
  if (protoset_field_numbered(entry, 1, &key_field) <= 0 || protoset_field_numbered(entry, 2, &value_field) <= 0)
    return damaged(encoder);
  json_object_foreach((json_t *)(uintptr_t)json, key, value) {
    _cleanup_strbuf_ struct strbuf pair = STRBUF_INIT;
    json_t *name = json_string(key);
    int r = name ? encode_value(encoder, &key_field, name, &pair)
                 : error_set(encoder->err, ENOMEM, "no memory for a message");
    json_decref(name);
    if (r == 0)
      r = encode_value(encoder, &value_field, value, &pair);
    if (r < 0)
      return r;
    put_bytes(out, field, strbuf_text(&pair), pair.length);
  }
  return 0;
}

static int encode_list(struct encoder *encoder, const struct protoset_field *field, const json_t *json,
                       struct strbuf *out) {
  if (!json_is_array(json))
    return refuse(encoder, field, "repeated: an array");
  for (size_t i = 0; i < json_array_size(json); i++) {
    int r = encode_value(encoder, field, json_array_get(json, i), out);
    if (r < 0)
      return r;
  }
  return 0;
}

static int encode_field(struct encoder *encoder, const struct protoset_field *field, const json_t *json,
                        struct strbuf *out) {
  struct protoset_part entry;
  if (json_is_null(json))
    return 0;
  if (!field->repeated)
    return encode_value(encoder, field, json, out);
  int r = read_map(encoder, field, &entry);
  if (r < 0)
    return r;
  return r > 0 ? encode_map(encoder, field, entry, json, out) : encode_list(encoder, field, json, out);
}

/* ---- messages */

/* NULL: nothing is given by this name. */
static const json_t *given_by(const json_t *json, struct protoset_part name) {
  const json_t *value = name.length > 0 ? json_object_getn(json, (const char *)name.at, name.length) : NULL;
  return json_is_null(value) ? NULL : value;
}

/* What JSON gives a field, by either of its names; NULL: nothing. */
static const json_t *given(const json_t *json, const struct protoset_field *field) {
  const json_t *value = given_by(json, field->name);
  return value ? value : given_by(json, field->json_name);
}

static bool is_given_twice(const json_t *json, const struct protoset_field *field) {
  bool same = field->name.length == field->json_name.length &&
              (field->name.length == 0 || memcmp(field->name.at, field->json_name.at, field->name.length) == 0);
  return !same && given_by(json, field->name) && given_by(json, field->json_name);
}

/* Whether another field of the same oneof is given, too. */
static bool has_rival(struct protoset_part message, const struct protoset_field *field, const json_t *json) {
  struct protoset_field other;
  while (field->oneof >= 0 && protoset_next_field(&message, &other) > 0)
    if (other.oneof == field->oneof && other.number != field->number && given(json, &other))
      return true;
  return false;
}

static int check_required(struct encoder *encoder, struct protoset_part message, const json_t *json) {
  struct protoset_field field;
  int r;
  while ((r = protoset_next_field(&message, &field)) > 0)
    if (field.required && !given(json, &field))
      return refuse(encoder, &field, "required, and missing");
  return r < 0 ? damaged(encoder) : 0;
}

static int encode_message(struct encoder *encoder, struct protoset_part message, const json_t *json,
                          struct strbuf *out) {
  const char *name;
  json_t *value;
  json_object_foreach((json_t *)(uintptr_t)json, name, value) {
    struct protoset_field field;
    int r = protoset_field_named(message, name, &field);
    if (r <= 0)
      return r < 0 ? damaged(encoder) : error_set(encoder->err, EINVAL, "the message has no field '%.200s'", name);
    if (is_given_twice(json, &field))
      return refuse(encoder, &field, "given twice, by both of its names");
    if (!json_is_null(value) && has_rival(message, &field, json))
      return refuse(encoder, &field, "one of several that only one of may be set (oneof)");
    r = encode_field(encoder, &field, value, out);
    if (r < 0)
      return r;
  }
  return check_required(encoder, message, json);
}

int grpc_json_encode(struct protoset_part set, const char *call, const char *json, struct strbuf *out,
                     struct error **err) {
  struct encoder encoder = {.set = set, .err = err};
  struct protoset_part name = {0}, message = {0};
  json_error_t problem;
  int r = protoset_request(set, call, &name, err);
  if (r == 0)
    r = protoset_message(set, name, &message, err);
  if (r < 0)
    return r;
  json_t *value = json_loads(json, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &problem);
  if (!json_is_object(value))
    r = error_set(err, EINVAL, "a message is given as a JSON object: %s", value ? "this is an array" : problem.text);
  else
    r = encode_message(&encoder, message, value, out);
  json_decref(value);
  return r == 0 && strbuf_failed(out) ? error_set(err, ENOMEM, "no memory for a message") : r;
}
