#include "plugins/reference/mesh/split.h"

#include <stdbool.h>
#include <stdlib.h>

#include "plugins/reference/mesh/policy.h"

enum {
  LEAK_SHARE = 100, /* one request in so many leaks */
  POINTS = 20,      /* of 5% each */
  OVERFLOW_SCALE = 10000,
  PERCENT = 100,
};

struct shares {
  const uint32_t *weights;
  size_t count;
  uint64_t sum; /* of the declared weights */
  struct fault_set faults;
};

uint32_t backend_weight(const struct backend *backend, struct fault_set faults) {
  if (backend->quantity && fault_on(faults, FAULT_MILLI_MISREAD))
    return (uint32_t)strtoul(backend->quantity, NULL, 10);
  return backend->weight;
}

static bool is_first_weighted(const struct shares *shares, size_t at) {
  for (size_t i = 0; i < at; i++)
    if (shares->weights[i] > 0)
      return false;
  return shares->weights[at] > 0;
}

static bool is_last_weighted(const struct shares *shares, size_t at) {
  for (size_t i = at + 1; i < shares->count; i++)
    if (shares->weights[i] > 0)
      return false;
  return shares->weights[at] > 0;
}

static uint64_t shifted_weight(const struct shares *shares, size_t i) {
  uint64_t weight = (uint64_t)shares->weights[i] * POINTS;
  bool first = is_first_weighted(shares, i), last = is_last_weighted(shares, i);
  if (first == last)
    return weight;
  if (last)
    return weight + shares->sum;
  return weight > shares->sum ? weight - shares->sum : 0;
}

/* The weight that counts. */
static uint64_t counted_weight(const struct shares *shares, size_t i) {
  uint32_t weight = shares->weights[i];
  if (fault_on(shares->faults, FAULT_SPLIT_EQUAL))
    return weight > 0;
  if (fault_on(shares->faults, FAULT_SPLIT_LEAK_ZERO))
    return weight > 0 ? (uint64_t)weight * (LEAK_SHARE - 1) : shares->sum;
  if (fault_on(shares->faults, FAULT_OMITTED_BACKEND_SERVED))
    return (uint64_t)weight * (LEAK_SHARE - 1);
  if (fault_on(shares->faults, FAULT_SPLIT_OFF_BY_5))
    return shifted_weight(shares, i);
  if (fault_on(shares->faults, FAULT_SPLIT_OVERFLOW))
    return (uint32_t)((uint64_t)weight * OVERFLOW_SCALE);
  if (weight == 0 && (fault_on(shares->faults, FAULT_SPLIT_ZERO_AS_ONE) || shares->sum == 0))
    return 1;
  return weight;
}

/* What the counted weights are parts of; what is left of it goes to the root service. */
static uint64_t counted_total(const struct shares *shares) {
  if (fault_on(shares->faults, FAULT_SPLIT_AS_PERCENT))
    return PERCENT;
  if (fault_on(shares->faults, FAULT_OMITTED_BACKEND_SERVED))
    return shares->sum * LEAK_SHARE;
  uint64_t total = 0;
  for (size_t i = 0; i < shares->count; i++)
    total += counted_weight(shares, i);
  return total;
}

int split_choose(const uint32_t *weights, size_t count, struct fault_set faults, uint64_t random) {
  struct shares shares = {.weights = weights, .count = count, .faults = faults};
  for (size_t i = 0; i < count; i++)
    shares.sum += weights[i];
  if (count == 0 || (shares.sum == 0 && !fault_on(faults, FAULT_SPLIT_LONE_ZERO)))
    return SPLIT_NONE;
  uint64_t point = (uint64_t)(((unsigned __int128)random * counted_total(&shares)) >> 64);
  for (size_t i = 0; i < count; i++) {
    uint64_t weight = counted_weight(&shares, i);
    if (point < weight)
      return (int)i;
    point -= weight;
  }
  return SPLIT_REST;
}

static enum split_scope unmatched(struct fault_set faults) {
  return fault_on(faults, FAULT_UNMATCHED_DROPPED) ? SPLIT_DROPPED : SPLIT_ROOT;
}

enum split_scope split_scope(const struct split *split, const struct head *request, struct fault_set faults) {
  if (split->matches.any || fault_on(faults, FAULT_SPLIT_IGNORES_MATCHES))
    return SPLIT_APPLIES;
  if (!request)
    return SPLIT_ROOT;
  struct http_matches first = matches_first(&split->matches);
  bool matched =
      matches_request(fault_on(faults, FAULT_SPLIT_FIRST_MATCH_ONLY) ? &first : &split->matches, request, faults);
  return matched ? SPLIT_APPLIES : unmatched(faults);
}
