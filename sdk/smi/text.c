#include "sdk/smi/text.h"

#include <string.h>

#include "sdk/base/token.h"
#include "sdk/base/utf8.h"
#include "sdk/smi/parse.h"

#define NAME_MAX_LENGTH 253
#define LABEL_MAX_LENGTH 63
#define SHOWN_MAX 80

static bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* Labels separated by dots; one label only unless `dots`. */
static bool is_dns_name(const char *text, size_t length, bool dots, size_t length_max) {
  if (length == 0 || length > length_max)
    return false;
  for (size_t i = 0; i < length; i++) {
    bool edge = i == 0 || i + 1 == length || text[i - 1] == '.' || text[i + 1] == '.';

    if (is_alphanumeric(text[i]) || (text[i] == '-' && !edge) || (text[i] == '.' && dots && !edge))
      continue;
    return false;
  }
  return true;
}

static bool is_token(const char *text, size_t length) {
  return length <= NAME_MAX_LENGTH && token_valid(text, length);
}

const char *text_expected(enum text_rule rule, const char *text, size_t length) {
  switch (rule) {
  case TEXT_ANY:
    return NULL;
  case TEXT_NOT_EMPTY:
    return length > 0 && length <= NAME_MAX_LENGTH ? NULL : "1 to 253 bytes";
  case TEXT_SUBDOMAIN:
    return is_dns_name(text, length, true, NAME_MAX_LENGTH) ? NULL
                                                            : "a DNS-1123 subdomain: at most 253 of a-z, 0-9, '-' and "
                                                              "'.', beginning and ending with a letter or digit";
  case TEXT_LABEL:
    return is_dns_name(text, length, false, LABEL_MAX_LENGTH)
               ? NULL
               : "a DNS-1123 label: at most 63 of a-z, 0-9 and '-', beginning and ending with a letter or digit";
  case TEXT_HEADER_NAME:
    return is_token(text, length) ? NULL : "a header name: letters, digits and any of !#$%&'*+-.^_`|~";
  case TEXT_METHOD:
    return is_token(text, length) ? NULL : "an HTTP method, or * for any";
  case TEXT_REGEX:
    return length <= SMI_REGEX_MAX ? NULL : "a regular expression of at most 4096 bytes";
  }
  return NULL;
}

bool text_is_placeholder(const char *text) {
  const char *open = strchr(text, '<');

  return (open && strchr(open, '>')) || strstr(text, "{{") || strstr(text, "${") || strstr(text, "$(");
}

const char *text_shown(struct arena *arena, const char *text) {
  size_t length = strnlen(text, SHOWN_MAX + 1);
  const char *shown;

  if (length <= SHOWN_MAX) {
    shown = arena_strdup(arena, text);
  } else {
    shown = arena_printf(arena, "%.*s…", (int)utf8_fit(text, length, SHOWN_MAX), text);
  }
  return shown ? shown : "";
}
