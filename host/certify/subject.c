#include "host/certify/subject.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "host/adapter/child.h"
#include "host/adapter/description.h"
#include "host/runner/confinement.h"
#include "sdk/base/document.h"
#include "sdk/base/schema.h"

static bool is_object(const char *data, size_t length) {
  return length >= 4 && memcmp(data, "\177ELF", 4) == 0;
}

static int open_package(const char *data, size_t length, struct subject *subject, struct error **err) {
  int r = package_read_any(data, length, &subject->package, err);
  if (r < 0)
    return error_wrap(err, "it is neither a shared object nor a package");
  subject->packed = true;
  r = digest_of(data, length, subject->digest, err);
  if (r < 0)
    return r;
  r = package_check_platform(&subject->package, err);
  return r < 0 ? r : package_open_adapter(&subject->package, &subject->gate, err);
}

/* The digest is of the very bytes that are checked: the file may be another one by the time it is opened again. */
static int open_object(const char *path, struct subject *subject, struct error **err) {
  int r = gate_open(path, &subject->gate, err);
  memcpy(subject->digest, subject->gate.digest, sizeof subject->digest);
  return r < 0 && !*subject->digest && subject->gate.fd >= 0 ? -EAGAIN : r;
}

static bool is_directory(const char *path) {
  struct stat status;
  return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* The gate's refusal is an outcome, as long as there is a file that it can be about. */
static int open_file(const char *path, struct subject *subject, struct error **err) {
  _cleanup_free_ char *data = NULL;
  size_t length = 0;
  _cleanup_error_ struct error *why = NULL;
  if (is_directory(path))
    return error_set(err, EISDIR, "%s is a directory; name the shared object (.so) or the package (.trm) in it", path);
  int r = file_read(path, ADAPTER_FILE_MAX, &data, &length, err);
  if (r < 0)
    return r;
  r = is_object(data, length) ? open_object(path, subject, &why) : open_package(data, length, subject, &why);
  if (r == 0)
    return 0;
  if (r == -ENOMEM || r == -EAGAIN || subject->gate.fd < 0)
    return error_set(err, -r, "%s: %s", path, error_message(why));
  subject->refusal = take(why);
  return 0;
}

/* An adapter that cannot be confined here is not to be judged by that. */
static int require_confinement(bool partly, struct error **err) {
  const struct confinement_offer offer = confinement_offered();
  if (partly || (offer.landlock > 0 && offer.seccomp))
    return 0;
  return error_set(err, ENOSYS,
                   "this kernel lacks a part of what adapters are confined with (%s); --allow-unconfined checks it all "
                   "the same, and `trammel doctor` tells more",
                   offer.landlock == 0 ? "Landlock" : "seccomp");
}

static int describe(struct subject *subject, struct error **err) {
  Trammel__Adapter__V1__DescribeResponse *description = NULL;
  int r = child_describe(subject->gate.fd, subject->partly, &description, err);
  if (r == 0 && (r = description_check(description, &subject->gate.note, err)) < 0)
    trammel__adapter__v1__describe_response__free_unpacked(description, NULL);
  if (r < 0)
    return r;
  subject->entry.description = description;
  subject->entry.usable = true;
  return 0;
}

int subject_open(const char *path, bool partly, struct subject *ret_subject, struct error **err) {
  struct subject subject = {.partly = partly, .gate = {.fd = -1}};
  int r = require_confinement(partly, err);
  if (r == 0)
    r = open_file(path, &subject, err);
  if (r == 0 && !subject.refusal)
    r = describe(&subject, &subject.refusal);
  if (r == -EINVAL && subject.refusal)
    r = 0;
  else if (r < 0 && subject.refusal)
    r = error_set(err, -r, "%s: %s", path, error_message(subject.refusal));
  if (r < 0) {
    subject_close(&subject);
    return r;
  }
  (void)snprintf(subject.path, sizeof subject.path, "/proc/self/fd/%d", subject.gate.fd);
  *ret_subject = subject;
  struct adapter_entry *entry = &ret_subject->entry;
  entry->path = ret_subject->path;
  entry->id = ret_subject->gate.note.id;
  memcpy(entry->digest, subject.gate.digest, sizeof entry->digest);
  entry->partly = partly;
  return 0;
}

void subject_close(struct subject *subject) {
  trammel__adapter__v1__describe_response__free_unpacked(
      (Trammel__Adapter__V1__DescribeResponse *)(uintptr_t)subject->entry.description, NULL);
  error_free(subject->refusal);
  free(subject->config);
  gate_close(&subject->gate);
  if (subject->packed)
    package_finish(&subject->package);
  *subject = (struct subject){.gate = {.fd = -1}};
}

json_t *subject_schema(const struct subject *subject) {
  ProtobufCBinaryData text = subject->entry.description->config_schema;
  return text.len ? json_loadb((const char *)text.data, text.len, 0, NULL) : NULL;
}

int subject_configure(struct subject *subject, const json_t *config, struct error **err) {
  json_auto_t *schema = subject_schema(subject);
  json_auto_t *copy = config ? json_deep_copy(config) : json_object();
  if (!copy || (schema && schema_fill_defaults(schema, copy) < 0))
    return error_set(err, ENOMEM, "out of memory");
  free(subject->config);
  subject->config = json_dumps(copy, JSON_COMPACT | JSON_SORT_KEYS);
  return subject->config ? 0 : error_set(err, ENOMEM, "out of memory");
}
