#include "plugins/reference/mesh/split.h"

#include "plugins/reference/mesh/policy.h"

enum { LEAK_SHARE = 100 };

static uint64_t weight_sum(const uint32_t *weights, size_t count) {
  uint64_t sum = 0;
  for (size_t i = 0; i < count; i++)
    sum += weights[i];
  return sum;
}

/* The weight that counts. `sum` is that of all declared weights. */
static uint64_t counted_weight(uint32_t weight, uint64_t sum, struct fault_set faults) {
  if (fault_on(faults, FAULT_SPLIT_EQUAL))
    return weight > 0;
  if (fault_on(faults, FAULT_SPLIT_LEAK_ZERO))
    return weight > 0 ? (uint64_t)weight * (LEAK_SHARE - 1) : sum;
  return weight;
}

int split_choose(const uint32_t *weights, size_t count, struct fault_set faults, uint64_t random) {
  uint64_t sum = weight_sum(weights, count), total = 0;
  if (sum == 0)
    return SPLIT_NONE;
  for (size_t i = 0; i < count; i++)
    total += counted_weight(weights[i], sum, faults);
  uint64_t point = (uint64_t)(((unsigned __int128)random * total) >> 64);
  for (size_t i = 0; i < count; i++) {
    uint64_t weight = counted_weight(weights[i], sum, faults);
    if (point < weight)
      return (int)i;
    point -= weight;
  }
  return SPLIT_NONE;
}

static enum split_scope unmatched(struct fault_set faults) {
  return fault_on(faults, FAULT_UNMATCHED_DROPPED) ? SPLIT_DROPPED : SPLIT_ROOT;
}

enum split_scope split_scope(const struct split *split, const struct head *request, struct fault_set faults) {
  if (split->matches.any)
    return SPLIT_APPLIES;
  if (!request)
    return SPLIT_ROOT;
  return matches_request(&split->matches, request, faults) ? SPLIT_APPLIES : unmatched(faults);
}
