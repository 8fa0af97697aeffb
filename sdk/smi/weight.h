/* Weights: quantities of split v1alpha1, and normalisation for data planes that want small numbers or percentages. */
#ifndef TRAMMEL_SDK_SMI_WEIGHT_H
#define TRAMMEL_SDK_SMI_WEIGHT_H

#include <stddef.h>
#include <stdint.h>

#include "sdk/base/error.h"

#ifdef __cplusplus
extern "C" {
#endif

#define WEIGHTS_MAX 10000

/* A Kubernetes Quantity ("1", "500m", "1.5", "2k", "1e3", "1Ki") in units of 10^-decimals. -EINVAL: no quantity,
 * negative, finer than such a unit, or above INT64_MAX of them. */
int quantity_parse(const char *text, unsigned decimals, uint64_t *ret_value, struct error **err);

/* As milli-units: what weights are. */
int quantity_parse_milli(const char *text, uint64_t *ret_milli, struct error **err);

/* Divides all weights by their greatest common divisor, in place. All zero stays. */
void weights_reduce(uint64_t *weights, size_t count);

/* Shares of `whole`, in whole parts, by largest remainder: their sum is exactly `whole` unless all weights are 0 (then
 * all 0); zeros stay zero. -ERANGE when a weight above zero would round to 0 (the mesh cannot say it), with a reason.
 */
int weights_to_parts(const uint64_t *weights, size_t count, uint32_t whole, uint32_t *ret_parts, struct error **err);

/* Percentages by largest remainder: the sum is exactly 100 unless all weights are 0 (then all 0); zeros stay zero.
 * -ERANGE when a weight above zero would round to 0 (the mesh cannot say it), with a reason. */
int weights_to_percent(const uint64_t *weights, size_t count, uint32_t *ret_percent, struct error **err);

#ifdef __cplusplus
}
#endif

#endif
