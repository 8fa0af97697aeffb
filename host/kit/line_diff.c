#include "host/kit/line_diff.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define CONTEXT 3

struct line {
  const char *text;
  size_t length;
};

struct lines {
  struct line *items;
  size_t count;
};

/* One line of the difference: ' ' of both, '-' of the first, '+' of the second text. */
struct edit {
  char kind;
  struct line line;
};

struct edits {
  struct edit *items;
  size_t count;
};

/* False without memory. */
static bool split(const char *text, struct lines *ret_lines) {
  size_t capacity = 0;
  while (*text) {
    size_t length = strcspn(text, "\n");
    if (array_reserve((void **)&ret_lines->items, &capacity, ret_lines->count, sizeof *ret_lines->items) < 0)
      return false;
    ret_lines->items[ret_lines->count++] = (struct line){text, length};
    text += length + (text[length] == '\n');
  }
  return true;
}

static bool same(const struct line *a, const struct line *b) {
  return a->length == b->length && memcmp(a->text, b->text, a->length) == 0;
}

static void add(struct edits *edits, char kind, const struct line *line) {
  edits->items[edits->count++] = (struct edit){kind, *line};
}

static void add_whole(struct edits *edits, const struct line *a, size_t n, const struct line *b, size_t m) {
  for (size_t i = 0; i < n; i++)
    add(edits, '-', &a[i]);
  for (size_t j = 0; j < m; j++)
    add(edits, '+', &b[j]);
}

/* The longest common subsequence by the table of the lengths for every pair of ends. False without memory. */
static bool compare(struct edits *edits, const struct line *a, size_t n, const struct line *b, size_t m) {
  if (n == 0 || m == 0 || n > LINE_DIFF_MAX || m > LINE_DIFF_MAX) {
    add_whole(edits, a, n, b, m);
    return true;
  }
  size_t width = m + 1;
  _cleanup_free_ uint16_t *common = calloc((n + 1) * width, sizeof *common);
  if (!common)
    return false;
#define COMMON(i, j) common[(i)*width + (j)]
  for (size_t i = n; i-- > 0;)
    for (size_t j = m; j-- > 0;)
      if (same(&a[i], &b[j]))
        COMMON(i, j) = (uint16_t)(COMMON(i + 1, j + 1) + 1);
      else
        COMMON(i, j) = COMMON(i + 1, j) > COMMON(i, j + 1) ? COMMON(i + 1, j) : COMMON(i, j + 1);
  size_t i = 0, j = 0;
  while (i < n && j < m)
    if (same(&a[i], &b[j]))
      add(edits, ' ', &a[i]), i++, j++;
    else if (COMMON(i + 1, j) >= COMMON(i, j + 1))
      add(edits, '-', &a[i++]);
    else
      add(edits, '+', &b[j++]);
#undef COMMON
  add_whole(edits, a + i, n - i, b + j, m - j);
  return true;
}

static bool edits_of(const struct lines *before, const struct lines *after, struct edits *ret_edits) {
  size_t shorter = before->count < after->count ? before->count : after->count, head = 0, tail = 0;
  while (head < shorter && same(&before->items[head], &after->items[head]))
    head++;
  while (tail < shorter - head &&
         same(&before->items[before->count - 1 - tail], &after->items[after->count - 1 - tail]))
    tail++;
  ret_edits->items = calloc(before->count + after->count + 1, sizeof *ret_edits->items);
  if (!ret_edits->items)
    return false;
  for (size_t i = 0; i < head; i++)
    add(ret_edits, ' ', &before->items[i]);
  if (!compare(ret_edits, before->items + head, before->count - head - tail, after->items + head,
               after->count - head - tail))
    return false;
  for (size_t i = before->count - tail; i < before->count; i++)
    add(ret_edits, ' ', &before->items[i]);
  return true;
}

/* Whether a change is near enough for line `at` to be shown. */
static bool is_near(const struct edits *edits, size_t at) {
  size_t from = at > CONTEXT ? at - CONTEXT : 0;
  for (size_t i = from; i < edits->count && i <= at + CONTEXT; i++)
    if (edits->items[i].kind != ' ')
      return true;
  return false;
}

/* The head of the lines shown from `from` on: "@@ -4,7 +4,8 @@". */
static void print_head(struct strbuf *out, const struct edits *edits, size_t from) {
  size_t first[2] = {1, 1}, count[2] = {0, 0};
  for (size_t i = 0; i < edits->count && (i < from || is_near(edits, i)); i++) {
    size_t *numbers = i < from ? first : count;
    numbers[0] += edits->items[i].kind != '+';
    numbers[1] += edits->items[i].kind != '-';
  }
  strbuf_printf(out, "@@ -%zu,%zu +%zu,%zu @@\n", first[0], count[0], first[1], count[1]);
}

static void print(struct strbuf *out, const struct edits *edits) {
  bool shown = false;
  for (size_t i = 0; i < edits->count; i++) {
    bool show = is_near(edits, i);
    if (show && !shown)
      print_head(out, edits, i);
    shown = show;
    if (!show)
      continue;
    strbuf_putc(out, edits->items[i].kind);
    strbuf_append(out, edits->items[i].line.text, edits->items[i].line.length);
    strbuf_putc(out, '\n');
  }
}

void line_diff(struct strbuf *out, const char *before, const char *after) {
  struct lines a = {0}, b = {0};
  struct edits edits = {0};
  if (split(before, &a) && split(after, &b) && edits_of(&a, &b, &edits))
    print(out, &edits);
  else
    out->failed = true;
  free(a.items);
  free(b.items);
  free(edits.items);
}
