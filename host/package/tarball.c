#include "host/package/tarball.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "sdk/base/utf8.h"

typedef struct archive reader;
typedef struct archive writer;
DEFINE_CLEANUP(reader *, archive_read_free);
DEFINE_CLEANUP(writer *, archive_write_free);
DEFINE_CLEANUP(struct archive_entry *, archive_entry_free);

static void file_finish(struct tarball_file *file) {
  free(file->path);
  free(file->data);
}

void tarball_finish(struct tarball *tarball) {
  for (size_t i = 0; i < tarball->count; i++)
    file_finish(&tarball->files[i]);
  free(tarball->files);
  *tarball = (struct tarball){0};
}

/* ---- the files */

static bool is_name(const char *text, size_t length) {
  static const char taken[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._+-";
  return length > 0 && text[0] != '.' && strspn(text, taken) >= length;
}

static bool is_path(const char *path) {
  if (strlen(path) > TARBALL_PATH_MAX)
    return false;
  for (;;) {
    size_t length = strcspn(path, "/");
    if (!is_name(path, length))
      return false;
    if (!path[length])
      return true;
    path += length + 1;
  }
}

/* Where the path is or would be. */
static size_t place_of(const struct tarball *tarball, const char *path) {
  size_t low = 0;
  size_t high = tarball->count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (strcmp(tarball->files[middle].path, path) < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

const struct tarball_file *tarball_find(const struct tarball *tarball, const char *path) {
  size_t place = place_of(tarball, path);
  return place < tarball->count && strcmp(tarball->files[place].path, path) == 0 ? &tarball->files[place] : NULL;
}

static bool is_directory_of(const char *directory, const char *path) {
  size_t length = strlen(directory);
  return strncmp(directory, path, length) == 0 && path[length] == '/';
}

static int check_place(const struct tarball *tarball, const char *path, struct error **err) {
  struct quote quote;
  if (!is_path(path))
    return error_set(err, EINVAL,
                     "the path %s is not taken: relative, of letters, digits and . _ + -, no name beginning with a "
                     "dot, at most %u bytes",
                     quote_text(&quote, path, strlen(path)), TARBALL_PATH_MAX);
  for (size_t i = 0; i < tarball->count; i++) {
    const char *other = tarball->files[i].path;
    if (strcmp(other, path) == 0)
      return error_set(err, EEXIST, "%s is there twice", path);
    if (is_directory_of(other, path) || is_directory_of(path, other))
      return error_set(err, EINVAL, "%s and %s cannot both be files", other, path);
  }
  return 0;
}

static int check_room(const struct tarball *tarball, size_t length, struct error **err) {
  if (tarball->count >= TARBALL_FILES_MAX)
    return error_set(err, E2BIG, "it has more than %u files", TARBALL_FILES_MAX);
  if (length > TARBALL_BYTES_MAX - tarball->bytes)
    return error_set(err, E2BIG, "its files have more than %zu bytes", TARBALL_BYTES_MAX);
  return 0;
}

/* Takes the data, which is on the heap, also when it fails. */
static int take_in(struct tarball *tarball, const char *path, void *data, size_t length, struct error **err) {
  int r = check_place(tarball, path, err);
  if (r == 0)
    r = check_room(tarball, length, err);
  struct tarball_file file = {.path = strdup(path), .data = data, .length = length};
  if (r >= 0 && (!file.path || array_reserve((void **)&tarball->files, &tarball->capacity, tarball->count,
                                             sizeof *tarball->files) < 0))
    r = error_set(err, ENOMEM, "out of memory");
  if (r < 0) {
    file_finish(&file);
    return r;
  }
  size_t place = place_of(tarball, path);
  for (size_t i = tarball->count; i > place; i--)
    tarball->files[i] = tarball->files[i - 1];
  tarball->files[place] = file;
  tarball->count++;
  tarball->bytes += length;
  return 0;
}

static void *copy_of(const void *data, size_t length) {
  void *copy = malloc(length + 1);
  if (copy && length > 0)
    memcpy(copy, data, length);
  return copy;
}

int tarball_add(struct tarball *tarball, const char *path, const void *data, size_t length, struct error **err) {
  void *copy = copy_of(data, length);
  return copy ? take_in(tarball, path, copy, length, err) : error_set(err, ENOMEM, "out of memory");
}

int tarball_put(struct tarball *tarball, const char *path, const void *data, size_t length, struct error **err) {
  size_t place = place_of(tarball, path);
  if (place == tarball->count || strcmp(tarball->files[place].path, path) != 0)
    return tarball_add(tarball, path, data, length, err);
  struct tarball_file *file = &tarball->files[place];
  if (length > TARBALL_BYTES_MAX - (tarball->bytes - file->length))
    return error_set(err, E2BIG, "its files have more than %zu bytes", TARBALL_BYTES_MAX);
  void *copy = copy_of(data, length);
  if (!copy)
    return error_set(err, ENOMEM, "out of memory");
  tarball->bytes += length - file->length;
  free(file->data);
  file->data = copy;
  file->length = length;
  return 0;
}

/* ---- reading */

/* The bytes of the tar as they are decompressed, counted. Two readers, because one that does both goes through whatever
 * a few bytes become, between files and after the last one, before it returns. */
struct stream {
  reader *packed;
  size_t unpacked; /* bytes so far */
  bool too_much;
};

static la_ssize_t stream_read(reader *in, void *context, const void **ret_data) {
  struct stream *stream = context;
  size_t length = 0;
  la_int64_t offset;
  int r = archive_read_data_block(stream->packed, ret_data, &length, &offset);
  if (r == ARCHIVE_EOF)
    return 0;
  if (r != ARCHIVE_OK) {
    const char *why = archive_error_string(stream->packed);
    archive_set_error(in, archive_errno(stream->packed), "%s", why ? why : "cannot be decompressed");
    return ARCHIVE_FATAL;
  }
  stream->too_much |= length > TARBALL_UNPACKED_MAX - stream->unpacked;
  if (stream->too_much) {
    archive_set_error(in, E2BIG, "too much is in it");
    return ARCHIVE_FATAL;
  }
  stream->unpacked += length;
  return (la_ssize_t)length;
}

static int refuse(reader *in, struct error **err) {
  const char *why = archive_error_string(in);
  return archive_errno(in) == ENOMEM ? error_set(err, ENOMEM, "out of memory")
                                     : error_set(err, EINVAL, "it is no package: %s", why ? why : "cannot be read");
}

/* A size from a tar is only a claim: memory is taken as bytes come. */
static int read_data(reader *in, size_t room, struct strbuf *data, struct error **err) {
  char block[65536];
  for (;;) {
    la_ssize_t n = archive_read_data(in, block, sizeof block);
    if (n < 0)
      return refuse(in, err);
    if (n == 0)
      break;
    if ((size_t)n > room - data->length)
      return error_set(err, E2BIG, "its files have more than %zu bytes", TARBALL_BYTES_MAX);
    strbuf_append(data, block, (size_t)n);
  }
  return strbuf_failed(data) ? error_set(err, ENOMEM, "out of memory") : 0;
}

static int read_file(reader *in, struct archive_entry *entry, struct tarball *tarball, struct error **err) {
  const char *path = archive_entry_pathname(entry);
  struct quote quote;
  if (!path)
    return error_set(err, EINVAL, "it has a file whose name is no text");
  if (archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry) || archive_entry_symlink(entry))
    return error_set(err, EINVAL, "%s is no regular file; a package has nothing else",
                     quote_text(&quote, path, strlen(path)));
  int r = check_place(tarball, path, err);
  if (r == 0)
    r = check_room(tarball, 0, err);
  if (r < 0)
    return r;
  _cleanup_strbuf_ struct strbuf data = STRBUF_INIT;
  r = read_data(in, TARBALL_BYTES_MAX - tarball->bytes, &data, err);
  if (r < 0)
    return r;
  if (archive_entry_size_is_set(entry) && (la_int64_t)data.length != archive_entry_size(entry))
    return error_set(err, EINVAL, "%s has %zu bytes and says that it has %lld", path, data.length,
                     (long long)archive_entry_size(entry));
  size_t length = data.length;
  strbuf_putc(&data, '\0'); /* an empty file has memory, too */
  char *bytes = strbuf_steal(&data);
  return bytes ? take_in(tarball, path, bytes, length, err) : error_set(err, ENOMEM, "out of memory");
}

static int read_files(reader *in, struct tarball *tarball, struct error **err) {
  for (;;) {
    struct archive_entry *entry;
    int found = archive_read_next_header(in, &entry);
    if (found == ARCHIVE_EOF)
      return tarball->count > 0 ? 0 : error_set(err, EINVAL, "it is no package: it has no files");
    if (found != ARCHIVE_OK)
      return refuse(in, err);
    int r = read_file(in, entry, tarball, err);
    if (r < 0)
      return r;
  }
}

/* gzip and nothing else: neither as it is, nor twice. */
static bool is_gzip(reader *packed) {
  return archive_filter_count(packed) == 2 && archive_filter_code(packed, 0) == ARCHIVE_FILTER_GZIP;
}

/* Whether all of it belongs to the compressed stream: what comes after that, libarchive passes over. */
static int check_end(reader *packed, size_t length, struct error **err) {
  la_int64_t used = archive_filter_bytes(packed, -1);
  return used == (la_int64_t)length ? 0
                                    : error_set(err, EINVAL, "it is no package: %lld bytes follow its compressed data",
                                                (long long)length - (long long)used);
}

/* Decompresses what is in memory: one file, of which the name does not matter. */
static int open_packed(reader *packed, const void *data, size_t length, struct error **err) {
  struct archive_entry *entry;
  if (archive_read_support_filter_gzip(packed) != ARCHIVE_OK || archive_read_support_format_raw(packed) != ARCHIVE_OK)
    return error_set(err, ENOMEM, "out of memory");
  if (archive_read_open_memory(packed, data, length) != ARCHIVE_OK ||
      archive_read_next_header(packed, &entry) != ARCHIVE_OK)
    return refuse(packed, err);
  return is_gzip(packed) ? 0 : error_set(err, EINVAL, "it is no package: a tar that is compressed once, by gzip");
}

static int open_tar(reader *in, struct stream *stream, struct error **err) {
  /* Without that option the rest after the last file is not looked at, nor whether there is one. */
  if (archive_read_support_format_tar(in) != ARCHIVE_OK ||
      archive_read_set_options(in, "tar:read_concatenated_archives") != ARCHIVE_OK)
    return error_set(err, ENOMEM, "out of memory");
  return archive_read_open(in, stream, NULL, stream_read, NULL) == ARCHIVE_OK ? 0 : refuse(in, err);
}

int tarball_read(const void *data, size_t length, struct tarball *ret_tarball, struct error **err) {
  *ret_tarball = (struct tarball){0};
  if (length > TARBALL_PACKED_MAX)
    return error_set(err, E2BIG, "it has more than %zu bytes", TARBALL_PACKED_MAX);
  _cleanup_(archive_read_free_p) reader *packed = archive_read_new();
  _cleanup_(archive_read_free_p) reader *in = archive_read_new();
  struct stream stream = {.packed = packed};
  if (!packed || !in)
    return error_set(err, ENOMEM, "out of memory");
  int r = open_packed(packed, data, length, err);
  if (r == 0)
    r = open_tar(in, &stream, err);
  if (r == 0)
    r = read_files(in, ret_tarball, err);
  if (r == 0)
    r = check_end(packed, length, err);
  if (r < 0 && stream.too_much) /* whatever the tar's reader makes of it */
    r = error_set(err, E2BIG, "it unpacks to more than %zu bytes", TARBALL_UNPACKED_MAX);
  if (r < 0)
    tarball_finish(ret_tarball);
  return r;
}

/* ---- writing */

static la_ssize_t append(struct archive *out, void *context, const void *data, size_t length) {
  (void)out;
  strbuf_append(context, data, length);
  return strbuf_failed(context) ? -1 : (la_ssize_t)length;
}

static bool write_file(writer *out, const struct tarball_file *file) {
  _cleanup_(archive_entry_free_p) struct archive_entry *entry = archive_entry_new();
  if (!entry)
    return false;
  archive_entry_set_pathname(entry, file->path);
  archive_entry_set_filetype(entry, AE_IFREG);
  archive_entry_set_perm(entry, 0644);
  archive_entry_set_size(entry, (la_int64_t)file->length);
  return archive_write_header(out, entry) == ARCHIVE_OK &&
         archive_write_data(out, file->data, file->length) == (la_ssize_t)file->length;
}

int tarball_write(const struct tarball *tarball, struct strbuf *out, struct error **err) {
  _cleanup_(archive_write_free_p) writer *packing = archive_write_new();
  bool good = packing && archive_write_add_filter_gzip(packing) == ARCHIVE_OK &&
              archive_write_set_format_pax_restricted(packing) == ARCHIVE_OK &&
              archive_write_set_options(packing, "gzip:!timestamp") == ARCHIVE_OK &&
              archive_write_set_bytes_in_last_block(packing, 1) == ARCHIVE_OK && /* no padding */
              archive_write_open(packing, out, NULL, append, NULL) == ARCHIVE_OK;
  for (size_t i = 0; good && i < tarball->count; i++)
    good = write_file(packing, &tarball->files[i]);
  good = good && archive_write_close(packing) == ARCHIVE_OK;
  return good ? 0 : error_set(err, ENOMEM, "packing: out of memory");
}
