#include "host/package/version.h"

#include <stddef.h>
#include <string.h>

#define DIGITS "0123456789"
#define IDENTIFIER DIGITS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-"

/* A number without leading zeros: its length; 0 for none. */
static size_t number(const char *text) {
  size_t length = strspn(text, DIGITS);
  return length > 1 && text[0] == '0' ? 0 : length;
}

/* The part that begins at `text`, of identifiers between dots: its length; 0 for none. */
static size_t identifiers(const char *text, bool numbers_checked) {
  size_t length = 0;
  for (;;) {
    size_t one = strspn(text + length, IDENTIFIER);
    bool all_digits = strspn(text + length, DIGITS) == one;
    if (one == 0 || (numbers_checked && all_digits && number(text + length) == 0))
      return 0;
    length += one;
    if (text[length] != '.')
      return length;
    length++;
  }
}

/* The length of "1.2.3"; 0 for none. */
static size_t core(const char *text) {
  size_t length = 0;
  for (int i = 0; i < 3; i++) {
    size_t one = number(text + length);
    if (one == 0 || (i < 2 && text[length + one] != '.'))
      return 0;
    length += one + (i < 2);
  }
  return length;
}

bool version_is_semantic(const char *text) {
  size_t length = core(text), part;
  if (length == 0)
    return false;
  if (text[length] == '-') {
    if ((part = identifiers(text + length + 1, true)) == 0)
      return false;
    length += 1 + part;
  }
  if (text[length] == '+') {
    if ((part = identifiers(text + length + 1, false)) == 0)
      return false;
    length += 1 + part;
  }
  return text[length] == '\0';
}

bool version_is_prerelease(const char *text) {
  return text[core(text)] == '-';
}

static int sign(int difference) {
  return (difference > 0) - (difference < 0);
}

/* Numbers of any length. */
static int compare_numbers(const char *a, size_t a_length, const char *b, size_t b_length) {
  if (a_length != b_length)
    return a_length < b_length ? -1 : 1;
  return sign(memcmp(a, b, a_length));
}

/* Numbers come before texts, and are compared as numbers. */
static int compare_identifiers(const char *a, size_t a_length, const char *b, size_t b_length) {
  bool a_number = strspn(a, DIGITS) == a_length, b_number = strspn(b, DIGITS) == b_length;
  if (a_number && b_number)
    return compare_numbers(a, a_length, b, b_length);
  if (a_number != b_number)
    return a_number ? -1 : 1;
  int order = sign(memcmp(a, b, a_length < b_length ? a_length : b_length));
  return order != 0 || a_length == b_length ? order : a_length < b_length ? -1 : 1;
}

/* Both begin with an identifier and end at a '+' or the end of the text. */
static int compare_parts(const char *a, const char *b) {
  for (;;) {
    size_t a_length = strspn(a, IDENTIFIER), b_length = strspn(b, IDENTIFIER);
    int order = compare_identifiers(a, a_length, b, b_length);
    if (order != 0)
      return order;
    a += a_length;
    b += b_length;
    if (*a != '.' || *b != '.')
      return (*a == '.') - (*b == '.');
    a++;
    b++;
  }
}

int version_compare(const char *a, const char *b) {
  const char *a_rest = a + core(a), *b_rest = b + core(b);
  for (int i = 0; i < 3; i++) {
    size_t a_length = strspn(a, DIGITS), b_length = strspn(b, DIGITS);
    int order = compare_numbers(a, a_length, b, b_length);
    if (order != 0)
      return order;
    a += a_length + (i < 2);
    b += b_length + (i < 2);
  }
  if (*a_rest == '-' && *b_rest == '-')
    return compare_parts(a_rest + 1, b_rest + 1);
  return (*b_rest == '-') - (*a_rest == '-'); /* a release comes after what leads to it */
}
