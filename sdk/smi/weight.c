#include "sdk/smi/weight.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

__extension__ typedef unsigned __int128 uint128;

/* A decimal number times a power of ten and of 1024. */
struct decimal {
  uint64_t mantissa;
  int64_t exponent;
  unsigned kibi;
};

/* Beyond this an exponent only says "too large" or "too fine". */
#define EXPONENT_MAX 100000

static int not_a_quantity(const char *text, struct error **err) {
  return error_set(err, EINVAL,
                   "\"%.64s\" is no quantity: expected a number with an optional suffix, such as 1, 500m, 1.5 or 2k",
                   text);
}

/* Takes one digit. Zeros are held back in `zeros` until another digit follows, so that 1.5000… needs no room. */
static bool take_digit(struct decimal *number, unsigned digit, bool fraction, unsigned *zeros) {
  if (fraction)
    number->exponent--;
  if (digit == 0) {
    if (number->mantissa > 0)
      (*zeros)++;
    return true;
  }
  for (; *zeros > 0; (*zeros)--)
    if (__builtin_mul_overflow(number->mantissa, (uint64_t)10, &number->mantissa))
      return false;
  return !__builtin_mul_overflow(number->mantissa, (uint64_t)10, &number->mantissa) &&
         !__builtin_add_overflow(number->mantissa, (uint64_t)digit, &number->mantissa);
}

/* Digits with at most one point. Returns what follows them, or NULL: no digit, or more precision than 64 bits hold. */
static const char *parse_digits(const char *text, struct decimal *ret_number) {
  bool fraction = false, any = false;
  unsigned zeros = 0;

  *ret_number = (struct decimal){0};
  for (;; text++) {
    if (*text == '.' && !fraction) {
      fraction = true;
      continue;
    }
    if (*text < '0' || *text > '9')
      break;
    any = true;
    if (!take_digit(ret_number, (unsigned)(*text - '0'), fraction, &zeros))
      return NULL;
  }
  ret_number->exponent += zeros;
  return any ? text : NULL;
}

/* "e3", "E-2". */
static bool parse_exponent(const char *text, int64_t *ret_exponent) {
  bool negative = text[0] == '-';
  int64_t value = 0;

  if (text[0] == '-' || text[0] == '+')
    text++;
  if (*text == '\0')
    return false;
  for (; *text; text++) {
    if (*text < '0' || *text > '9')
      return false;
    if (value < EXPONENT_MAX)
      value = value * 10 + (*text - '0');
  }
  *ret_exponent = negative ? -value : value;
  return true;
}

static bool parse_suffix(const char *text, struct decimal *number) {
  static const struct {
    const char *text;
    int exponent;
    unsigned kibi;
  } suffixes[] = {
      {"", 0, 0},   {"n", -9, 0}, {"u", -6, 0}, {"m", -3, 0}, {"k", 3, 0},  {"M", 6, 0},  {"G", 9, 0},  {"T", 12, 0},
      {"P", 15, 0}, {"E", 18, 0}, {"Ki", 0, 1}, {"Mi", 0, 2}, {"Gi", 0, 3}, {"Ti", 0, 4}, {"Pi", 0, 5}, {"Ei", 0, 6},
  };
  int64_t exponent;

  for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
    if (strcmp(suffixes[i].text, text) != 0)
      continue;
    number->exponent += suffixes[i].exponent;
    number->kibi = suffixes[i].kibi;
    return true;
  }
  if ((text[0] != 'e' && text[0] != 'E') || !parse_exponent(text + 1, &exponent))
    return false;
  number->exponent += exponent;
  return true;
}

int quantity_parse(const char *text, unsigned decimals, uint64_t *ret_value, struct error **err) {
  const char *digits = text[0] == '+' || text[0] == '-' ? text + 1 : text;
  struct decimal number;
  const char *suffix = parse_digits(digits, &number);
  uint128 value;

  if (!suffix || !parse_suffix(suffix, &number))
    return not_a_quantity(text, err);
  if (text[0] == '-')
    return error_set(err, EINVAL, "\"%.64s\" is negative: it must be 0 or more", text);
  /* The mantissa is below 2^64 and 1024^6 is 2^60: no overflow. */
  value = (uint128)number.mantissa << (10 * number.kibi);
  number.exponent += decimals;
  for (; number.exponent < 0 && value > 0; number.exponent++) {
    if (value % 10 != 0)
      return error_set(err, EINVAL, "\"%.64s\" is finer than 1e-%u: round it", text, decimals);
    value /= 10;
  }
  for (; number.exponent > 0 && value > 0 && value <= INT64_MAX; number.exponent--)
    value *= 10;
  if (value > INT64_MAX)
    return error_set(err, EINVAL, "\"%.64s\" is too large: the most is %" PRId64 "e-%u", text, INT64_MAX, decimals);
  *ret_value = (uint64_t)value;
  return 0;
}

int quantity_parse_milli(const char *text, uint64_t *ret_milli, struct error **err) {
  return quantity_parse(text, 3, ret_milli, err);
}

static uint64_t greatest_common_divisor(uint64_t a, uint64_t b) {
  while (b != 0) {
    uint64_t rest = a % b;

    a = b;
    b = rest;
  }
  return a;
}

void weights_reduce(uint64_t *weights, size_t count) {
  uint64_t divisor = 0;

  for (size_t i = 0; i < count; i++)
    divisor = greatest_common_divisor(divisor, weights[i]);
  if (divisor <= 1)
    return;
  for (size_t i = 0; i < count; i++)
    weights[i] /= divisor;
}

/* What rounding down cut off, in units of 1/sum of a part. */
static uint128 remainder_of(uint64_t weight, uint32_t whole, uint128 sum) {
  return (uint128)weight * whole % sum;
}

/* What is shared out. The weights add up to `sum`, which is not 0. */
struct shares {
  const uint64_t *weights;
  size_t count;
  uint32_t whole;
  uint128 sum;
};

/* The weight that comes after `previous` when they are ordered by remainder, largest first, and then by index; the
 * count as `previous` asks for the first. */
static size_t next_by_remainder(const struct shares *shares, size_t previous) {
  const size_t count = shares->count;
  uint128 limit = previous < count ? remainder_of(shares->weights[previous], shares->whole, shares->sum) : shares->sum;
  size_t best = count;
  uint128 best_remainder = 0;

  for (size_t i = 0; i < count; i++) {
    uint128 remainder = remainder_of(shares->weights[i], shares->whole, shares->sum);

    if (previous < count && (remainder > limit || (remainder == limit && i <= previous)))
      continue;
    if (best == count || remainder > best_remainder) {
      best = i;
      best_remainder = remainder;
    }
  }
  return best;
}

/* `parts` has room for all. */
static void share_out(const struct shares *shares, uint32_t *parts) {
  uint32_t left = shares->whole;
  size_t previous = shares->count;

  for (size_t i = 0; i < shares->count; i++) {
    parts[i] = (uint32_t)((uint128)shares->weights[i] * shares->whole / shares->sum);
    left -= parts[i];
  }
  /* The remainders add up to `left` whole parts and each is below one, so more than `left` of them are above zero. */
  for (; left > 0; left--) {
    previous = next_by_remainder(shares, previous);
    parts[previous]++;
  }
}

int weights_to_parts(const uint64_t *weights, size_t count, uint32_t whole, uint32_t *ret_parts, struct error **err) {
  struct shares shares = {weights, count, whole, 0};
  uint32_t parts[WEIGHTS_MAX] = {0};

  if (count > WEIGHTS_MAX)
    return error_set(err, EINVAL, "%zu weights: at most %d are allowed", count, WEIGHTS_MAX);
  for (size_t i = 0; i < count; i++)
    shares.sum += weights[i];
  if (shares.sum > 0)
    share_out(&shares, parts);
  for (size_t i = 0; i < count; i++)
    if (weights[i] > 0 && parts[i] == 0)
      return error_set(err, ERANGE, "weight %" PRIu64 " (number %zu) is less than the %s this mesh can say", weights[i],
                       i + 1, whole == 100 ? "whole percent" : "smallest share");
  if (count > 0)
    memcpy(ret_parts, parts, count * sizeof(*parts));
  return 0;
}

int weights_to_percent(const uint64_t *weights, size_t count, uint32_t *ret_percent, struct error **err) {
  return weights_to_parts(weights, count, 100, ret_percent, err);
}
