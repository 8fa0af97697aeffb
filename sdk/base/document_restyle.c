/* JSON text to block YAML as it is read, without a tree in between: what most of an adapter's answer is. It takes what
 * it is sure of, texts that need no more than double quotes in both, and leaves everything else, right or wrong, to
 * the readers and writers that make trees. */
#include <errno.h>
#include <string.h>

#include "sdk/base/document_internal.h"
#include "sdk/base/strbuf.h"

#define MEMBERS_MAX 64 /* of a map: each key is held against those before it */
#define DIGITS_MAX 18  /* fit an int64_t whatever they are */
#define CLAIMS_MAX 16

struct restyle {
  const char *at, *end;
  struct strbuf *out;
  struct strbuf text; /* the string that was read last */
  const struct json_claim *claims;
  size_t claim_count;
  unsigned met; /* a bit for each claim: its string was there */
};

struct slice {
  const char *start;
  size_t length;
};

static void skip_space(struct restyle *r) {
  while (r->at < r->end && (*r->at == ' ' || *r->at == '\n' || *r->at == '\t' || *r->at == '\r'))
    r->at++;
}

/* The next character, and past it. */
static bool took(struct restyle *r, char c) {
  const bool there = r->at < r->end && *r->at == c;
  r->at += there;
  return there;
}

static bool next_is(const struct restyle *r, char c) {
  return r->at < r->end && *r->at == c;
}

/* Of the escapes, those that stand for a character of ASCII that is written as it is. */
static int take_escape(struct restyle *r) {
  if (++r->at == r->end || !strchr("\"\\/", *r->at))
    return -ENOTSUP;
  strbuf_putc(&r->text, *r->at++);
  return 0;
}

/* A string, to `text`. */
static int take_string(struct restyle *r) {
  if (!took(r, '"'))
    return -ENOTSUP;
  strbuf_clear(&r->text);
  for (;;) {
    const char *start = r->at;
    while (r->at < r->end && *r->at != '"' && *r->at != '\\')
      r->at++;
    strbuf_append(&r->text, start, (size_t)(r->at - start));
    if (took(r, '"'))
      return strbuf_failed(&r->text) ? -ENOMEM : 0;
    if (r->at == r->end || take_escape(r) < 0)
      return -ENOTSUP;
  }
}

static int write_integer(struct restyle *r) {
  const char *start = r->at;
  r->at += *r->at == '-';
  const char *digits = r->at;
  while (r->at < r->end && *r->at >= '0' && *r->at <= '9')
    r->at++;
  const size_t count = (size_t)(r->at - digits);
  if (count == 0 || count > DIGITS_MAX || (*digits == '0' && (count > 1 || digits > start)) || next_is(r, '.') ||
      next_is(r, 'e') || next_is(r, 'E'))
    return -ENOTSUP;
  strbuf_append(r->out, start, (size_t)(r->at - start));
  return 0;
}

static int write_word(struct restyle *r) {
  static const char *const words[] = {"true", "false", "null"};
  for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
    const size_t length = strlen(words[i]);
    if ((size_t)(r->end - r->at) >= length && memcmp(r->at, words[i], length) == 0) {
      strbuf_append(r->out, words[i], length);
      r->at += length;
      return 0;
    }
  }
  return -ENOTSUP;
}

static bool is_text(const struct restyle *r, const char *text) {
  const size_t length = strlen(text);
  return r->text.length == length && memcmp(strbuf_text(&r->text), text, length) == 0;
}

/* Those of `claims` that are about the key that was read: bits. */
static unsigned claims_of(const struct restyle *r, unsigned claims) {
  for (size_t i = 0; i < r->claim_count; i++)
    if (claims & 1u << i && !is_text(r, r->claims[i].key))
      claims &= ~(1u << i);
  return claims;
}

/* Those about what is in the map under the key that was read. */
static unsigned claims_within(const struct restyle *r) {
  unsigned claims = 0;
  for (size_t i = 0; i < r->claim_count; i++)
    if (r->claims[i].within && is_text(r, r->claims[i].within))
      claims |= 1u << i;
  return claims;
}

static int write_string(struct restyle *r, unsigned claims) {
  int e = take_string(r);
  for (size_t i = 0; e == 0 && claims && i < r->claim_count; i++)
    if (claims & 1u << i && !is_text(r, r->claims[i].value))
      return -ENOTSUP;
  r->met |= claims;
  return e < 0 ? e : block_text_append(r->out, strbuf_text(&r->text), r->text.length);
}

static int write_leaf(struct restyle *r, unsigned claims) {
  if (r->at == r->end)
    return -ENOTSUP;
  if (*r->at == '"')
    return write_string(r, claims);
  return *r->at == '-' || (*r->at >= '0' && *r->at <= '9') ? write_integer(r) : write_word(r);
}

static int write_map(struct restyle *r, size_t indent, size_t depth, unsigned claims);
static int write_list(struct restyle *r, size_t indent, size_t depth);

/* An empty map or list, which has its place on the line. */
static bool wrote_empty(struct restyle *r, char close, const char *text) {
  skip_space(r);
  if (!took(r, close))
    return false;
  strbuf_puts(r->out, text);
  return true;
}

/* What stands after a key and its colon. */
static int write_under_key(struct restyle *r, size_t indent, size_t depth, unsigned of, unsigned within) {
  skip_space(r);
  const bool map = next_is(r, '{'), list = next_is(r, '[');
  const size_t before = r->out->length;
  strbuf_putc(r->out, ' ');
  if (!map && !list)
    return write_leaf(r, of);
  r->at++;
  if (map ? wrote_empty(r, '}', "{}") : wrote_empty(r, ']', "[]"))
    return 0;
  strbuf_truncate(r->out, before);
  block_line_begin(r->out, indent + (map ? BLOCK_STEP : 0));
  return map ? write_map(r, indent + BLOCK_STEP, depth + 1, within) : write_list(r, indent, depth + 1);
}

/* A key as it is written, without escapes, and one that the map has not yet. */
static int take_key(struct restyle *r, struct slice *keys, size_t count) {
  const char *start = r->at + 1;
  int e = take_string(r);
  if (e < 0)
    return e;
  const struct slice key = {start, r->text.length};
  if (start + key.length + 1 != r->at || key.length > BLOCK_KEY_MAX || count == MEMBERS_MAX)
    return -ENOTSUP;
  for (size_t i = 0; i < count; i++)
    if (keys[i].length == key.length && memcmp(keys[i].start, key.start, key.length) == 0)
      return -ENOTSUP;
  keys[count] = key;
  return 0;
}

static int write_entry(struct restyle *r, struct slice *keys, size_t count, size_t indent, size_t depth,
                       unsigned claims) {
  int e = take_key(r, keys, count);
  if (e == 0)
    e = block_text_append(r->out, strbuf_text(&r->text), r->text.length);
  if (e < 0)
    return e;
  const unsigned of = claims ? claims_of(r, claims) : 0, within = depth == 0 ? claims_within(r) : 0;
  skip_space(r);
  if (!took(r, ':'))
    return -ENOTSUP;
  strbuf_putc(r->out, ':');
  return write_under_key(r, indent, depth, of, within);
}

/* After its "{", one that is not empty. `claims`: those about its own strings. */
static int write_map(struct restyle *r, size_t indent, size_t depth, unsigned claims) {
  struct slice keys[MEMBERS_MAX];
  if (depth >= DOCUMENT_DEPTH_MAX)
    return -ENOTSUP;
  for (size_t count = 0;; count++) {
    skip_space(r);
    if (count > 0)
      block_line_begin(r->out, indent);
    int e = write_entry(r, keys, count, indent, depth, claims);
    if (e < 0)
      return e;
    skip_space(r);
    if (took(r, '}'))
      return 0;
    if (!took(r, ','))
      return -ENOTSUP;
  }
}

static int write_item(struct restyle *r, size_t indent, size_t depth) {
  strbuf_append(r->out, "- ", 2);
  const bool map = took(r, '{'), list = !map && took(r, '[');
  if (!map && !list)
    return write_leaf(r, 0);
  if (map ? wrote_empty(r, '}', "{}") : wrote_empty(r, ']', "[]"))
    return 0;
  return map ? write_map(r, indent + BLOCK_STEP, depth + 1, 0) : write_list(r, indent + BLOCK_STEP, depth + 1);
}

static int write_list(struct restyle *r, size_t indent, size_t depth) {
  if (depth >= DOCUMENT_DEPTH_MAX)
    return -ENOTSUP;
  for (bool first = true;; first = false) {
    skip_space(r);
    if (!first)
      block_line_begin(r->out, indent);
    int e = write_item(r, indent, depth);
    if (e < 0)
      return e;
    skip_space(r);
    if (took(r, ']'))
      return 0;
    if (!took(r, ','))
      return -ENOTSUP;
  }
}

static int write_root(struct restyle *r, const char *key) {
  if (key) {
    int e = block_text_append(r->out, key, strlen(key));
    strbuf_putc(r->out, ':');
    return e < 0 ? e : write_under_key(r, 0, 0, 0, 0);
  }
  unsigned claims = 0;
  for (size_t i = 0; i < r->claim_count; i++)
    claims |= r->claims[i].within ? 0 : 1u << i;
  skip_space(r);
  if (!took(r, '{') || wrote_empty(r, '}', "{}"))
    return -ENOTSUP;
  return write_map(r, 0, 0, claims);
}

static bool claims_hold(const struct restyle *r) {
  for (size_t i = 0; i < r->claim_count; i++)
    if (!(r->met & 1u << i) && *r->claims[i].value)
      return false;
  return true;
}

int yaml_restyle(const char *key, const char *json, size_t length, const struct json_claim *claims, size_t claim_count,
                 struct strbuf *out) {
  struct restyle r = {.at = json, .end = json + length, .out = out, .claims = claims, .claim_count = claim_count};
  const size_t before = out->length;
  int e = claim_count > CLAIMS_MAX ? -ENOTSUP : write_root(&r, key);
  skip_space(&r);
  if (e == 0 && (r.at < r.end || !claims_hold(&r)))
    e = -ENOTSUP;
  strbuf_finish(&r.text);
  if (e == 0) {
    strbuf_putc(out, '\n');
    return strbuf_failed(out) ? -ENOMEM : 0;
  }
  strbuf_truncate(out, before);
  return e;
}
