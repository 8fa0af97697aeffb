#include "host/cli/load_outputs.h"

#include <errno.h>

#include "host/report/emit.h"
#include "sdk/base/document.h"

enum { FORMAT_TEXT, FORMAT_JSON, FORMAT_CSV, FORMAT_PROMETHEUS, FORMAT_FORTIO, FORMAT_HDR };
static const char *const formats[] = {"text", "json", "csv", "prometheus", "fortio", "hdr", NULL};

void load_outputs_add(const struct argp_state *state, struct outputs *outputs, char *text) {
  outputs_add(state, outputs, formats, text);
}

static int write_json(const struct load_report *report, FILE *out) {
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  json_t *json = load_report_json(report);
  int r = json ? json_write(json, &text) : -ENOMEM;
  json_decref(json);
  return r < 0 ? r : emit(&text, out);
}

static int write_load(int format, const void *what, bool colour, FILE *out) {
  const struct load_report *report = what;
  (void)colour;
  switch (format) {
  case FORMAT_JSON:
    return write_json(report, out);
  case FORMAT_CSV:
    return load_report_csv(report, 1, out);
  case FORMAT_PROMETHEUS:
    return load_report_prometheus(report, out);
  case FORMAT_FORTIO:
    return load_report_fortio(report, out);
  case FORMAT_HDR:
    return load_report_hdr(report, out);
  default:
    return load_report_text(report, out);
  }
}

int load_outputs_write(struct outputs *outputs, const struct load_report *report, struct error **err) {
  return outputs_write(outputs, write_load, report, false, err);
}

bool load_outputs_of_series(const struct outputs *outputs, bool *ret_json) {
  int format = outputs->count > 0 ? outputs->list[0].format : FORMAT_TEXT;
  if (ret_json)
    *ret_json = format == FORMAT_JSON;
  return outputs->count == 0 || (outputs->count == 1 && !outputs->list[0].file && format <= FORMAT_JSON);
}
