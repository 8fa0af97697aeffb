#include "host/adapter/remote.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "host/adapter/address.h"
#include "host/adapter/child.h"
#include "host/adapter/description.h"
#include "host/adapter/elf_file.h"
#include "host/adapter/exchange.h"
#include "host/adapter/placement.h"
#include "host/rpc/core/rpc.h"
#include "sdk/adapter/codec.h"
#include "sdk/base/clock.h"

typedef Trammel__Adapter__V1__DescribeResponse describe_response;

static int no_answer(const char *address, const char *reason, struct error **err) {
  return error_set(err, EHOSTUNREACH,
                   "no adapter could be asked at %s: %s; see that it is served there, that its certificate is for this "
                   "name and signed by --adapter-ca, and that it trusts --adapter-cert",
                   address, reason);
}

/* Asks over a connection for this alone. */
static int ask(const struct adapter_remote *remote, uint8_t **ret_data, size_t *ret_length, struct error **err) {
  const struct adapter_entry unknown = {.id = remote->address, .remote = remote};
  const struct rpc_identity identity = {remote->identity.certificate, remote->identity.key, remote->identity.ca};
  const struct placed_call call = {.method = "Describe"};
  const struct call_options options = {0};
  struct exchange exchange = {
      .entry = &unknown, .call = &call, .options = &options, .deadline_ns = clock_monotonic_ns() + REMOTE_DESCRIBE_NS};
  struct rpc_channel *channel = NULL;
  enum exchange_end end;
  char why[EXCHANGE_WHY_MAX];
  int r = rpc_channel_connect(remote->address, &identity, &channel, err);
  if (r < 0)
    return r;
  r = exchange_run(&exchange, channel, &end, why, err);
  rpc_channel_destroy(channel);
  if (r == 0) {
    *ret_data = exchange.message;
    *ret_length = exchange.length;
    return 0;
  }
  free(exchange.message);
  if (end == EXCHANGE_RETURNED)
    return error_wrap(err, "%s", remote->address);
  return end == EXCHANGE_LOST || end == EXCHANGE_LATE ? no_answer(remote->address, why, err)
                                                      : error_set(err, -r, "%s: %s", remote->address, why);
}

static int copy_name(const char *what, const char *from, char *to, size_t size, struct error **err) {
  size_t length = strlen(from);
  bool printable = length > 0 && length < size;
  for (size_t i = 0; printable && i < length; i++)
    printable = from[i] > ' ' && from[i] <= '~';
  if (!printable)
    return error_set(err, EINVAL, "Describe gives a %s that is not 1 to %zu printable characters of ASCII", what,
                     size - 1);
  memcpy(to, from, length + 1);
  return 0;
}

/* There is no note to hold the names to, so they are held to what a note may say. */
static int check(const describe_response *description, struct error **err) {
  trammel_note note = {0};
  int r = copy_name("adapter_id", description->adapter_id, note.id, sizeof note.id, err);
  if (r == 0)
    r = copy_name("adapter_version", description->adapter_version, note.version, sizeof note.version, err);
  if (r == 0)
    r = copy_name("mesh_type", description->mesh_type, note.mesh, sizeof note.mesh, err);
  if (r == 0 && (!name_valid(note.id) || !name_valid(note.mesh)))
    r = error_set(err, EINVAL, "Describe says adapter_id \"%s\" and mesh_type \"%s\", allowed are a-z, 0-9 and '-'",
                  note.id, note.mesh);
  return r < 0 ? r : description_check(description, &note, err);
}

static int describe(const struct adapter_remote *remote, describe_response **ret_description, struct error **err) {
  _cleanup_free_ uint8_t *data = NULL;
  size_t length = 0;
  ProtobufCMessage *message = NULL;
  int r = ask(remote, &data, &length, err);
  if (r < 0)
    return r;
  if (length > DESCRIPTION_MAX)
    return error_set(err, EINVAL, "%s: its description has more than %u bytes", remote->address, DESCRIPTION_MAX);
  r = message_unpack(&trammel__adapter__v1__describe_response__descriptor, data, length, (size_t)16 * DESCRIPTION_MAX,
                     &message, err);
  if (r < 0) {
    (void)error_wrap(err, "%s: Describe answered with something that is no description", remote->address);
    return r == -ENOMEM ? r : -EINVAL;
  }
  r = check((describe_response *)message, err);
  if (r < 0) {
    protobuf_c_message_free_unpacked(message, NULL);
    return error_wrap(err, "%s", remote->address);
  }
  *ret_description = (describe_response *)message;
  return 0;
}

int remote_find(const char *address, const struct identity_files *files, struct registry **ret_registry,
                const struct adapter_entry **ret_entry, struct error **err) {
  struct address parts;
  struct adapter_remote remote = {.address = address};
  describe_response *description = NULL;
  int r = address_parse(address, 1, &parts, err);
  if (r == 0)
    r = identity_read(files, &remote.identity, err);
  if (r == 0)
    r = describe(&remote, &description, err);
  if (r == 0)
    r = registry_of_remote(&remote, description, ret_registry, ret_entry, err); /* takes both */
  else
    identity_finish(&remote.identity);
  return r;
}
