#include "host/certify/check.h"

#include "host/certify/checks.h"
#include "sdk/base/memory.h"

const char *certify_verdict_name(enum certify_verdict verdict) {
  static const char *const names[] = {"", "skipped", "passed", "warning", "failed", "crashed"};
  return names[verdict];
}

const char *certify_place_name(enum certify_place place) {
  static const char *const names[] = {"", "file", "in-process", "child"};
  return names[place];
}

const struct certify_check certify_checks[] = {
    {.id = "load-gate",
     .proves = "The file is a shared object for this machine with one exported symbol, a note, and an ABI that this "
               "host serves",
     .run = check_load_gate,
     .places = {CERTIFY_HOST},
     .refused_too = true},
    {.id = "descriptor",
     .proves = "Note, table, Describe and manifest say the same, and Describe keeps to the contract",
     .run = check_descriptor,
     .places = {CERTIFY_HOST},
     .refused_too = true},
    {.id = "translation",
     .proves =
         "Every requirement of SMI is translated, or said to be unsupported, into objects that the host can apply",
     .run = check_translation,
     .places = {CERTIFY_IN_PROCESS, CERTIFY_CHILD},
     .compared = true},
    {.id = "determinism",
     .proves = "The same request gives the same bytes: again, in another instance, and whatever was asked before",
     .run = check_determinism,
     .places = {CERTIFY_IN_PROCESS, CERTIFY_CHILD},
     .compared = true},
    {.id = "config",
     .proves = "Every configuration of the adapter's schema is taken or refused cleanly, and no other is taken",
     .run = check_config,
     .places = {CERTIFY_IN_PROCESS, CERTIFY_CHILD},
     .compared = true},
};
const size_t certify_check_count = ARRAY_COUNT(certify_checks);
