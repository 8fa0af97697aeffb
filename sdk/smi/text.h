/* What the strings of SMI resources may be. */
#ifndef TRAMMEL_SDK_SMI_TEXT_H
#define TRAMMEL_SDK_SMI_TEXT_H

#include <stdbool.h>
#include <stddef.h>

enum text_rule {
  TEXT_ANY = 0,
  TEXT_NOT_EMPTY,   /* at most 253 bytes */
  TEXT_SUBDOMAIN,   /* DNS-1123 subdomain: names of resources and ServiceAccounts */
  TEXT_LABEL,       /* DNS-1123 label: namespaces and Services */
  TEXT_HEADER_NAME, /* a token of RFC 9110 */
  TEXT_METHOD,      /* a token of RFC 9110, which includes "*" */
  TEXT_REGEX,       /* at most SMI_REGEX_MAX bytes */
};

/* NULL when `text` is as `rule` says, else what was expected ("at most 63 of a-z, 0-9 and '-' …"). */
const char *text_expected(enum text_rule rule, const char *text, size_t length);

/* Whether it looks like a template that nobody filled in: <NAMESPACE>, {{ .Values.x }}, ${NAME}, $(NAME). */
bool text_is_placeholder(const char *text);

/* `text` for a message: cut after about 80 bytes, between characters. In `arena`; "" without memory. */
struct arena;
const char *text_shown(struct arena *arena, const char *text);

#endif
