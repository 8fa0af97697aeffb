#include "host/perf/search.h"

#include <math.h>

double search_next(const struct search *search) {
  if (search->steps >= SEARCH_STEPS_MAX)
    return 0;
  if (search->good == 0 && search->bad == 0)
    return search->from;
  if (search->bad == 0)
    return search->good < search->most ? fmin(2 * search->good, search->most) : 0;
  if (search->good == 0)
    return search->bad > search->least ? fmax(search->bad / 2, search->least) : 0;
  return search->bad > search->good * (1 + search->precision) ? sqrt(search->good * search->bad) : 0;
}

void search_tell(struct search *search, double rate, bool good) {
  search->steps++;
  if (good && (search->bad == 0 || rate < search->bad))
    search->good = rate;
  else if (!good && rate > search->good && (search->bad == 0 || rate < search->bad))
    search->bad = rate;
}
