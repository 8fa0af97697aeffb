#include "host/cli/outputs.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/cli/command.h"
#include "sdk/base/file.h"

void outputs_add(const struct argp_state *state, struct outputs *outputs, const char *const *formats, char *text) {
  char *equals = strchr(text, '=');
  if (equals)
    *equals = '\0';
  struct output output = {.format = command_format(state, text, formats), .file = equals ? equals + 1 : NULL};
  if (output.file && !*output.file)
    argp_error(state, "-o %s= wants a file name", text);
  for (int i = 0; i < outputs->count; i++)
    if (!output.file && !outputs->list[i].file)
      argp_error(state, "two formats on standard output; give one a file: -o %s=FILE", text);
  if (outputs->count == OUTPUTS_MAX)
    argp_error(state, "at most %d outputs", OUTPUTS_MAX);
  outputs->list[outputs->count++] = output;
}

static const struct output *standard_output(const struct outputs *outputs) {
  static const struct output people = {.format = 0};
  for (int i = 0; i < outputs->count; i++)
    if (!outputs->list[i].file)
      return &outputs->list[i];
  return &people;
}

bool outputs_for_people(const struct outputs *outputs) {
  return standard_output(outputs)->format == 0;
}

/* A device or a pipe is written as it is: nothing can be put in its place. */
static bool is_written_in_place(const char *file) {
  struct stat status;

  return stat(file, &status) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode);
}

/* The directory that a path names a file in. */
static bool look_at_directory(const char *file, struct stat *ret_status) {
  const char *slash = strrchr(file, '/');
  _cleanup_free_ char *directory = slash ? strndup(file, (size_t)(slash - file) + 1) : strdup(".");

  return directory && stat(directory, ret_status) == 0;
}

static const char *name_of(const char *file) {
  const char *slash = strrchr(file, '/');

  return slash ? slash + 1 : file;
}

/* Whether one would be put in the other's place; to devices and pipes, several may be written. */
static bool same_place(const struct output *a, const struct output *b) {
  struct stat x, y;

  return !a->stream && !b->stream && strcmp(name_of(a->file), name_of(b->file)) == 0 &&
         look_at_directory(a->file, &x) && look_at_directory(b->file, &y) && x.st_dev == y.st_dev &&
         x.st_ino == y.st_ino;
}

static int open_file(struct output *output, struct error **err) {
  struct stat status;

  if (stat(output->file, &status) == 0 && S_ISDIR(status.st_mode))
    return error_set(err, EISDIR, "writing %s: it is a directory", output->file);
  if (!is_written_in_place(output->file))
    return file_replace_try(output->file, err);
  output->stream = fopen(output->file, "we");
  return output->stream ? 0 : error_set(err, errno, "writing %s: %s", output->file, strerror(errno));
}

int outputs_open(struct outputs *outputs, struct error **err) {
  for (int i = 0; i < outputs->count; i++) {
    struct output *output = &outputs->list[i];
    int r = output->file ? open_file(output, err) : 0;
    for (int k = 0; r == 0 && k < i; k++)
      if (output->file && outputs->list[k].file && same_place(output, &outputs->list[k]))
        r = error_set(err, EEXIST, "two outputs go to %s; give each a file of its own", output->file);
    if (r < 0)
      return r;
  }
  return 0;
}

void outputs_finish(struct outputs *outputs) {
  for (int i = 0; i < outputs->count; i++) {
    struct output *output = &outputs->list[i];
    if (output->stream)
      (void)fclose(output->stream);
    output->stream = NULL;
  }
}

/* What is written, and by whom. */
struct content {
  output_writer write;
  const void *what;
};

/* Closes the stream. */
static int write_stream(const struct output *output, const struct content *content, FILE *stream, struct error **err) {
  int r = content->write(output->format, content->what, false, stream);
  if (fclose(stream) != 0 && r == 0)
    r = -errno;
  return r < 0 ? error_set(err, -r, "writing %s: %s", output->file, strerror(-r)) : 0;
}

static int replace_file(const struct output *output, const struct content *content, struct error **err) {
  _cleanup_free_ char *text = NULL;
  size_t length = 0;
  FILE *memory = open_memstream(&text, &length);
  if (!memory)
    return error_set(err, ENOMEM, "writing %s: no memory", output->file);
  int r = write_stream(output, content, memory, err);
  return r < 0 ? r : file_replace(output->file, 0666, text, length, err);
}

static int write_file(struct output *output, const struct content *content, struct error **err) {
  FILE *stream = output->stream;
  output->stream = NULL;
  return stream ? write_stream(output, content, stream, err) : replace_file(output, content, err);
}

int outputs_write(struct outputs *outputs, output_writer write, const void *what, bool colour, struct error **err) {
  const struct content content = {.write = write, .what = what};
  int first = 0;
  for (int i = 0; i < outputs->count; i++) {
    int r = outputs->list[i].file ? write_file(&outputs->list[i], &content, first < 0 ? NULL : err) : 0;
    if (r < 0 && first == 0)
      first = r;
  }
  int r = write(standard_output(outputs)->format, what, colour, stdout);
  if (r < 0 && first == 0)
    first = error_set(err, -r, "writing the report to standard output: %s", strerror(-r));
  return first;
}
