#include "host/load/protoset.h"

#include <errno.h>
#include <string.h>

/* The numbers of fields in descriptor.proto. */
enum {
  SET_FILE = 1,
  FILE_PACKAGE = 2,
  FILE_MESSAGE = 4,
  FILE_ENUM = 5,
  FILE_SERVICE = 6,
  ANY_NAME = 1, /* of a message, a field, an enumeration, its value, a service, a method */
  MESSAGE_FIELD = 2,
  MESSAGE_NESTED = 3,
  MESSAGE_ENUM = 4,
  MESSAGE_OPTIONS = 7,
  OPTIONS_MAP_ENTRY = 7,
  FIELD_NUMBER = 3,
  FIELD_LABEL = 4,
  FIELD_TYPE = 5,
  FIELD_TYPE_NAME = 6,
  FIELD_ONEOF = 9,
  FIELD_JSON_NAME = 10,
  ENUM_VALUE = 2,
  VALUE_NUMBER = 2,
  SERVICE_METHOD = 2,
  METHOD_INPUT = 2,
  LABEL_REQUIRED = 2,
  LABEL_REPEATED = 3,
};

/* ---- the wire format */

struct entry {
  uint64_t number;
  uint64_t value;            /* of a varint */
  struct protoset_part part; /* of what has a length */
};

static bool take_varint(struct protoset_part *rest, uint64_t *ret_value) {
  uint64_t value = 0;
  for (unsigned shift = 0; rest->length > 0 && shift < 64; shift += 7) {
    uint8_t byte = *rest->at++;
    rest->length--;
    value |= (uint64_t)(byte & 0x7f) << shift;
    if (!(byte & 0x80)) {
      *ret_value = value;
      return true;
    }
  }
  return false;
}

static bool take_part(struct protoset_part *rest, uint64_t length, struct protoset_part *ret_part) {
  if (length > rest->length)
    return false;
  *ret_part = (struct protoset_part){rest->at, (size_t)length};
  rest->at += length;
  rest->length -= (size_t)length;
  return true;
}

/* 1, 0 at the end, -1 when it is damaged. */
static int next(struct protoset_part *rest, struct entry *ret_entry) {
  uint64_t tag, length;
  if (rest->length == 0)
    return 0;
  *ret_entry = (struct entry){0};
  if (!take_varint(rest, &tag))
    return -1;
  ret_entry->number = tag >> 3;
  switch (tag & 7) {
  case 0:
    return take_varint(rest, &ret_entry->value) ? 1 : -1;
  case 1:
    return take_part(rest, 8, &ret_entry->part) ? 1 : -1;
  case 2:
    return take_varint(rest, &length) && take_part(rest, length, &ret_entry->part) ? 1 : -1;
  case 5:
    return take_part(rest, 4, &ret_entry->part) ? 1 : -1;
  default:
    return -1;
  }
}

/* The first entry of a number. */
static int find(struct protoset_part in, uint64_t number, struct entry *ret_entry) {
  int r;
  while ((r = next(&in, ret_entry)) > 0 && ret_entry->number != number)
    continue;
  return r;
}

static bool is_text(struct protoset_part part, const char *text, size_t length) {
  return length > 0 && part.length == length && memcmp(part.at, text, length) == 0;
}

/* Among the entries of a number, the one of a name. */
static int find_named(struct protoset_part in, uint64_t number, const char *name, size_t length,
                      struct protoset_part *ret_part) {
  struct entry entry, found;
  int r;
  while ((r = next(&in, &entry)) > 0) {
    if (entry.number != number)
      continue;
    r = find(entry.part, ANY_NAME, &found);
    if (r < 0)
      return r;
    if (r > 0 && is_text(found.part, name, length)) {
      *ret_part = entry.part;
      return 1;
    }
  }
  return r;
}

/* ---- names */

/* In a file or a message, "OUTER.INNER.NAME": each of it is inside of the one before. */
static int find_inside(struct protoset_part in, uint64_t nested, uint64_t wanted, const char *name, size_t length,
                       struct protoset_part *ret_part) {
  const char *dot;
  while ((dot = memchr(name, '.', length))) {
    if (wanted == FILE_SERVICE)
      return 0;
    size_t outer = (size_t)(dot - name);
    int r = find_named(in, nested, name, outer, &in);
    if (r <= 0)
      return r;
    name += outer + 1;
    length -= outer + 1;
    if (nested == FILE_MESSAGE)
      wanted = wanted == FILE_ENUM ? MESSAGE_ENUM : MESSAGE_NESTED;
    nested = MESSAGE_NESTED;
  }
  return find_named(in, wanted, name, length, ret_part);
}

/* What is left of a name after the package of a file; NULL when it is of another one. */
static const char *after_package(struct protoset_part file, const char *name, size_t length, size_t *ret_length) {
  struct entry package;
  int r = find(file, FILE_PACKAGE, &package);
  size_t skipped = r > 0 && package.part.length > 0 ? package.part.length + 1 : 0;
  if (r < 0 || skipped > length)
    return NULL;
  if (skipped > 0 && (memcmp(name, package.part.at, skipped - 1) != 0 || name[skipped - 1] != '.'))
    return NULL;
  *ret_length = length - skipped;
  return name + skipped;
}

/* Of any file: 1, 0 or -1. */
static int find_global(struct protoset_part set, uint64_t wanted, const char *name, size_t length,
                       struct protoset_part *ret_part) {
  struct entry file;
  int r;
  while ((r = next(&set, &file)) > 0) {
    size_t left;
    const char *local = file.number == SET_FILE ? after_package(file.part, name, length, &left) : NULL;
    if (!local)
      continue;
    int found = find_inside(file.part, FILE_MESSAGE, wanted, local, left, ret_part);
    if (found != 0)
      return found;
  }
  return r;
}

static int tell(int r, const char *what, const char *name, size_t length, struct error **err) {
  if (r > 0)
    return 0;
  if (r == 0)
    return error_set(err, ENOENT, "the descriptor set has no %s %.*s; protoc writes all of them with --include_imports",
                     what, (int)length, name);
  return error_set(err, EINVAL, "this is no descriptor set as protoc --descriptor_set_out writes it, or a damaged one");
}

static int find_symbol(struct protoset_part set, uint64_t wanted, const char *what, struct protoset_part name,
                       struct protoset_part *ret_part, struct error **err) {
  const char *text = (const char *)name.at;
  if (name.length == 0)
    return tell(-1, what, "", 0, err);
  return tell(find_global(set, wanted, text, name.length, ret_part), what, text, name.length, err);
}

static struct protoset_part without_dot(struct protoset_part name) {
  if (name.length == 0 || name.at[0] != '.')
    return name;
  return (struct protoset_part){name.at + 1, name.length - 1};
}

int protoset_message(struct protoset_part set, struct protoset_part name, struct protoset_part *ret_message,
                     struct error **err) {
  return find_symbol(set, FILE_MESSAGE, "message", name, ret_message, err);
}

int protoset_enum(struct protoset_part set, struct protoset_part name, struct protoset_part *ret_enum,
                  struct error **err) {
  return find_symbol(set, FILE_ENUM, "enumeration", name, ret_enum, err);
}

int protoset_request(struct protoset_part set, const char *call, struct protoset_part *ret_type_name,
                     struct error **err) {
  size_t length = strcspn(call, "/");
  const char *method_name = call + length + (call[length] == '/');
  struct protoset_part service, method;
  struct entry input;
  int r = tell(find_global(set, FILE_SERVICE, call, length, &service), "service", call, length, err);
  if (r < 0)
    return r;
  r = tell(find_named(service, SERVICE_METHOD, method_name, strlen(method_name), &method), "method", call, strlen(call),
           err);
  if (r < 0)
    return r;
  r = tell(find(method, METHOD_INPUT, &input), "message of the method", call, strlen(call), err);
  if (r == 0)
    *ret_type_name = without_dot(input.part);
  return r;
}

/* ---- a message, an enumeration */

static int read_field(struct protoset_part part, struct protoset_field *ret_field) {
  struct entry entry;
  int r;
  *ret_field = (struct protoset_field){.oneof = -1};
  while ((r = next(&part, &entry)) > 0) {
    if (entry.number == ANY_NAME)
      ret_field->name = entry.part;
    else if (entry.number == FIELD_JSON_NAME)
      ret_field->json_name = entry.part;
    else if (entry.number == FIELD_TYPE_NAME)
      ret_field->type_name = without_dot(entry.part);
    else if (entry.number == FIELD_NUMBER)
      ret_field->number = (uint32_t)entry.value;
    else if (entry.number == FIELD_TYPE)
      ret_field->type = entry.value;
    else if (entry.number == FIELD_ONEOF)
      ret_field->oneof = (int64_t)(entry.value & INT32_MAX);
    else if (entry.number == FIELD_LABEL) {
      ret_field->repeated = entry.value == LABEL_REPEATED;
      ret_field->required = entry.value == LABEL_REQUIRED;
    }
  }
  return r < 0 ? r : 1;
}

int protoset_next_field(struct protoset_part *rest, struct protoset_field *ret_field) {
  struct entry entry;
  int r;
  while ((r = next(rest, &entry)) > 0)
    if (entry.number == MESSAGE_FIELD)
      return read_field(entry.part, ret_field);
  return r;
}

int protoset_field_named(struct protoset_part message, const char *name, struct protoset_field *ret_field) {
  size_t length = strlen(name);
  int r;
  while ((r = protoset_next_field(&message, ret_field)) > 0)
    if (is_text(ret_field->name, name, length) || is_text(ret_field->json_name, name, length))
      return 1;
  return r;
}

int protoset_field_numbered(struct protoset_part message, uint32_t number, struct protoset_field *ret_field) {
  int r;
  while ((r = protoset_next_field(&message, ret_field)) > 0)
    if (ret_field->number == number)
      return 1;
  return r;
}

int protoset_is_entry(struct protoset_part message) {
  struct entry options, entry;
  int r = find(message, MESSAGE_OPTIONS, &options);
  if (r > 0)
    r = find(options.part, OPTIONS_MAP_ENTRY, &entry);
  return r > 0 ? entry.value != 0 : r;
}

int protoset_enum_number(struct protoset_part enumeration, const char *name, int32_t *ret_number) {
  struct protoset_part value;
  struct entry number;
  int r = find_named(enumeration, ENUM_VALUE, name, strlen(name), &value);
  if (r > 0)
    r = find(value, VALUE_NUMBER, &number);
  if (r > 0)
    *ret_number = (int32_t)number.value;
  return r;
}
