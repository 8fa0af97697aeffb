#include "host/cli/load_outputs.h"

#include <errno.h>

#include "host/perf/smp.h"
#include "host/report/emit.h"
#include "sdk/base/document.h"

/* By load_format. */
static const char *const formats[] = {"text", "json", "csv", "prometheus", "fortio", "hdr", "smp", NULL};

void load_outputs_add(const struct argp_state *state, struct outputs *outputs, char *text) {
  outputs_add(state, outputs, formats, text);
}

int load_outputs_print_json(json_t *json, FILE *out) {
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  int r = json ? json_write(json, &text) : -ENOMEM;
  json_decref(json);
  return r < 0 ? r : emit(&text, out);
}

int load_outputs_print(enum load_format format, const struct load_report *report, FILE *out) {
  switch (format) {
  case LOAD_FORMAT_JSON:
    return load_outputs_print_json(load_report_json(report), out);
  case LOAD_FORMAT_CSV:
    return load_report_csv(report, 1, out);
  case LOAD_FORMAT_PROMETHEUS:
    return load_report_prometheus(report, out);
  case LOAD_FORMAT_FORTIO:
    return load_report_fortio(report, out);
  case LOAD_FORMAT_HDR:
    return load_report_hdr(report, out);
  case LOAD_FORMAT_SMP:
    return load_outputs_print_json(smp_result_json(report, NULL), out);
  case LOAD_FORMAT_TEXT:
    break;
  }
  return load_report_text(report, out);
}

static int write_load(int format, const void *what, bool colour, FILE *out) {
  (void)colour;
  return load_outputs_print((enum load_format)format, what, out);
}

int load_outputs_write(struct outputs *outputs, const struct load_report *report, struct error **err) {
  return outputs_write(outputs, write_load, report, false, err);
}

bool load_outputs_of_series(const struct outputs *outputs, bool *ret_json) {
  int format = outputs->count > 0 ? outputs->list[0].format : LOAD_FORMAT_TEXT;
  if (ret_json)
    *ret_json = format == LOAD_FORMAT_JSON;
  return outputs->count == 0 || (outputs->count == 1 && !outputs->list[0].file && format <= LOAD_FORMAT_JSON);
}
