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

/* Of checks that call the adapter without a deadline, and take a second or two. */
#define SHORT_LIMIT_S 60

#define BOTH                                                                                                           \
  { CERTIFY_IN_PROCESS, CERTIFY_CHILD }

/* Whether a call that is given up returns is seen in-process only: of a child, the host ends it and starts another. */
const struct certify_check certify_checks[] = {
    {.id = "load-gate",
     .proves = "The file is an adapter for this machine and ABI, with a note and one exported symbol",
     .run = check_load_gate,
     .places = {CERTIFY_HOST},
     .refused_too = true},
    {.id = "descriptor",
     .proves = "Note, table, Describe and manifest say the same, and Describe keeps to the contract",
     .run = check_descriptor,
     .places = {CERTIFY_HOST},
     .refused_too = true},
    {.id = "abi-tables",
     .proves = "Tables are read and made as the ABI says, also with a later host and one that lacks services",
     .run = check_abi_tables,
     .places = {CERTIFY_IN_PROCESS},
     .limit_s = SHORT_LIMIT_S},
    {.id = "abi-calls",
     .proves = "A call sends one message, nothing after its return, and keeps nothing that it borrowed",
     .run = check_abi_calls,
     .places = {CERTIFY_IN_PROCESS},
     .limit_s = SHORT_LIMIT_S},
    {.id = "translation",
     .proves = "Every requirement of SMI is translated, or said to be unsupported, into objects that can be applied",
     .run = check_translation,
     .places = BOTH,
     .compared = true},
    {.id = "determinism",
     .proves = "The same request gives the same bytes: again, in another instance, in another order",
     .run = check_determinism,
     .places = BOTH,
     .compared = true},
    {.id = "threads",
     .proves = "Instances, and calls on one that says reentrant, work at the same time",
     .run = check_threads,
     .places = BOTH},
    {.id = "idempotency",
     .proves = "What is applied twice, or again after a restart, is there once, and all of it can be taken away",
     .run = check_idempotency,
     .places = {CERTIFY_CHILD}},
    {.id = "cancel",
     .proves = "A call that is cancelled returns, and the next one works",
     .run = check_cancel,
     .places = {CERTIFY_IN_PROCESS}},
    {.id = "deadline",
     .proves = "A call whose deadline has passed returns, and the next one works",
     .run = check_deadline,
     .places = {CERTIFY_IN_PROCESS}},
    {.id = "backpressure",
     .proves = "A stream waits for a slow receiver, and ends when nobody listens",
     .run = check_backpressure,
     .places = {CERTIFY_IN_PROCESS}},
    {.id = "host-replies",
     .proves = "Whatever the mesh answers, also nonsense or nothing, the call ends with an answer or an error",
     .run = check_host_replies,
     .places = BOTH,
     .compared = true},
    {.id = "memory",
     .proves = "When memory runs out, a call ends with an error, and never with less than was asked for",
     .run = check_memory,
     .places = {CERTIFY_IN_PROCESS},
     .limit_s = SHORT_LIMIT_S},
    {.id = "requests",
     .proves = "Requests that are damaged, strange or huge are refused, and change nothing",
     .run = check_requests,
     .places = BOTH,
     .compared = true},
    {.id = "scale",
     .proves = "Ten thousand rules are translated, and in good time",
     .run = check_scale,
     .places = BOTH,
     .compared = true},
    {.id = "config",
     .proves = "Every configuration of the adapter's schema is taken or refused cleanly, and no other is taken",
     .run = check_config,
     .places = BOTH,
     .compared = true},
};
const size_t certify_check_count = ARRAY_COUNT(certify_checks);
