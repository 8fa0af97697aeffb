/* The functions of the table in check.c: one for each check. Private to this folder. */
#ifndef TRAMMEL_HOST_CERTIFY_CHECKS_H
#define TRAMMEL_HOST_CERTIFY_CHECKS_H

struct sitting;

void check_load_gate(struct sitting *sitting);
void check_descriptor(struct sitting *sitting);
void check_abi_tables(struct sitting *sitting);
void check_abi_calls(struct sitting *sitting);
void check_threads(struct sitting *sitting);
void check_determinism(struct sitting *sitting);
void check_translation(struct sitting *sitting);
void check_idempotency(struct sitting *sitting);
void check_cancel(struct sitting *sitting);
void check_deadline(struct sitting *sitting);
void check_backpressure(struct sitting *sitting);
void check_host_replies(struct sitting *sitting);
void check_memory(struct sitting *sitting);
void check_requests(struct sitting *sitting);
void check_scale(struct sitting *sitting);
void check_config(struct sitting *sitting);

#endif
