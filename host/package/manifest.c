#include "host/package/manifest.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "host/package/digest.h"
#include "host/package/licence.h"
#include "sdk/base/document.h"
#include "sdk/base/schema.h"

typedef Trammel__Adapter__V1__DescribeResponse describe_response;

/* docs/schema/package-manifest.json, put into the program by the build. */
extern const unsigned char manifest_schema[];
extern const size_t manifest_schema_length;

#define FORMAT "trammel.package/v1"
#define MANIFEST_ARENA_MAX (64 * MANIFEST_BYTES_MAX)

const char *platform_arch(void) {
  static struct utsname machine; /* the same each time it is asked */
  return uname(&machine) == 0 ? machine.machine : "unknown";
}

void manifest_finish(struct manifest *manifest) {
  json_decref(manifest->root);
  *manifest = (struct manifest){0};
}

static const char *text_of(const json_t *object, const char *key) {
  return json_string_value(json_object_get(object, key));
}

static unsigned number_of(const json_t *object, const char *key) {
  return (unsigned)json_integer_value(json_object_get(object, key));
}

/* Takes the reference. */
static struct manifest view(json_t *root) {
  const json_t *abi = json_object_get(root, "abi");
  const json_t *platform = json_object_get(root, "platform");
  const json_t *mesh = json_object_get(root, "mesh");
  return (struct manifest){
      .root = root,
      .id = text_of(root, "id"),
      .version = text_of(root, "version"),
      .abi_major = number_of(abi, "major"),
      .abi_minor = number_of(abi, "minor"),
      .os = text_of(platform, "os"),
      .arch = text_of(platform, "arch"),
      .mesh_type = text_of(mesh, "type"),
      .mesh_name = text_of(mesh, "name"),
      .summary = text_of(root, "summary"),
      .licence = text_of(root, "licence"),
      .homepage = text_of(root, "homepage"),
      .adapter = text_of(root, "adapter"),
  };
}

/* ---- its shape */

/* The first thing that is wrong, and where. */
static int refuse(const struct diagnostics *diagnostics, struct error **err) {
  for (size_t i = 0; i < diagnostics_count(diagnostics); i++) {
    const struct diagnostic *one = diagnostics_at(diagnostics, i);
    if (one->severity == SEVERITY_ERROR)
      return error_set(err, EINVAL, "its " MANIFEST_PATH " is none: %s%s%s", one->pointer ? one->pointer : "",
                       one->pointer ? ": " : "", one->summary);
  }
  return error_set(err, EINVAL, "its " MANIFEST_PATH " is empty");
}

static int check_shape(const json_t *root, struct diagnostics *diagnostics, struct error **err) {
  json_t *schema = json_loadb((const char *)manifest_schema, manifest_schema_length, 0, NULL);
  if (!schema)
    return error_set(err, ENOMEM, "out of memory");
  int r = schema_validate(schema, root, MANIFEST_PATH, diagnostics);
  json_decref(schema);
  if (r == -EINVAL)
    return refuse(diagnostics, err);
  return r < 0 ? error_set(err, -r, "checking " MANIFEST_PATH ": %s", strerror(-r)) : 0;
}

/* ---- making one */

static json_t *texts_json(char *const *texts, size_t count) {
  json_t *list = json_array();
  for (size_t i = 0; list && i < count; i++)
    if (json_array_append_new(list, json_string(texts[i])) < 0) {
      json_decref(list);
      return NULL;
    }
  return list;
}

static json_t *permissions_json(const Trammel__Adapter__V1__Endpoint *endpoint) {
  json_t *list = json_array();
  for (size_t i = 0; list && i < endpoint->n_permissions; i++)
    if (json_array_append_new(list, json_pack("{s:s, s:s}", "method", endpoint->permissions[i]->method, "pathPrefix",
                                              endpoint->permissions[i]->path_prefix)) < 0) {
      json_decref(list);
      return NULL;
    }
  return list;
}

static json_t *endpoints_json(const describe_response *description) {
  json_t *list = json_array();
  for (size_t i = 0; list && i < description->n_endpoints; i++) {
    const Trammel__Adapter__V1__Endpoint *endpoint = description->endpoints[i];
    if (json_array_append_new(list, json_pack("{s:s, s:s, s:o}", "name", endpoint->name, "purpose", endpoint->purpose,
                                              "permissions", permissions_json(endpoint))) < 0) {
      json_decref(list);
      return NULL;
    }
  }
  return list;
}

static json_t *mesh_json(const describe_response *description) {
  return json_pack("{s:s, s:s, s:o}", "type", description->mesh_type, "name", description->mesh_name, "versions",
                   texts_json(description->mesh_versions, description->n_mesh_versions));
}

static json_t *files_json(const struct tarball *tarball) {
  json_t *list = json_array();
  for (size_t i = 0; list && i < tarball->count; i++) {
    const struct tarball_file *file = &tarball->files[i];
    char sha256[DIGEST_SIZE];
    if (digest_of(file->data, file->length, sha256, NULL) < 0 ||
        json_array_append_new(list, json_pack("{s:s, s:I, s:s}", "path", file->path, "bytes", (json_int_t)file->length,
                                              "sha256", sha256)) < 0) {
      json_decref(list);
      return NULL;
    }
  }
  return list;
}

int manifest_make(const trammel_note *note, const describe_response *description, const struct manifest_facts *facts,
                  const char *adapter, const struct tarball *tarball, struct manifest *ret_manifest,
                  struct error **err) {
  int r = licence_check(facts->licence, err);
  if (r < 0)
    return r;
  json_t *root = json_pack("{s:s, s:s, s:s, s:{s:i, s:i}, s:{s:s, s:s}, s:o, s:o, s:s, s:s, s:s*, s:s, s:o}", "format",
                           FORMAT, "id", note->id, "version", note->version, "abi", "major", (int)note->abi_major,
                           "minor", (int)note->abi_minor, "platform", "os", PLATFORM_OS, "arch", platform_arch(),
                           "mesh", mesh_json(description), "endpoints", endpoints_json(description), "summary",
                           description->summary, "licence", facts->licence, "homepage", facts->homepage, "adapter",
                           adapter, "files", files_json(tarball));
  if (!root)
    return error_set(err, ENOMEM, "making the manifest: no memory, or a text of the adapter's is not UTF-8");
  _cleanup_diagnostics_ struct diagnostics *diagnostics = diagnostics_create();
  r = diagnostics ? check_shape(root, diagnostics, err) : error_set(err, ENOMEM, "out of memory");
  if (r < 0)
    json_decref(root);
  else
    *ret_manifest = view(root);
  return r;
}

/* ---- reading one */

int manifest_read(const void *data, size_t length, struct diagnostics *diagnostics, struct manifest *ret_manifest,
                  struct error **err) {
  *ret_manifest = (struct manifest){0};
  if (length > MANIFEST_BYTES_MAX)
    return error_set(err, EINVAL, "its " MANIFEST_PATH " has more than %zu bytes", MANIFEST_BYTES_MAX);
  _cleanup_arena_ struct arena *arena = arena_create(MANIFEST_ARENA_MAX);
  struct document_list documents = {0};
  if (!arena)
    return error_set(err, ENOMEM, "out of memory");
  int r = document_read(arena, MANIFEST_PATH, data, length, DOCUMENT_JSON, NULL, diagnostics, &documents);
  if (r == -ENOMEM)
    return error_set(err, ENOMEM, "out of memory");
  if (r < 0 || documents.count != 1)
    return refuse(diagnostics, err);
  json_t *root = node_to_json(documents.roots[0]);
  r = root ? check_shape(root, diagnostics, err) : error_set(err, ENOMEM, "out of memory");
  if (r < 0)
    json_decref(root);
  else
    *ret_manifest = view(root);
  return r;
}

const char *manifest_adapter_digest(const struct manifest *manifest) {
  size_t i;
  const json_t *file;
  json_array_foreach(json_object_get(manifest->root, "files"), i, file) {
    if (strcmp(text_of(file, "path"), manifest->adapter) == 0)
      return text_of(file, "sha256");
  }
  return NULL;
}

/* ---- checking what it says */

static int check_file(const json_t *listed, const struct tarball *tarball, struct error **err) {
  const char *path = text_of(listed, "path");
  const struct tarball_file *file = tarball_find(tarball, path);
  char sha256[DIGEST_SIZE];
  if (!file || strcmp(path, MANIFEST_PATH) == 0 || strcmp(path, MANIFEST_SIGNATURE_PATH) == 0)
    return error_set(err, EINVAL, "its manifest lists %s, which is not there", path);
  if (digest_of(file->data, file->length, sha256, err) < 0)
    return -EIO;
  if ((json_int_t)file->length != json_integer_value(json_object_get(listed, "bytes")) ||
      strcmp(sha256, text_of(listed, "sha256")) != 0)
    return error_set(err, EBADMSG, "%s is not the file that its manifest lists: its SHA-256 is %s", path, sha256);
  return 0;
}

/* Whether it is what the host looks for in a directory of adapters. */
static bool is_adapter(const char *path) {
  size_t length = strlen(path);
  return length > 3 && strcmp(path + length - 3, ".so") == 0 && !strchr(path, '/');
}

/* Once it is installed, whatever looks like an adapter is one: none but the one whose note and description are held
 * against the manifest may be there. */
static int check_adapters(const struct manifest *manifest, const struct tarball *tarball, struct error **err) {
  if (!is_adapter(manifest->adapter))
    return error_set(err, EINVAL, "its manifest says that %s is the adapter: it must end with .so and be in no folder",
                     manifest->adapter);
  for (size_t i = 0; i < tarball->count; i++) {
    const char *path = tarball->files[i].path;
    if (is_adapter(path) && strcmp(path, manifest->adapter) != 0)
      return error_set(err, EINVAL, "it has %s besides its adapter %s; a package holds one adapter", path,
                       manifest->adapter);
  }
  return 0;
}

int manifest_check_files(const struct manifest *manifest, const struct tarball *tarball, struct error **err) {
  const json_t *files = json_object_get(manifest->root, "files");
  bool adapter = false;
  const char *before = "";
  size_t i;
  const json_t *listed;
  json_array_foreach(files, i, listed) {
    const char *path = text_of(listed, "path");
    int r = strcmp(before, path) < 0 ? check_file(listed, tarball, err)
                                     : error_set(err, EINVAL, "its manifest lists %s out of order or twice", path);
    if (r < 0)
      return r;
    adapter |= strcmp(path, manifest->adapter) == 0;
    before = path;
  }
  size_t own = 1 + (tarball_find(tarball, MANIFEST_SIGNATURE_PATH) != NULL);
  if (!tarball_find(tarball, MANIFEST_PATH) || tarball->count != json_array_size(files) + own)
    return error_set(err, EINVAL, "it has files that its manifest does not list");
  return adapter ? check_adapters(manifest, tarball, err)
                 : error_set(err, EINVAL, "its manifest does not list the adapter %s", manifest->adapter);
}

static int differs(struct error **err, const char *what, const char *manifest, const char *adapter) {
  return error_set(err, EINVAL, "its manifest says %s \"%s\", its adapter \"%s\"", what, manifest, adapter);
}

int manifest_check_note(const struct manifest *manifest, const trammel_note *note, struct error **err) {
  if (strcmp(manifest->id, note->id) != 0)
    return differs(err, "id", manifest->id, note->id);
  if (strcmp(manifest->version, note->version) != 0)
    return differs(err, "version", manifest->version, note->version);
  if (strcmp(manifest->mesh_type, note->mesh) != 0)
    return differs(err, "mesh", manifest->mesh_type, note->mesh);
  if (manifest->abi_major == note->abi_major && manifest->abi_minor == note->abi_minor)
    return 0;
  return error_set(err, EINVAL, "its manifest says ABI %u.%u, its adapter %u.%u", manifest->abi_major,
                   manifest->abi_minor, note->abi_major, note->abi_minor);
}

static int check_part(const json_t *root, const char *key, json_t *described, const char *differs, struct error **err) {
  bool same = described && json_equal(described, json_object_get(root, key));
  json_decref(described);
  return same ? 0 : error_set(err, EINVAL, "%s", differs);
}

int manifest_check_description(const struct manifest *manifest, const describe_response *description,
                               struct error **err) {
  if (strcmp(manifest->summary, description->summary) != 0)
    return differs(err, "the summary", manifest->summary, description->summary);
  if (strcmp(manifest->mesh_name, description->mesh_name) != 0)
    return differs(err, "the mesh's name", manifest->mesh_name, description->mesh_name);
  int r = check_part(manifest->root, "mesh", mesh_json(description),
                     "its adapter names other versions of its mesh than its manifest does", err);
  return r < 0 ? r
               : check_part(manifest->root, "endpoints", endpoints_json(description),
                            "its adapter wants other endpoints or permissions than its manifest says", err);
}
