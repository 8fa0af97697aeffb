#define BROKEN_ID "bad-domain"
#include "broken.h"

/* Labels of all domains of a country. */
static char domain[] = "io";
static char *domains[] = {domain};

BROKEN_DESCRIBE({
  description.control_domains = domains;
  description.n_control_domains = 1;
  return broken_answer(op, &description);
})
