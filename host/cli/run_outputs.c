#include "host/cli/run_outputs.h"

enum {
  FORMAT_TEXT,
  FORMAT_JSON,
  FORMAT_JUNIT,
  FORMAT_MARKDOWN,
  FORMAT_HTML,
  FORMAT_BADGE,
  FORMAT_TAP,
  FORMAT_GATEWAY_API
};
static const char *const formats[] = {"text", "json", "junit", "markdown", "html", "badge", "tap", "gateway-api", NULL};

void run_outputs_add(const struct argp_state *state, struct outputs *outputs, char *text) {
  outputs_add(state, outputs, formats, text);
}

static int write_run(int format, const void *what, bool colour, FILE *out) {
  const struct run_result *run = what;
  switch (format) {
  case FORMAT_JSON:
    return report_json(run, out);
  case FORMAT_JUNIT:
    return report_junit(run, out);
  case FORMAT_MARKDOWN:
    return report_markdown(run, out);
  case FORMAT_HTML:
    return report_html(run, out);
  case FORMAT_BADGE:
    return report_badge(run, out);
  case FORMAT_TAP:
    return report_tap(run, out);
  case FORMAT_GATEWAY_API:
    return report_gateway_api(run, out);
  default:
    return report_text(run, colour, out);
  }
}

int run_outputs_write(struct outputs *outputs, const struct run_result *run, bool colour, struct error **err) {
  return outputs_write(outputs, write_run, run, colour, err);
}
