/* Configurations made from the adapter's own schema. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "host/certify/checks.h"
#include "host/certify/schema_value.h"
#include "host/certify/translation.h"
#include "sdk/adapter/codec.h"

#define FITTING 10
#define WRONG 16

#define NO_CONFIG "{\"type\":\"object\",\"additionalProperties\":false}"

/* What all configurations are tried with. */
struct trying {
  struct sitting *sitting;
  struct corpus corpus;
  const struct corpus_item *item; /* NULL: nothing is translated */
  struct guest *configured;       /* again and again */
};

static void ask(const struct trying *trying, struct guest *guest, const char *config, struct guest_answer *ret_answer) {
  *ret_answer = (struct guest_answer){0};
  if (!trying->item)
    return;
  _cleanup_strbuf_ struct strbuf name = STRBUF_INIT;
  strbuf_printf(&name, "with the configuration %.200s", config);
  translation_ask(guest, strbuf_text(&name), trying->item->request, ret_answer);
}

/* Configure must lead to where creating with the same leads. One instance gets all of them, one after the other. */
static void try_configure(const struct trying *trying, const char *config, const struct guest_answer *created) {
  struct sitting *sitting = trying->sitting;
  _cleanup_answer_ struct guest_answer configured = {0}, answer = {0};
  Trammel__Adapter__V1__ConfigureRequest request = TRAMMEL__ADAPTER__V1__CONFIGURE_REQUEST__INIT;
  _cleanup_free_ uint8_t *data = NULL;
  size_t length = 0;
  request.config = (ProtobufCBinaryData){.len = strlen(config), .data = (uint8_t *)(uintptr_t)config};
  if (message_pack(&request.base, &data, &length, NULL) < 0) {
    sitting_lacks(sitting, "memory");
    return;
  }
  guest_run(trying->configured, &(struct guest_call){.method = "Configure", .request = data, .length = length},
            &configured);
  if (configured.result < 0) {
    sitting_fail(sitting, "create takes the configuration %.200s, and Configure does not: %s", config, configured.why);
    return;
  }
  ask(trying, trying->configured, config, &answer);
  if (answer.length != created->length || (answer.length && memcmp(answer.data, created->data, answer.length) != 0))
    sitting_fail(sitting, "after Configure with %.200s, Translate answers other than after create with it", config);
}

/* Makes an instance; a refusal is to tell people why. */
static int try_create(struct sitting *sitting, const char *config, struct guest **ret_guest, struct error **err) {
  _cleanup_diagnostics_ struct diagnostics *diagnostics = diagnostics_create();
  int r = guest_try(sitting, config, NULL, diagnostics, ret_guest, err);
  if (r == -EINVAL && diagnostics && diagnostics_count(diagnostics) == 0)
    sitting_fail(sitting,
                 "create with %.200s ends with INVALID_ARGUMENT and gives no diagnostic, so that nobody knows what to "
                 "set instead",
                 config);
  return r;
}

static void try_fitting(const struct trying *trying, const char *config, unsigned *refused) {
  struct sitting *sitting = trying->sitting;
  _cleanup_error_ struct error *err = NULL;
  _cleanup_guest_ struct guest *guest = NULL;
  _cleanup_answer_ struct guest_answer answer = {0};
  int r = try_create(sitting, config, &guest, &err);
  sitting_answer(sitting, &r, sizeof r);
  if (r == -EINVAL) {
    ++*refused;
    return;
  }
  if (r < 0) {
    sitting_fail(sitting,
                 "the configuration %.200s fits the schema, and create ends with: %s. What it cannot take is "
                 "INVALID_ARGUMENT, with a diagnostic",
                 config, error_message(err));
    return;
  }
  ask(trying, guest, config, &answer);
  sitting_answer(sitting, answer.data, answer.length);
  try_configure(trying, config, &answer);
}

/* The host checks what it is given, but a host may be anyone's. */
static void try_wrong(struct sitting *sitting, const char *config, bool object) {
  _cleanup_error_ struct error *err = NULL;
  _cleanup_guest_ struct guest *guest = NULL;
  int r = try_create(sitting, config, &guest, &err);
  if (r < 0 && r != -EINVAL)
    sitting_fail(sitting, "create with %.100s, which is no configuration, ends with: %s", config, error_message(err));
  else if (r == 0 && object)
    sitting_warn(sitting, "create takes the configuration %.200s, which does not fit the schema", config);
  else if (r == 0)
    sitting_fail(sitting, "create takes %.100s for a configuration: only a JSON object is one", config);
}

static void try_texts(struct sitting *sitting) {
  static const char *const texts[] = {"[]",           "null",     "\"\"", "{",   "{\"a\":1,\"a\":2",
                                      "{\"\xff\":1}", "not JSON", "{}{}", "\x01"};
  for (size_t i = 0; i < ARRAY_COUNT(texts); i++)
    try_wrong(sitting, texts[i], false);
  _cleanup_strbuf_ struct strbuf deep = STRBUF_INIT;
  for (unsigned i = 0; i < 100000; i++)
    strbuf_puts(&deep, "{\"a\":[");
  try_wrong(sitting, strbuf_text(&deep), false);
}

static void try_all(const struct trying *trying, const json_t *schema, const json_t *base) {
  struct sitting *sitting = trying->sitting;
  struct chance chance = {sitting->seed};
  unsigned refused = 0;
  for (unsigned i = 0; i < FITTING && !sitting_failed(sitting); i++) {
    json_auto_t *value = schema_value_fitting(schema, base, &chance);
    _cleanup_free_ char *text = value ? json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
    if (!text)
      sitting_lacks(sitting, "memory");
    else
      try_fitting(trying, text, &refused);
  }
  if (refused == FITTING)
    sitting_warn(sitting,
                 "all of %u configurations that fit the schema are refused: let the schema say what the adapter takes, "
                 "or nothing of it is proved",
                 FITTING);
  sitting_fact(sitting, "configurations", FITTING);
  sitting_fact(sitting, "refused", refused);
  if (sitting->place == CERTIFY_CHILD) /* each would be a process more, and in this one they prove as much */
    return;
  for (unsigned i = 0; i < WRONG && !sitting_failed(sitting); i++) {
    json_auto_t *value = schema_value_wrong(schema, base, &chance);
    _cleanup_free_ char *text = value ? json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
    if (text)
      try_wrong(sitting, text, true);
  }
  if (!sitting_failed(sitting))
    try_texts(sitting);
}

void check_config(struct sitting *sitting) {
  struct trying trying = {.sitting = sitting};
  json_auto_t *own = subject_schema(sitting->subject);
  json_auto_t *schema = own ? json_incref(own) : json_loads(NO_CONFIG, 0, NULL);
  json_auto_t *base = json_loads(sitting->subject->config, 0, NULL);
  if (sitting_offers(sitting, "Translate")) {
    if (translation_cases(sitting, &trying.corpus) < 0)
      return;
    trying.item = &trying.corpus.items[0];
  }
  if (!schema || !base)
    sitting_lacks(sitting, "memory");
  else
    trying.configured = guest_create(sitting, sitting->subject->config, NULL);
  if (trying.configured)
    try_all(&trying, schema, base);
  sitting_done(sitting);
  guest_destroy(trying.configured);
  corpus_finish(&trying.corpus);
}
