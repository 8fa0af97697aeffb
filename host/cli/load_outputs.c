#include "host/cli/load_outputs.h"

#include <errno.h>

#include "host/perf/smp.h"
#include "host/report/emit.h"
#include "sdk/base/document.h"

/* By load_format. */
static const char *const formats[] = {"text", "json", "html", "csv", "prometheus", "fortio", "hdr", "smp", NULL};

void load_outputs_add(const struct argp_state *state, struct outputs *outputs, char *text) {
  outputs_add(state, outputs, formats, text);
}

void load_outputs_check(const struct argp_state *state, const struct outputs *outputs, size_t count) {
  for (int i = 0; i < outputs->count; i++) {
    int format = outputs->list[i].format;
    if (count > 1 && format != LOAD_FORMAT_TEXT && format != LOAD_FORMAT_HTML && format != LOAD_FORMAT_CSV)
      argp_error(state, "%s is of one result; several are in text, html and csv", formats[format]);
  }
}

int load_outputs_print_json(json_t *json, FILE *out) {
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  int r = json ? json_write(json, &text) : -ENOMEM;
  json_decref(json);
  return r < 0 ? r : emit(&text, out);
}

static int print_texts(const struct load_report *reports, size_t count, FILE *out) {
  int r = 0;
  for (size_t i = 0; r == 0 && i < count; i++) {
    if (i > 0)
      fputc('\n', out);
    r = load_report_text(&reports[i], out);
  }
  return r;
}

int load_outputs_print(enum load_format format, const struct load_report *reports, size_t count, FILE *out) {
  switch (format) {
  case LOAD_FORMAT_JSON:
    return load_outputs_print_json(load_report_json(reports), out);
  case LOAD_FORMAT_HTML:
    return load_report_html(reports, count, out);
  case LOAD_FORMAT_CSV:
    return load_report_csv(reports, count, out);
  case LOAD_FORMAT_PROMETHEUS:
    return load_report_prometheus(reports, out);
  case LOAD_FORMAT_FORTIO:
    return load_report_fortio(reports, out);
  case LOAD_FORMAT_HDR:
    return load_report_hdr(reports, out);
  case LOAD_FORMAT_SMP:
    return load_outputs_print_json(smp_result_json(reports, NULL), out);
  case LOAD_FORMAT_TEXT:
    break;
  }
  return print_texts(reports, count, out);
}

struct content {
  const struct load_report *reports;
  size_t count;
};

static int write_load(int format, const void *what, bool colour, FILE *out) {
  const struct content *content = what;
  (void)colour;
  return load_outputs_print((enum load_format)format, content->reports, content->count, out);
}

int load_outputs_write(struct outputs *outputs, const struct load_report *reports, size_t count, struct error **err) {
  const struct content content = {.reports = reports, .count = count};
  return outputs_write(outputs, write_load, &content, false, err);
}

bool load_outputs_of_series(const struct outputs *outputs, bool *ret_json) {
  int format = outputs->count > 0 ? outputs->list[0].format : LOAD_FORMAT_TEXT;
  if (ret_json)
    *ret_json = format == LOAD_FORMAT_JSON;
  return outputs->count == 0 || (outputs->count == 1 && !outputs->list[0].file && format <= LOAD_FORMAT_JSON);
}
