#include "host/perf/profile_split.h"

#include <errno.h>

/* Of `total` in whole numbers, what falls to the weights from `before` to `after` of `sum`. */
static unsigned share_of(unsigned total, uint64_t before, uint64_t after, uint64_t sum) {
  return (unsigned)(total * after / sum - total * before / sum);
}

static struct schedule schedule_part(const struct schedule *whole, double share, size_t number) {
  struct schedule part = *whole;
  part.rate *= share;
  part.rate_end *= share;
  part.rate_step *= share;
  part.rate_swing *= share;
  part.seed += number; /* Poisson: streams of their own, which together are one of the whole rate */
  return part;
}

static int check_part(const struct profile_load *load, unsigned connections, struct error **err) {
  const struct load_options *options = &load->options;
  if (options->connections == 0)
    return error_set(err, EINVAL, "target '%s' gets none of %u connections by its weight: give more connections",
                     load->name, connections);
  if (options->connections < options->threads)
    return error_set(err, EINVAL, "target '%s' gets %u connections, which cannot be spread over its %u threads",
                     load->name, options->connections, options->threads);
  if (schedule_check(&options->schedule, err) < 0)
    return error_wrap(err, "target '%s'", load->name);
  return 0;
}

int profile_split(struct profile_load *loads, size_t count, const struct load_options *whole, struct error **err) {
  uint64_t sum = 0, before = 0;
  unsigned threads = whole->threads > 0 ? whole->threads : (unsigned)count;
  for (size_t i = 0; i < count; i++)
    sum += loads[i].weight;
  if (threads < count)
    return error_set(err, EINVAL, "each of %zu targets has a thread at least, and there are %u", count, threads);
  for (size_t i = 0; i < count; i++) {
    uint64_t after = before + loads[i].weight;
    loads[i].options = *whole;
    loads[i].options.connections = share_of(whole->connections, before, after, sum);
    loads[i].options.threads = 1 + share_of(threads - (unsigned)count, before, after, sum);
    loads[i].options.schedule = schedule_part(&whole->schedule, (double)loads[i].weight / (double)sum, i);
    int r = check_part(&loads[i], whole->connections, err);
    if (r < 0)
      return r;
    before = after;
  }
  return 0;
}
