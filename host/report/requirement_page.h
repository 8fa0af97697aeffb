/* What a suite proves, as a Markdown page: each requirement with its cases and the versions they run in. */
#ifndef TRAMMEL_HOST_REPORT_REQUIREMENT_PAGE_H
#define TRAMMEL_HOST_REPORT_REQUIREMENT_PAGE_H

#include <stdio.h>

#include "host/conformance/plan.h"

/* Of the cases that are planned; a requirement that none of them is about is left out. 0, -ENOMEM, -EIO. */
int requirement_page(const struct plan *plan, FILE *out);

#endif
