#include "host/package/licence.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#define IDSTRING "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz.-"
#define FOUND_MAX 40 /* bytes of what was found that are shown */

struct parser {
  const char *text;
  const char *at;
  unsigned open; /* parentheses */
  struct error **err;
};

/* ---- errors */

static int refuse(const struct parser *parser, const char *expected) {
  static const char written[] = "; a licence that is not in SPDX's list is written LicenseRef-NAME";
  size_t length = strcspn(parser->at, " ()");
  if (*parser->at == '\0')
    return error_set(parser->err, EINVAL, "the licence '%s' is no SPDX expression: expected %s at its end%s",
                     parser->text, expected, written);
  if (length == 0)
    length = 1;
  return error_set(parser->err, EINVAL,
                   "the licence '%s' is no SPDX expression: expected %s, found '%.*s' at character %td%s", parser->text,
                   expected, (int)(length < FOUND_MAX ? length : FOUND_MAX), parser->at, parser->at - parser->text + 1,
                   written);
}

/* ---- words */

static void skip_spaces(struct parser *parser) {
  parser->at += strspn(parser->at, " ");
}

static bool ends_word(char c) {
  return c == '\0' || c == ' ' || c == '(' || c == ')';
}

static bool is_word(const char *at, const char *word) {
  size_t length = strlen(word);
  return strncasecmp(at, word, length) == 0 && ends_word(at[length]);
}

/* Operators are in upper case: "and" is a name elsewhere, and a mistake here. */
static bool is_operator(const char *at) {
  return is_word(at, "AND") || is_word(at, "OR") || is_word(at, "WITH");
}

static bool take_operator(struct parser *parser, const char *word) {
  if (!is_word(parser->at, word) || strncmp(parser->at, word, strlen(word)) != 0)
    return false;
  parser->at += strlen(word);
  skip_spaces(parser);
  return true;
}

static bool take_prefix(struct parser *parser, const char *prefix) {
  size_t length = strlen(prefix);
  if (strncmp(parser->at, prefix, length) != 0)
    return false;
  parser->at += length;
  return true;
}

static int take_name(struct parser *parser, const char *expected) {
  size_t length = strspn(parser->at, IDSTRING);
  if (length == 0 || is_operator(parser->at))
    return refuse(parser, expected);
  parser->at += length;
  return 0;
}

static int end_word(struct parser *parser, const char *expected) {
  if (!ends_word(*parser->at))
    return refuse(parser, expected);
  skip_spaces(parser);
  return 0;
}

/* ---- expressions */

/* "[DocumentRef-NAME:]LicenseRef-NAME" */
static int take_reference(struct parser *parser, bool of_document) {
  if (of_document) {
    int r = take_name(parser, "the document's name");
    if (r < 0)
      return r;
    if (!take_prefix(parser, ":LicenseRef-"))
      return refuse(parser, "':LicenseRef-NAME'");
  }
  return take_name(parser, "the licence's name");
}

/* An identifier, with '+' for later versions, or a reference. */
static int take_licence(struct parser *parser) {
  int r;
  if (take_prefix(parser, "DocumentRef-"))
    r = take_reference(parser, true);
  else if (take_prefix(parser, "LicenseRef-"))
    r = take_reference(parser, false);
  else if ((r = take_name(parser, "a licence")) == 0)
    (void)take_prefix(parser, "+");
  return r < 0 ? r : end_word(parser, "letters, digits, '.' and '-' only");
}

static int take_licence_and_exception(struct parser *parser) {
  int r = take_licence(parser);
  if (r < 0 || !take_operator(parser, "WITH"))
    return r;
  r = take_name(parser, "an exception");
  return r < 0 ? r : end_word(parser, "letters, digits, '.' and '-' only");
}

/* The parentheses before a licence. */
static int open_parentheses(struct parser *parser) {
  for (; *parser->at == '('; skip_spaces(parser)) {
    if (parser->open == LICENCE_PARENTHESES_MAX)
      return error_set(parser->err, EINVAL, "the licence '%s' has more than %d parentheses within each other",
                       parser->text, LICENCE_PARENTHESES_MAX);
    parser->open++;
    parser->at++;
  }
  return 0;
}

/* Those after it. */
static void close_parentheses(struct parser *parser) {
  for (; *parser->at == ')' && parser->open > 0; skip_spaces(parser)) {
    parser->open--;
    parser->at++;
  }
}

int licence_check(const char *text, struct error **err) {
  struct parser parser = {.text = text, .at = text, .err = err};
  skip_spaces(&parser);
  for (;;) {
    int r = open_parentheses(&parser);
    if (r == 0)
      r = take_licence_and_exception(&parser);
    if (r < 0)
      return r;
    close_parentheses(&parser);
    if (*parser.at == '\0')
      return parser.open == 0 ? 0 : refuse(&parser, "')'");
    if (!take_operator(&parser, "AND") && !take_operator(&parser, "OR"))
      return refuse(&parser, parser.open ? "AND, OR, WITH or ')'" : "AND, OR or WITH");
  }
}
