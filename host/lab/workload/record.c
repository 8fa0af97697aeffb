#include "host/lab/workload/record.h"

#include <inttypes.h>
#include <string.h>

#include "host/lab/workload/json_text.h"
#include "sdk/base/memory.h"

void record_finish(struct record *record) {
  free(record->entries);
  *record = (struct record){0};
}

void record_add(struct record *record, const char *id, size_t id_length, const char *nonce, uint16_t port) {
  if (id_length > CALL_ID_MAX || record->count == RECORD_ENTRIES_MAX ||
      array_reserve((void **)&record->entries, &record->capacity, record->count, sizeof(*record->entries)) < 0) {
    record->dropped++;
    return;
  }
  struct record_entry *entry = &record->entries[record->count++];
  memcpy(entry->id, id, id_length);
  entry->id[id_length] = '\0';
  memcpy(entry->nonce, nonce, NONCE_LENGTH);
  entry->nonce[NONCE_LENGTH] = '\0';
  entry->port = port;
}

void record_clear(struct record *record) {
  record->count = 0;
  record->dropped = 0;
}

void record_write(const struct record *record, const char *prefix, struct strbuf *out) {
  size_t prefix_length = strlen(prefix);
  const char *separator = "";
  strbuf_puts(out, "{\"received\":[");
  for (size_t i = 0; i < record->count; i++) {
    const struct record_entry *entry = &record->entries[i];
    if (strncmp(entry->id, prefix, prefix_length) != 0)
      continue;
    strbuf_puts(out, separator);
    strbuf_putc(out, '[');
    json_text_puts(out, entry->id);
    strbuf_printf(out, ",\"%s\",%u]", entry->nonce, entry->port);
    separator = ",";
  }
  strbuf_printf(out, "],\"dropped\":%" PRIu64 "}", record->dropped);
}
