#include "sdk/smi/regex.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "sdk/base/utf8.h"
#include "sdk/smi/parse.h"

#define DEPTH_MAX 250   /* Rust's limit; RE2's is higher */
#define REPEAT_MAX 1000 /* RE2's limit, also for counts within counts */
#define NAMES_MAX 100

struct span {
  const char *text;
  size_t length;
};

struct parser {
  const char *pattern;
  const char *at;
  struct error **err;
  uint32_t counts[DEPTH_MAX + 1]; /* per open group: the largest product of counts in it */
  size_t depth;
  struct span names[NAMES_MAX];
  size_t name_count;
  bool repeatable;     /* a quantifier may follow */
  uint32_t last_count; /* of what a quantifier would repeat */
};

static int reject(struct parser *parser, const char *where, const char *what) {
  return error_set(parser->err, EINVAL, "offset %zu: %s", (size_t)(where - parser->pattern), what);
}

static bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

static bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Decodes one character and moves on; false for what is no UTF-8. */
static bool next_character(struct parser *parser, uint32_t *ret_character) {
  size_t length = utf8_decode(parser->at, strnlen(parser->at, 4), ret_character);

  parser->at += length;
  return length > 0;
}

/* After "\x": HH or {H…}. */
static int parse_hex(struct parser *parser, const char *start, uint32_t *ret_character) {
  bool braces = *parser->at == '{';
  uint32_t value = 0;
  size_t digits = 0;

  parser->at += braces;
  for (; digits < (braces ? 6U : 2U); digits++, parser->at++) {
    char c = *parser->at;

    if (is_digit(c))
      value = value * 16 + (uint32_t)(c - '0');
    else if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'))
      value = value * 16 + (uint32_t)((c | 0x20) - 'a') + 10;
    else
      break;
  }
  if (digits < (braces ? 1U : 2U) || (braces && *parser->at != '}'))
    return reject(parser, start, "\\x takes two hexadecimal digits, or up to six in braces");
  parser->at += braces;
  if (value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff) || value == 0)
    return reject(parser, start, "this code is no character");
  *ret_character = value;
  return 0;
}

/* After "\p" or "\P": the general categories and scripts that both engines know under one name. */
static int parse_property(struct parser *parser, const char *start) {
  static const char *const known[] = {
      "L",  "Lu",     "Ll",       "Lt",    "Lm",  "Lo",     "M",        "Mn",       "Mc",    "Me",  "N",
      "Nd", "Nl",     "No",       "P",     "Pc",  "Pd",     "Ps",       "Pe",       "Pi",    "Pf",  "Po",
      "S",  "Sm",     "Sc",       "Sk",    "So",  "Z",      "Zs",       "Zl",       "Zp",    "Cc",  "Cf",
      "Co", "Arabic", "Cyrillic", "Greek", "Han", "Hebrew", "Hiragana", "Katakana", "Latin", "Thai"};
  bool braces = *parser->at == '{';
  const char *name = parser->at + braces;
  size_t length = braces ? strcspn(name, "}") : 1;

  if (*name == '\0' || (braces && name[length] != '}'))
    return reject(parser, start, "\\p takes one letter, or a name in braces");
  parser->at = name + length + braces;
  for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
    if (strlen(known[i]) == length && memcmp(known[i], name, length) == 0)
      return 0;
  return reject(parser, start, "RE2 and Rust do not both know this property; write the characters as a class");
}

enum escape {
  ESCAPE_CHARACTER,
  ESCAPE_CLASS,     /* \d, \pL */
  ESCAPE_ASSERTION, /* \b */
};

/* At a backslash. `*ret_character` is set for a character. */
static int parse_escape(struct parser *parser, bool in_class, enum escape *ret_kind, uint32_t *ret_character) {
  static const char controls[] = "\aa\ff\nn\rr\tt";
  const char *start = parser->at, c = start[1];

  if (c == '\0')
    return reject(parser, start, "a backslash at the end escapes nothing; write \\\\ for a backslash");
  parser->at = start + 2;
  *ret_kind = ESCAPE_CHARACTER;
  if (c == 'x')
    return parse_hex(parser, start, ret_character);
  if (strchr("dDsSwW", c)) {
    *ret_kind = ESCAPE_CLASS;
    return 0;
  }
  if (c == 'p' || c == 'P') {
    *ret_kind = ESCAPE_CLASS;
    return parse_property(parser, start);
  }
  if (!in_class && strchr("bBAz", c)) {
    *ret_kind = ESCAPE_ASSERTION;
    return 0;
  }
  for (size_t i = 0; controls[i]; i += 2)
    if (controls[i + 1] == c) {
      *ret_character = (unsigned char)controls[i];
      return 0;
    }
  if (!in_class && ((c >= '1' && c <= '9') || c == 'k' || c == 'g'))
    return reject(parser, start, "back-references are not accepted: RE2 and Rust have none");
  if (is_digit(c))
    return reject(parser, start, "octal escapes are not accepted; write \\xHH");
  if (c == 'v')
    return reject(parser, start, "\\v is one character or several, depending on the engine; write \\x0B");
  if (c == 'Q' || c == 'E')
    return reject(parser, start, "\\Q and \\E are not accepted; escape each character");
  if ((unsigned char)c >= 0x7f || c <= ' ' || is_letter(c) || strchr("_<>", c))
    return reject(parser, start, "this escape is not one that both RE2 and Rust have");
  *ret_character = (unsigned char)c;
  return 0;
}

/* At "[:". */
static int parse_posix_class(struct parser *parser) {
  static const char *const names[] = {"alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph",
                                      "lower", "print", "punct", "space", "upper", "word",  "xdigit"};
  const char *start = parser->at, *name = start + 2;
  const char *end;

  name += *name == '^';
  end = strstr(name, ":]");
  for (size_t i = 0; end && i < sizeof(names) / sizeof(names[0]); i++)
    if (strlen(names[i]) == (size_t)(end - name) && strncmp(names[i], name, strlen(names[i])) == 0) {
      parser->at = end + 2;
      return 0;
    }
  return reject(parser, start,
                "no class of this name; the names are alnum, alpha, ascii, blank, cntrl, digit, graph, lower, print, "
                "punct, space, upper, word, xdigit");
}

/* One member of a class, which is a character or a whole class. */
static int parse_class_member(struct parser *parser, bool first, enum escape *ret_kind, uint32_t *ret_character) {
  const char *at = parser->at;

  *ret_kind = ESCAPE_CHARACTER;
  if (at[0] == '\\')
    return parse_escape(parser, true, ret_kind, ret_character);
  if (at[0] == '[' && at[1] == ':') {
    *ret_kind = ESCAPE_CLASS;
    return parse_posix_class(parser);
  }
  if (at[0] == '[')
    return reject(parser, at,
                  "a '[' within a class begins a nested class in Rust and is a character in RE2; write \\[");
  if ((at[0] == '&' || at[0] == '~' || at[0] == '-') && at[1] == at[0])
    return reject(parser, at,
                  "&&, ~~ and -- within a class are set operations in Rust and characters in RE2; escape them");
  if (at[0] == '-' && !first && at[1] != ']')
    return reject(parser, at, "a '-' that is no range must come first or last in a class, or be written \\-");
  if (!next_character(parser, ret_character))
    return reject(parser, at, "this is no UTF-8");
  return 0;
}

/* [:alpha:] where [[:alpha:]] was meant, and [.a.], [=a=]: engines with POSIX classes refuse them, others read a set of
 * characters. */
static bool is_posix_outside_class(const char *start) {
  char sign = start[1];

  if (sign != ':' && sign != '.' && sign != '=')
    return false;
  for (const char *at = start + 2; at[0] && at[1]; at++) {
    if (at[0] == '\\' && (at[1] == ']' || at[1] == '\\'))
      at++;
    else if (at[0] == ']' || (at[0] == '[' && at[1] == sign))
      return false;
    else if (at[0] == sign && at[1] == ']')
      return true;
  }
  return false;
}

/* At '['. */
static int parse_class(struct parser *parser) {
  const char *start = parser->at;
  bool first = true;

  if (is_posix_outside_class(start))
    return reject(parser, start, "a named class stands within another pair of brackets: [[:alpha:]]");
  parser->at += 1 + (start[1] == '^');
  while (*parser->at != ']' || first) {
    const char *member = parser->at;
    enum escape kind;
    uint32_t low = 0, high = 0;
    int r;

    if (*member == '\0')
      return reject(parser, start, "this class has no closing ']'");
    r = parse_class_member(parser, first, &kind, &low);
    first = false;
    if (r < 0)
      return r;
    if (parser->at[0] != '-' || parser->at[1] == ']' || parser->at[1] == '\0')
      continue;
    if (kind != ESCAPE_CHARACTER)
      return reject(parser, member, "a class cannot begin a range");
    if (parser->at[1] == '-')
      return reject(parser, parser->at, "-- within a class is a set operation in Rust; write \\-");
    parser->at++;
    r = parse_class_member(parser, false, &kind, &high);
    if (r < 0)
      return r;
    if (kind != ESCAPE_CHARACTER || high < low)
      return reject(parser, member, "this range does not run from a lower to a higher character");
  }
  parser->at++;
  return 0;
}

/* At the name of "(?P<name>". */
static int parse_group_name(struct parser *parser) {
  struct span name = {.text = parser->at};

  while (is_letter(name.text[name.length]) || name.text[name.length] == '_' ||
         (name.length > 0 && is_digit(name.text[name.length])))
    name.length++;
  if (name.length == 0 || name.length > 32 || name.text[name.length] != '>')
    return reject(parser, name.text, "a group's name is 1 to 32 letters, digits or '_', and ends with '>'");
  for (size_t i = 0; i < parser->name_count; i++)
    if (parser->names[i].length == name.length && memcmp(parser->names[i].text, name.text, name.length) == 0)
      return reject(parser, name.text, "another group has this name");
  if (parser->name_count == NAMES_MAX)
    return reject(parser, name.text, "more than 100 named groups");
  parser->names[parser->name_count++] = name;
  parser->at = name.text + name.length + 1;
  return 0;
}

static int open_group(struct parser *parser, const char *start) {
  if (parser->depth == DEPTH_MAX)
    return reject(parser, start, "groups nest deeper than 250");
  parser->counts[++parser->depth] = 1;
  parser->repeatable = false;
  return 0;
}

/* At the flags of "(?i)" or "(?i:". */
static int parse_flags(struct parser *parser, const char *start) {
  const char *flags = parser->at;
  bool minus = false;

  for (;; parser->at++) {
    char c = *parser->at;

    if (c == '-' && !minus && parser->at[1] && strchr("imsU", parser->at[1])) {
      minus = true;
      continue;
    }
    if (c == '\0' || !strchr("imsU", c) || memchr(flags, c, (size_t)(parser->at - flags)))
      break;
  }
  if (parser->at == flags || (*parser->at != ':' && *parser->at != ')'))
    return reject(parser, start, "after (? are accepted: ':', P<name>, and the flags i, m, s and U");
  if (*parser->at++ == ':')
    return open_group(parser, start);
  parser->repeatable = false;
  return 0;
}

/* What other dialects have after "(?" and "(". */
static const char *foreign_group(const char *after) {
  static const struct {
    const char *text, *what;
  } foreign[] = {
      {"*", "verbs such as (*SKIP) are not accepted"},
      {"?=", "look-ahead is not accepted: RE2 and Rust have none"},
      {"?!", "look-ahead is not accepted: RE2 and Rust have none"},
      {"?<=", "look-behind is not accepted: RE2 and Rust have none"},
      {"?<!", "look-behind is not accepted: RE2 and Rust have none"},
      {"?>", "atomic groups are not accepted: RE2 and Rust have none"},
      {"?(", "conditionals are not accepted: RE2 and Rust have none"},
      {"?|", "branch resets are not accepted: RE2 and Rust have none"},
      {"?#", "comments are not accepted"},
      {"?R", "recursion is not accepted: RE2 and Rust have none"},
      {"?&", "recursion is not accepted: RE2 and Rust have none"},
      {"?P>", "recursion is not accepted: RE2 and Rust have none"},
      {"?P=", "back-references are not accepted: RE2 and Rust have none"},
      {"?<", "write (?P<name>…): older RE2 does not know (?<name>…)"},
      {"?'", "write (?P<name>…): RE2 and Rust do not know (?'name'…)"},
  };

  for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
    if (strncmp(after, foreign[i].text, strlen(foreign[i].text)) == 0)
      return foreign[i].what;
  return after[0] == '?' && is_digit(after[1]) ? "recursion is not accepted: RE2 and Rust have none" : NULL;
}

/* At '('. */
static int parse_group(struct parser *parser) {
  const char *start = parser->at;
  const char *foreign = foreign_group(start + 1);
  int r;

  if (foreign)
    return reject(parser, start, foreign);
  parser->at++;
  if (parser->at[0] != '?')
    return open_group(parser, start);
  parser->at++;
  if (strncmp(parser->at, "P<", 2) == 0) {
    parser->at += 2;
    r = parse_group_name(parser);
    return r < 0 ? r : open_group(parser, start);
  }
  if (*parser->at == ':') {
    parser->at++;
    return open_group(parser, start);
  }
  return parse_flags(parser, start);
}

static int close_group(struct parser *parser) {
  if (parser->depth == 0)
    return reject(parser, parser->at, "this ')' closes no group; write \\) for the character");
  parser->at++;
  parser->last_count = parser->counts[parser->depth--];
  parser->repeatable = true;
  return 0;
}

/* A decimal number of at most REPEAT_MAX + 1; false when there is none. */
static bool parse_count(struct parser *parser, uint32_t *ret_count) {
  uint32_t count = 0;

  if (!is_digit(*parser->at))
    return false;
  for (; is_digit(*parser->at); parser->at++)
    count = count > REPEAT_MAX ? count : count * 10 + (uint32_t)(*parser->at - '0');
  *ret_count = count;
  return true;
}

/* At '{'. Returns the larger bound. */
static int parse_counts(struct parser *parser, uint32_t *ret_most) {
  const char *start = parser->at++;
  uint32_t least = 0, most;
  bool valid = parse_count(parser, &least);

  most = least;
  if (valid && *parser->at == ',') {
    parser->at++;
    if (*parser->at != '}')
      valid = parse_count(parser, &most);
  }
  if (!valid || *parser->at != '}')
    return reject(parser, start, "expected {n}, {n,} or {n,m}; write \\{ for the character");
  parser->at++;
  if (least > REPEAT_MAX || most > REPEAT_MAX)
    return reject(parser, start, "counts over 1000 are not accepted: RE2 has none");
  if (most < least)
    return reject(parser, start, "the second count is below the first");
  *ret_most = most;
  return 0;
}

/* At one of * + ? {. */
static int parse_quantifier(struct parser *parser) {
  const char *start = parser->at;
  uint32_t most = 1;

  if (!parser->repeatable)
    return reject(parser, start,
                  *start == '*' && start == parser->pattern ? "there is nothing to repeat; write .* for anything"
                                                            : "there is nothing to repeat before this quantifier");
  if (*start == '{') {
    int r = parse_counts(parser, &most);

    if (r < 0)
      return r;
  } else {
    parser->at++;
  }
  if (most > 1 && parser->last_count > REPEAT_MAX / most)
    return reject(parser, start, "counts within counts repeat over 1000 times: RE2 does not accept that");
  parser->last_count *= most > 1 ? most : 1;
  parser->repeatable = false;
  if (*parser->at == '?')
    parser->at++;
  if (*parser->at == '+')
    return reject(parser, start, "possessive quantifiers are not accepted: RE2 and Rust have none");
  if (*parser->at && strchr("*?{", *parser->at))
    return reject(parser, parser->at, "a quantifier after a quantifier is not accepted; put the first in a group");
  if (parser->last_count > parser->counts[parser->depth])
    parser->counts[parser->depth] = parser->last_count;
  return 0;
}

static int parse_atom(struct parser *parser) {
  const char *start = parser->at;
  enum escape kind = ESCAPE_CHARACTER;
  uint32_t character;
  int r = 0;

  if (*start == '[')
    r = parse_class(parser);
  else if (*start == '\\')
    r = parse_escape(parser, false, &kind, &character);
  else if (*start == '^' || *start == '$')
    kind = ESCAPE_ASSERTION, parser->at++;
  else if (!next_character(parser, &character))
    r = reject(parser, start, "this is no UTF-8");
  parser->repeatable = kind != ESCAPE_ASSERTION;
  parser->last_count = 1;
  return r;
}

static int parse_step(struct parser *parser) {
  switch (*parser->at) {
  case '(':
    return parse_group(parser);
  case ')':
    return close_group(parser);
  case '|':
    parser->at++;
    parser->repeatable = false;
    return 0;
  case '*':
  case '+':
  case '?':
  case '{':
    return parse_quantifier(parser);
  default:
    return parse_atom(parser);
  }
}

int regex_check(const char *pattern, struct error **err) {
  struct parser parser = {.pattern = pattern, .at = pattern, .err = err, .counts = {1}};

  if (strnlen(pattern, SMI_REGEX_MAX + 1) > SMI_REGEX_MAX)
    return error_set(err, EINVAL, "the regular expression is longer than %d bytes", SMI_REGEX_MAX);
  while (*parser.at) {
    size_t depth = parser.depth;
    int r = parse_step(&parser);

    if (r < 0)
      return r;
    /* What a closed group holds also counts in the group around it. */
    if (parser.depth < depth && parser.last_count > parser.counts[parser.depth])
      parser.counts[parser.depth] = parser.last_count;
  }
  if (parser.depth > 0)
    return reject(&parser, parser.at, "a group is not closed: a ')' is missing; write \\( for the character");
  return 0;
}
