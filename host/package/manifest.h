/* What a package says of itself: docs/schema/package-manifest.json. */
#ifndef TRAMMEL_HOST_PACKAGE_MANIFEST_H
#define TRAMMEL_HOST_PACKAGE_MANIFEST_H

#include <jansson.h>

#include "host/package/tarball.h"
#include "sdk/base/diagnostic.h"
#include "trammel/abi.h"
#include "trammel/adapter/v1/adapter.pb-c.h"

#define MANIFEST_PATH "manifest.json"
#define MANIFEST_SIGNATURE_PATH "manifest.json.sig" /* over the bytes of the manifest, see host/signing/signature.h */
#define MANIFEST_BYTES_MAX ((size_t)1 << 20)

/* Where this program runs: "linux", and "x86_64", "aarch64" or what else the kernel calls it. */
#define PLATFORM_OS "linux"
const char *platform_arch(void);

/* Borrowed from `root`. */
struct manifest {
  json_t *root;
  const char *id;
  const char *version;
  unsigned abi_major;
  unsigned abi_minor;
  const char *os;
  const char *arch;
  const char *mesh_type;
  const char *mesh_name;
  const char *summary;
  const char *licence;
  const char *homepage; /* NULL: none is told */
  const char *adapter;  /* path of the shared object */
};

void manifest_finish(struct manifest *manifest);
#define _cleanup_manifest_ _cleanup_(manifest_finish)

/* What people say of a package when they make it. */
struct manifest_facts {
  const char *licence;
  const char *homepage; /* NULL: none */
};

/* The manifest of an adapter, from its ELF note and its description, with the digests of the files that the tarball has
 * so far: `adapter` is the path of its shared object among them. 0, -EINVAL for a licence that is no SPDX
 * expression, or -ENOMEM. */
int manifest_make(const trammel_note *note, const Trammel__Adapter__V1__DescribeResponse *description,
                  const struct manifest_facts *facts, const char *adapter, const struct tarball *tarball,
                  struct manifest *ret_manifest, struct error **err);

/* Reads one. -EINVAL with diagnostics for what is no manifest. */
int manifest_read(const void *data, size_t length, struct diagnostics *diagnostics, struct manifest *ret_manifest,
                  struct error **err);

/* The digest that it lists for the adapter; NULL when it does not list it. */
const char *manifest_adapter_digest(const struct manifest *manifest);

/* Whether the tarball has exactly the files that the manifest lists, besides the manifest and its signature, with their
 * sizes and digests, and among them one that can be loaded as an adapter: the manifest's, NAME.so in no folder. -EINVAL
 * says which differs. */
int manifest_check_files(const struct manifest *manifest, const struct tarball *tarball, struct error **err);

/* Whether the manifest says what the adapter's ELF note says, and what its description says of all that the manifest
 * has from it: summary, mesh and its versions, endpoints and permissions. -EINVAL names what differs. */
int manifest_check_note(const struct manifest *manifest, const trammel_note *note, struct error **err);
int manifest_check_description(const struct manifest *manifest,
                               const Trammel__Adapter__V1__DescribeResponse *description, struct error **err);

#endif
