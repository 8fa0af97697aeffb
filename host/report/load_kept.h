/* A kept load result, read back as the run had it, so that every format can be written again. */
#ifndef TRAMMEL_HOST_REPORT_LOAD_KEPT_H
#define TRAMMEL_HOST_REPORT_LOAD_KEPT_H

#include "host/report/load_report.h"

#define LOAD_KEPT_BYTES_MAX (64 * 1024 * 1024) /* of a file */

/* Not to be moved: `report` points into it. */
struct load_kept {
  json_t *json; /* owned: texts are borrowed from it */
  struct load_options options;
  struct load_result result;
  struct load_report report;
};

/* What `trammel perf run -o json` wrote, of a profile the whole; "-" is standard input. What it does not tell (drain,
 * connect timeout, the order of requests) is 0. -EINVAL for what is no such result, with the first thing that is wrong;
 * -errno for a file that can't be read. */
int load_kept_read(const char *path, struct load_kept *ret_kept, struct error **err);
/* Of one that was not read, or is all zero: nothing. */
void load_kept_finish(struct load_kept *kept);

#endif
