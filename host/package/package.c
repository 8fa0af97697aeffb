#include "host/package/package.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "host/adapter/child.h"
#include "host/adapter/description.h"
#include "host/adapter/gate.h"
#include "sdk/base/document.h"
#include "sdk/base/file.h"

typedef Trammel__Adapter__V1__DescribeResponse describe_response;

static void description_free(describe_response *description) {
  if (description)
    trammel__adapter__v1__describe_response__free_unpacked(description, NULL);
}
DEFINE_CLEANUP(describe_response *, description_free);

void package_finish(struct package *package) {
  manifest_finish(&package->manifest);
  tarball_finish(&package->tarball);
}

char *package_file_name(const struct manifest *manifest) {
  char *name = NULL;
  return asprintf(&name, "%s-%s-%s-%s" PACKAGE_SUFFIX, manifest->id, manifest->version, manifest->os, manifest->arch) <
                 0
             ? NULL
             : name;
}

/* ---- the adapter in a package */

int package_open_adapter(const struct package *package, struct gate *ret_gate, struct error **err) {
  const struct tarball_file *file = tarball_find(&package->tarball, package->manifest.adapter);
  *ret_gate = (struct gate){.fd = -1};
  _cleanup_close_ int fd = memfd_create("trammel-adapter", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (fd < 0)
    return error_set(err, errno, "no file in memory: %s", strerror(errno));
  int r = file_write_all(fd, file->data, file->length);
  if (r < 0)
    return error_set(err, -r, "writing a file in memory: %s", strerror(-r));
  if (fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
    return error_set(err, errno, "sealing a file in memory: %s", strerror(errno));
  int own = fd;
  fd = -1; /* the gate has it from here on */
  r = gate_take(own, ret_gate, err);
  return r < 0 ? error_wrap(err, "%s", package->manifest.adapter) : 0;
}

int package_check_platform(const struct package *package, struct error **err) {
  const struct manifest *manifest = &package->manifest;
  if (strcmp(manifest->os, PLATFORM_OS) == 0 && strcmp(manifest->arch, platform_arch()) == 0)
    return 0;
  return error_set(err, ENOEXEC, "it is for %s on %s, this is %s on %s", manifest->os, manifest->arch, PLATFORM_OS,
                   platform_arch());
}

static int check_note(const struct package *package, struct error **err) {
  _cleanup_gate_ struct gate gate = {.fd = -1};
  int r = package_open_adapter(package, &gate, err);
  return r < 0 ? r : manifest_check_note(&package->manifest, &gate.note, err);
}

/* What the adapter in a package says of itself, which the host that uses it will take. */
static int ask_adapter(const struct package *package, bool partly, struct gate *gate, describe_response **ret,
                       struct error **err) {
  _cleanup_(description_free_p) describe_response *description = NULL;
  int r = package_open_adapter(package, gate, err);
  if (r < 0)
    return r;
  r = child_describe(gate->fd, partly, &description, err);
  if (r == 0)
    r = description_check(description, &gate->note, err);
  if (r < 0)
    return error_wrap(err, "%s", package->manifest.adapter);
  *ret = take(description);
  return 0;
}

int package_check_adapter(const struct package *package, bool partly, struct error **err) {
  _cleanup_gate_ struct gate gate = {.fd = -1};
  _cleanup_(description_free_p) describe_response *description = NULL;
  int r = ask_adapter(package, partly, &gate, &description, err);
  return r < 0 ? r : manifest_check_description(&package->manifest, description, err);
}

/* ---- reading */

static int read_manifest(struct package *package, struct error **err) {
  const struct tarball_file *file = tarball_find(&package->tarball, MANIFEST_PATH);
  if (!file)
    return error_set(err, EINVAL, "it is no package: it has no " MANIFEST_PATH);
  _cleanup_diagnostics_ struct diagnostics *diagnostics = diagnostics_create();
  if (!diagnostics)
    return error_set(err, ENOMEM, "out of memory");
  return manifest_read(file->data, file->length, diagnostics, &package->manifest, err);
}

int package_read_any(const void *data, size_t length, struct package *ret_package, struct error **err) {
  *ret_package = (struct package){0};
  int r = tarball_read(data, length, &ret_package->tarball, err);
  if (r == 0)
    r = digest_of(data, length, ret_package->digest, err);
  if (r == 0)
    r = read_manifest(ret_package, err);
  if (r == 0)
    r = manifest_check_files(&ret_package->manifest, &ret_package->tarball, err);
  if (r < 0)
    package_finish(ret_package);
  return r;
}

int package_read(const void *data, size_t length, struct package *ret_package, struct error **err) {
  int r = package_read_any(data, length, ret_package, err);
  if (r < 0)
    return r;
  r = package_check_platform(ret_package, err);
  if (r == 0)
    r = check_note(ret_package, err);
  if (r < 0)
    package_finish(ret_package);
  return r;
}

/* ---- signatures */

int package_verify(const struct package *package, const struct signing_key *const *keys, size_t key_count,
                   const struct signing_key **ret_key, struct error **err) {
  const struct tarball_file *manifest = tarball_find(&package->tarball, MANIFEST_PATH);
  const struct tarball_file *signature = tarball_find(&package->tarball, MANIFEST_SIGNATURE_PATH);
  if (!signature)
    return error_set(err, ENOENT, "it is not signed");
  return signature_verify(signature->data, signature->length, manifest->data, manifest->length, keys, key_count,
                          ret_key, err);
}

int package_sign(struct package *package, const struct signing_key *key, struct strbuf *out, struct error **err) {
  const struct tarball_file *manifest = tarball_find(&package->tarball, MANIFEST_PATH);
  _cleanup_strbuf_ struct strbuf signature = STRBUF_INIT;
  size_t begin = out->length;
  int r = signature_make(key, manifest->data, manifest->length, &signature, err);
  if (r == 0)
    r = tarball_put(&package->tarball, MANIFEST_SIGNATURE_PATH, signature.data, signature.length, err);
  if (r == 0)
    r = tarball_write(&package->tarball, out, err);
  return r < 0 ? r : digest_of(out->data + begin, out->length - begin, package->digest, err);
}

/* ---- making */

static const char *base_name(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash ? slash + 1 : path;
}

static int add_file(struct tarball *tarball, const char *path, const char *directory, struct error **err) {
  _cleanup_free_ char *data = NULL;
  size_t length = 0;
  char name[TARBALL_PATH_MAX + 2];
  int r = file_read(path, TARBALL_BYTES_MAX, &data, &length, err);
  if (r < 0)
    return r;
  (void)snprintf(name, sizeof name, "%s%s", directory, base_name(path)); /* one that is cut is too long to be taken */
  r = tarball_add(tarball, name, data, length, err);
  return r < 0 ? error_wrap(err, "%s", path) : 0;
}

static int add_files(struct package *package, const struct packing *packing, struct error **err) {
  int r = add_file(&package->tarball, packing->adapter, "", err);
  for (const char *const *document = packing->documents; r == 0 && document && *document; document++)
    r = add_file(&package->tarball, *document, "doc/", err);
  return r;
}

/* Of the bytes that are packed, not of a file that may change meanwhile. */
static int describe(struct package *package, const struct packing *packing, struct error **err) {
  _cleanup_gate_ struct gate gate = {.fd = -1};
  _cleanup_(description_free_p) describe_response *description = NULL;
  const char *name = base_name(packing->adapter);
  package->manifest.adapter = name;
  int r = ask_adapter(package, true, &gate, &description, err);
  return r < 0 ? r
               : manifest_make(&gate.note, description, &packing->facts, name, &package->tarball, &package->manifest,
                               err);
}

static int add_manifest(struct package *package, struct error **err) {
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  if (json_write(package->manifest.root, &text) < 0)
    return error_set(err, ENOMEM, "out of memory");
  return tarball_add(&package->tarball, MANIFEST_PATH, text.data, text.length, err);
}

int package_make(const struct packing *packing, struct package *ret_package, struct strbuf *out, struct error **err) {
  *ret_package = (struct package){0};
  size_t begin = out->length;
  int r = add_files(ret_package, packing, err);
  if (r == 0)
    r = describe(ret_package, packing, err);
  if (r == 0)
    r = add_manifest(ret_package, err);
  if (r == 0)
    r = tarball_write(&ret_package->tarball, out, err);
  if (r == 0)
    r = digest_of(out->data + begin, out->length - begin, ret_package->digest, err);
  if (r < 0)
    package_finish(ret_package);
  return r;
}
