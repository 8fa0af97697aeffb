#include "host/package/trust.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "host/package/files.h"

#define SUFFIX ".pem"

bool name_is_valid(const char *name) {
  size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");
  return length > 0 && length <= NAME_MAX_LENGTH && name[length] == '\0' && name[0] != '-';
}

/* Where the keys are, or one of them; NULL without memory. */
static char *path_of(const char *data_directory, const char *name) {
  char *path = NULL;
  return asprintf(&path, "%s/keys%s%s%s", data_directory, name ? "/" : "", name ? name : "", name ? SUFFIX : "") < 0
             ? NULL
             : path;
}

void trust_finish(struct trust *trust) {
  for (size_t i = 0; trust->keys && i < trust->count; i++)
    signing_key_free(trust->keys[i]);
  free((void *)trust->keys);
  files_names_free(trust->names);
  *trust = (struct trust){0};
}

/* Turns "NAME.pem" into "NAME" and reads the key. */
static int read_key(const char *directory, char *name, struct signing_key **ret_key, struct error **err) {
  _cleanup_free_ char *path = NULL;
  if (asprintf(&path, "%s/%s", directory, name) < 0)
    return error_set(err, ENOMEM, "out of memory");
  name[strlen(name) - strlen(SUFFIX)] = '\0';
  if (!name_is_valid(name))
    return error_set(err, EINVAL, "%s is no key that `trammel adapter trust add` put there; take it away", path);
  int r = signing_key_read_public(path, ret_key, err);
  return r < 0 ? error_wrap(err, "reading the trusted keys") : 0;
}

static int read_keys(const char *directory, struct trust *trust, struct error **err) {
  size_t count = 0;
  while (trust->names[count])
    count++;
  trust->keys = (struct signing_key **)calloc(count + 1, sizeof(struct signing_key *));
  if (!trust->keys)
    return error_set(err, ENOMEM, "out of memory");
  for (; trust->count < count; trust->count++) {
    int r = read_key(directory, trust->names[trust->count], &trust->keys[trust->count], err);
    if (r < 0)
      return r;
  }
  return 0;
}

int trust_read(const char *data_directory, struct trust *ret_trust, struct error **err) {
  _cleanup_trust_ struct trust trust = {0};
  _cleanup_free_ char *directory = path_of(data_directory, NULL);
  if (!directory)
    return error_set(err, ENOMEM, "out of memory");
  bool there = access(directory, F_OK) == 0 || errno != ENOENT;
  int r = 0;
  if (there)
    r = files_list(directory, SUFFIX, TRUST_KEYS_MAX, &trust.names, err);
  else if (!(trust.names = (char **)calloc(1, sizeof(char *))))
    r = error_set(err, ENOMEM, "out of memory");
  if (r == 0)
    r = read_keys(directory, &trust, err);
  if (r < 0)
    return r;
  *ret_trust = take(trust);
  return 0;
}

const struct signing_key *const *trust_keys(const struct trust *trust) {
  return (const struct signing_key *const *)trust->keys;
}

const char *trust_name_of(const struct trust *trust, const char *key_id) {
  for (size_t i = 0; i < trust->count; i++)
    if (strcmp(signing_key_id(trust->keys[i]), key_id) == 0)
      return trust->names[i];
  return NULL;
}

static int check_new(const struct trust *trust, const char *name, const struct signing_key *key, struct error **err) {
  const char *other = trust_name_of(trust, signing_key_id(key));
  if (other)
    return error_set(err, EEXIST, "this key is trusted already, as \"%s\"", other);
  for (char **other_name = trust->names; *other_name; other_name++)
    if (strcmp(*other_name, name) == 0)
      return error_set(err, EEXIST, "another key is called \"%s\"; choose another name, or remove that one first",
                       name);
  return trust->count < TRUST_KEYS_MAX ? 0 : error_set(err, E2BIG, "more than %u keys are trusted", TRUST_KEYS_MAX);
}

int trust_add(const char *data_directory, const char *name, const char *path, struct signing_key **ret_key,
              struct error **err) {
  _cleanup_trust_ struct trust trust = {0};
  _cleanup_signing_key_ struct signing_key *key = NULL;
  _cleanup_strbuf_ struct strbuf pem = STRBUF_INIT;
  _cleanup_close_ int lock = -1;
  _cleanup_free_ char *directory = path_of(data_directory, NULL), *place = path_of(data_directory, name);
  if (!directory || !place)
    return error_set(err, ENOMEM, "out of memory");
  if (!name_is_valid(name))
    return error_set(err, EINVAL, "\"%s\" is no name for a key: 1 to %u of a-z, 0-9 and -", name, NAME_MAX_LENGTH);
  int r = signing_key_read_public(path, &key, err);
  if (r == 0)
    r = files_lock(directory, true, &lock, err);
  if (r == 0)
    r = trust_read(data_directory, &trust, err);
  if (r == 0)
    r = check_new(&trust, name, key, err);
  if (r == 0)
    r = signing_key_write_public(key, &pem, err);
  if (r == 0)
    r = files_replace(place, pem.data, pem.length, err);
  if (r == 0 && ret_key)
    *ret_key = take(key);
  return r;
}

int trust_remove(const char *data_directory, const char *name, struct error **err) {
  _cleanup_free_ char *place = path_of(data_directory, name);
  if (!place)
    return error_set(err, ENOMEM, "out of memory");
  errno = ENOENT;
  if (name_is_valid(name) && unlink(place) == 0)
    return 0;
  if (errno == ENOENT)
    return error_set(err, ENOENT, "no trusted key is called \"%s\"; `trammel adapter trust list` shows them", name);
  return error_set(err, errno, "removing %s: %s", place, strerror(errno));
}
