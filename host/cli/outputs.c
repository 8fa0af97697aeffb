#include "host/cli/outputs.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "host/cli/command.h"

enum { FORMAT_TEXT, FORMAT_JSON, FORMAT_JUNIT, FORMAT_MARKDOWN };
static const char *const formats[] = {"text", "json", "junit", "markdown", NULL};

void outputs_add(const struct argp_state *state, struct outputs *outputs, char *text) {
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
  static const struct output people = {.format = FORMAT_TEXT};
  for (int i = 0; i < outputs->count; i++)
    if (!outputs->list[i].file)
      return &outputs->list[i];
  return &people;
}

bool outputs_for_people(const struct outputs *outputs) {
  return standard_output(outputs)->format == FORMAT_TEXT;
}

static int write_format(int format, const struct run_result *run, bool colour, FILE *out) {
  switch (format) {
  case FORMAT_JSON:
    return report_json(run, out);
  case FORMAT_JUNIT:
    return report_junit(run, out);
  case FORMAT_MARKDOWN:
    return report_markdown(run, out);
  default:
    return report_text(run, colour, out);
  }
}

static int write_file(const struct output *output, const struct run_result *run, struct error **err) {
  _cleanup_free_ char *beside = NULL;
  if (asprintf(&beside, "%s.partial", output->file) < 0)
    return error_set(err, ENOMEM, "writing %s: no memory", output->file);
  FILE *out = fopen(beside, "we");
  if (!out)
    return error_set(err, errno, "writing %s: %s", output->file, strerror(errno));
  int r = write_format(output->format, run, false, out);
  if (fclose(out) != 0 && r == 0)
    r = -errno;
  if (r == 0 && rename(beside, output->file) < 0)
    r = -errno;
  if (r < 0) {
    (void)unlink(beside);
    return error_set(err, -r, "writing %s: %s", output->file, strerror(-r));
  }
  return 0;
}

int outputs_write(const struct outputs *outputs, const struct run_result *run, bool colour, struct error **err) {
  int first = 0;
  for (int i = 0; i < outputs->count; i++) {
    int r = outputs->list[i].file ? write_file(&outputs->list[i], run, first < 0 ? NULL : err) : 0;
    if (r < 0 && first == 0)
      first = r;
  }
  int r = write_format(standard_output(outputs)->format, run, colour, stdout);
  if (r == 0 && fflush(stdout) != 0)
    r = -errno;
  if (r < 0 && first == 0)
    first = error_set(err, -r, "writing the report: %s", strerror(-r));
  return first;
}
