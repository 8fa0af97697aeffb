/* What an adapter's process writes to its standard output and error: lines for the host's log, read by a thread, so
 * that a flood never stops the process or the host. */
#ifndef TRAMMEL_HOST_ADAPTER_OUTPUT_H
#define TRAMMEL_HOST_ADAPTER_OUTPUT_H

#include "sdk/base/error.h"

#define OUTPUT_LINE_MAX 1000u           /* bytes; the rest of a longer line is dropped */
#define OUTPUT_BYTES_MAX (1024u * 1024) /* of all that is logged; the rest is dropped */
#define OUTPUT_LAST_MAX 300u            /* bytes that are kept of the end */

struct output;

/* Reads from `fd`, which does not block, until its end or output_destroy(); takes it, also when it fails. `adapter` is
 * copied. */
int output_create(const char *adapter, int fd, struct output **ret_output, struct error **err);
/* After the end of who writes: what it wrote last is read. */
void output_destroy(struct output *output);

/* The last bytes that were written, with spaces for what is no printable ASCII. */
void output_last(struct output *output, char ret_text[OUTPUT_LAST_MAX + 1]);

#endif
