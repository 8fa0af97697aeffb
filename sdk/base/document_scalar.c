#include "sdk/base/document_internal.h"

#include <locale.h>
#include <math.h>
#include <string.h>

static bool is_one_of(const char *text, const char *const *words) {
  for (; *words; words++)
    if (strcmp(text, *words) == 0)
      return true;
  return false;
}

static bool is_null(const char *text) {
  static const char *const words[] = {"", "~", "null", "Null", "NULL", NULL};

  return is_one_of(text, words);
}

static bool is_boolean(const char *text, bool *ret_value) {
  static const char *const yes[] = {"true", "True", "TRUE", NULL}, *const no[] = {"false", "False", "FALSE", NULL};

  *ret_value = is_one_of(text, yes);
  return *ret_value || is_one_of(text, no);
}

static int digit_value(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  if (c >= 'A' && c <= 'F')
    return c - 'A' + 10;
  return 16;
}

/* The base of an integer's text, with `*ret_digits` after sign and prefix; 0 when it is no integer. */
static int integer_base(const char *text, const char **ret_digits) {
  const char *digits = text;
  int base = 10;

  if (text[0] == '0' && (text[1] == 'o' || text[1] == 'x')) {
    base = text[1] == 'o' ? 8 : 16;
    digits += 2;
  } else if (*digits == '+' || *digits == '-') {
    digits++;
  }
  *ret_digits = digits;
  if (!*digits)
    return 0;
  for (; *digits; digits++)
    if (digit_value(*digits) >= base)
      return 0;
  return base;
}

/* Whether the digits fit an int64_t. */
static bool integer_read(const char *digits, int base, bool negative, int64_t *ret_value) {
  int64_t value = 0;

  for (; *digits; digits++) {
    int digit = digit_value(*digits);

    if (__builtin_mul_overflow(value, (int64_t)base, &value) ||
        __builtin_add_overflow(value, (int64_t)(negative ? -digit : digit), &value))
      return false;
  }
  *ret_value = value;
  return true;
}

static bool is_special_number(const char *text) {
  static const char *const infinities[] = {".inf", ".Inf", ".INF", NULL}, *const nans[] = {".nan", ".NaN", ".NAN",
                                                                                           NULL};

  return is_one_of(text, nans) || is_one_of(text + (*text == '+' || *text == '-'), infinities);
}

static size_t count_digits(const char *text) {
  return strspn(text, "0123456789");
}

/* [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?  (YAML 1.2.2, 10.3.2) */
static bool is_fraction(const char *text) {
  size_t whole, part = 0;

  text += *text == '+' || *text == '-';
  whole = count_digits(text);
  text += whole;
  if (*text == '.') {
    part = count_digits(text + 1);
    text += 1 + part;
  }
  if (whole + part == 0)
    return false;
  if (*text == 'e' || *text == 'E') {
    text++;
    text += *text == '+' || *text == '-';
    if (count_digits(text) == 0)
      return false;
    text += count_digits(text);
  }
  return !*text;
}

/* Whether anything but a string begins so. */
static bool is_first_of_value(char c) {
  return (c >= '0' && c <= '9') || c == '\0' || strchr("~nNtTfF+-.", c);
}

void scalar_resolve(struct node *scalar) {
  const char *digits;
  int base;

  scalar->kind = NODE_STRING;
  if (!is_first_of_value(scalar->text[0]))
    return;
  if (is_null(scalar->text)) {
    scalar->kind = NODE_NULL;
  } else if (is_boolean(scalar->text, &scalar->boolean)) {
    scalar->kind = NODE_BOOLEAN;
  } else if ((base = integer_base(scalar->text, &digits)) > 0) {
    bool fits = integer_read(digits, base, *scalar->text == '-', &scalar->integer);

    scalar->kind = fits ? NODE_INTEGER : NODE_NUMBER;
  } else if (is_special_number(scalar->text) || is_fraction(scalar->text)) {
    scalar->kind = NODE_NUMBER;
  }
}

/* strtod() without the process's locale, which may want a comma. */
static double text_to_double(const char *text) {
  locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
  double value;

  if (!plain)
    return (double)NAN;
  value = strtod_l(text, NULL, plain);
  freelocale(plain);
  return value;
}

double scalar_double(const struct node *number) {
  const char *text = number->text, *digits;
  double value = 0;
  int base;

  if (is_special_number(text))
    return strpbrk(text, "iI") ? (*text == '-' ? -(double)INFINITY : (double)INFINITY) : (double)NAN;
  base = integer_base(text, &digits);
  if (base == 0 || base == 10)
    return text_to_double(text);
  for (; *digits; digits++)
    value = value * base + digit_value(*digits);
  return value;
}
