#include "tests/unit/inventory/support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sdk/base/strbuf.h"

struct reading read_inventory(const char *yaml, const struct inventory_options *options) {
  struct reading reading = {.arena = arena_create(0), .diagnostics = diagnostics_create()};
  struct document_list documents = {0};
  assert_non_null(reading.arena);
  assert_non_null(reading.diagnostics);
  assert_int_equal(
      document_read(reading.arena, "t.yaml", yaml, strlen(yaml), DOCUMENT_ANY, NULL, reading.diagnostics, &documents),
      0);
  struct inventory_reader *reader = inventory_reader_create(reading.arena, options, reading.diagnostics);
  assert_non_null(reader);
  for (size_t i = 0; i < documents.count; i++)
    (void)inventory_reader_document(reader, documents.roots[i]);
  reading.result = inventory_reader_finish(reader, &reading.found);
  return reading;
}

void reading_finish(struct reading *reading) {
  diagnostics_destroy(reading->diagnostics);
  arena_destroy(reading->arena);
}

static void append_workload(struct strbuf *out, const Trammel__Adapter__V1__Workload *workload) {
  strbuf_printf(out, "%s/%s(%s)[", workload->namespace_, workload->name, workload->service_account);
  for (size_t i = 0; i < workload->n_ports; i++)
    strbuf_printf(out, "%s%u/%s", i ? " " : "", workload->ports[i]->port,
                  inventory_protocol_name(workload->ports[i]->protocol));
  strbuf_puts(out, "]{");
  for (size_t i = 0; i < workload->n_labels; i++)
    strbuf_printf(out, "%s%s=%s", i ? "," : "", workload->labels[i]->name, workload->labels[i]->value);
  strbuf_puts(out, "}");
}

static void append_service(struct strbuf *out, const Trammel__Adapter__V1__Service *service) {
  strbuf_printf(out, "%s/%s[", service->namespace_, service->name);
  for (size_t i = 0; i < service->n_ports; i++)
    strbuf_printf(out, "%s%s:%u>%u/%s", i ? " " : "", service->ports[i]->name, service->ports[i]->port,
                  service->ports[i]->target_port, inventory_protocol_name(service->ports[i]->protocol));
  strbuf_puts(out, "]->");
  for (size_t i = 0; i < service->n_workloads; i++)
    strbuf_printf(out, "%s%s", i ? "," : "", service->workloads[i]);
}

const char *summary(const struct reading *reading) {
  _cleanup_strbuf_ struct strbuf out = STRBUF_INIT;
  const Trammel__Adapter__V1__Inventory *message = reading->found.message;
  for (size_t i = 0; i < message->n_workloads; i++) {
    strbuf_puts(&out, i ? "; " : "");
    append_workload(&out, message->workloads[i]);
  }
  strbuf_puts(&out, " | ");
  for (size_t i = 0; i < message->n_services; i++) {
    strbuf_puts(&out, i ? "; " : "");
    append_service(&out, message->services[i]);
  }
  return arena_strdup(reading->arena, strbuf_text(&out));
}

void expect_only(const struct reading *reading, const char *code, const char *part) {
  diagnostics_print(reading->diagnostics, stderr);
  assert_int_equal(diagnostics_count(reading->diagnostics), 1);
  const struct diagnostic *only = diagnostics_at(reading->diagnostics, 0);
  assert_string_equal(only->code, code);
  if (!strstr(only->summary, part))
    fail_msg("\"%s\" does not say \"%s\"", only->summary, part);
}
