#include "host/rpc/descriptors.h"

#include <stdio.h>
#include <string.h>

#define NAME_MAX_BYTES 256 /* of a full name that is looked for */

extern const unsigned char descriptor_trammel_v1[], descriptor_grpc_health_v1[], descriptor_grpc_reflection_v1[],
    descriptor_grpc_reflection_v1alpha[];
extern const size_t descriptor_trammel_v1_length, descriptor_grpc_health_v1_length,
    descriptor_grpc_reflection_v1_length, descriptor_grpc_reflection_v1alpha_length;

static const struct source {
  const char *file, *package;
  const unsigned char *data;
  const size_t *length;
} sources[] = {
    {"trammel/v1/host.proto", "trammel.v1", descriptor_trammel_v1, &descriptor_trammel_v1_length},
    {"grpc/health/v1/health.proto", "grpc.health.v1", descriptor_grpc_health_v1, &descriptor_grpc_health_v1_length},
    {"grpc/reflection/v1/reflection.proto", "grpc.reflection.v1", descriptor_grpc_reflection_v1,
     &descriptor_grpc_reflection_v1_length},
    {"grpc/reflection/v1alpha/reflection.proto", "grpc.reflection.v1alpha", descriptor_grpc_reflection_v1alpha,
     &descriptor_grpc_reflection_v1alpha_length},
};
#define SOURCES (sizeof(sources) / sizeof(*sources))

/* ---- an encoded message: protocol buffers, "Encoding". What is embedded was written by protoc. */

struct bytes {
  const uint8_t *data;
  size_t length;
};

static uint64_t take_varint(struct bytes *rest) {
  uint64_t value = 0;
  for (unsigned shift = 0; rest->length > 0 && shift < 64; shift += 7) {
    uint8_t byte = *rest->data++;
    rest->length--;
    value |= (uint64_t)(byte & 0x7f) << shift;
    if (byte < 0x80)
      break;
  }
  return value;
}

/* The next field; false at the end. Of a length-delimited one `ret_content` is its content, else empty. */
static bool next_field(struct bytes *rest, unsigned *ret_number, struct bytes *ret_content) {
  if (rest->length == 0)
    return false;
  uint64_t key = take_varint(rest);
  size_t length = 0;
  *ret_number = (unsigned)(key >> 3);
  if ((key & 7) == 2)
    length = (size_t)take_varint(rest);
  else if ((key & 7) == 0)
    (void)take_varint(rest);
  else
    length = (key & 7) == 1 ? 8 : 4;
  if (length > rest->length)
    return false;
  *ret_content = (struct bytes){rest->data, (key & 7) == 2 ? length : 0};
  rest->data += length;
  rest->length -= length;
  return true;
}

/* The next field with that number; false when there is none. */
static bool next_of(struct bytes *rest, unsigned wanted, struct bytes *ret_content) {
  unsigned number;
  while (next_field(rest, &number, ret_content))
    if (number == wanted)
      return true;
  return false;
}

/* The file within the set of one that protoc writes (FileDescriptorSet.file = 1). */
static struct bytes file_of(const struct source *source) {
  struct bytes set = {source->data, *source->length};
  struct bytes file = {0};
  (void)next_of(&set, 1, &file);
  return file;
}

/* What a descriptor holds that has a name: of a file message_type = 4, enum_type = 5, service = 6; of a message
 * field = 2, nested_type = 3, enum_type = 4; of an enumeration value = 2; of a service method = 2. The name is field 1
 * of each (google/protobuf/descriptor.proto). */
enum what { IN_FILE, IN_MESSAGE, IN_ENUM, IN_SERVICE, IN_LEAF };
static enum what what_of(enum what parent, unsigned number) {
  if (parent == IN_FILE)
    return number == 4 ? IN_MESSAGE : number == 5 ? IN_ENUM : number == 6 ? IN_SERVICE : IN_FILE;
  if (parent == IN_MESSAGE)
    return number == 2 ? IN_LEAF : number == 3 ? IN_MESSAGE : number == 4 ? IN_ENUM : IN_FILE;
  return (parent == IN_ENUM || parent == IN_SERVICE) && number == 2 ? IN_LEAF : IN_FILE;
}

/* Whether `name` ("RunService.StartRun") is in a descriptor. A name goes down at most as often as it has dots. */
static bool holds(struct bytes descriptor, enum what parent, const char *name) {
  size_t first = strcspn(name, ".");
  unsigned number;
  struct bytes content;
  while (next_field(&descriptor, &number, &content)) {
    enum what what = what_of(parent, number);
    struct bytes inner = content;
    struct bytes own;
    if (what == IN_FILE || !next_of(&inner, 1, &own))
      continue;
    if (own.length == first && memcmp(own.data, name, first) == 0 &&
        (name[first] == '\0' || (what != IN_LEAF && holds(content, what, name + first + 1))))
      return true;
  }
  return false;
}

static struct descriptor descriptor_of(const struct source *source) {
  struct bytes file = file_of(source);
  return (struct descriptor){
      .file = source->file, .package = source->package, .data = file.data, .length = file.length};
}

/* ---- */

void descriptors_services(void (*each)(void *ctx, const char *name), void *ctx) {
  for (size_t i = 0; i < SOURCES; i++) {
    struct bytes file = file_of(&sources[i]);
    struct bytes service;
    while (next_of(&file, 6, &service)) {
      struct bytes own;
      char name[NAME_MAX_BYTES];
      if (!next_of(&service, 1, &own))
        continue;
      (void)snprintf(name, sizeof(name), "%s.%.*s", sources[i].package, (int)own.length, (const char *)own.data);
      each(ctx, name);
    }
  }
}

struct looked_for {
  const char *name;
  bool found;
};

static void compare(void *ctx, const char *name) {
  struct looked_for *what = ctx;
  what->found = what->found || strcmp(what->name, name) == 0;
}

bool descriptors_serve(const char *name) {
  struct looked_for what = {.name = name};
  descriptors_services(compare, &what);
  return what.found;
}

bool descriptors_of_file(const char *file, struct descriptor *ret_descriptor) {
  for (size_t i = 0; i < SOURCES; i++)
    if (strcmp(sources[i].file, file) == 0) {
      *ret_descriptor = descriptor_of(&sources[i]);
      return true;
    }
  return false;
}

bool descriptors_of_symbol(const char *symbol, struct descriptor *ret_descriptor) {
  for (size_t i = 0; i < SOURCES && strlen(symbol) < NAME_MAX_BYTES; i++) {
    size_t length = strlen(sources[i].package);
    if (strncmp(symbol, sources[i].package, length) == 0 && symbol[length] == '.' &&
        holds(file_of(&sources[i]), IN_FILE, symbol + length + 1)) {
      *ret_descriptor = descriptor_of(&sources[i]);
      return true;
    }
  }
  return false;
}
