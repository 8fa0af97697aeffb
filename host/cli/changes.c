#include "host/cli/changes.h"

#include <errno.h>

#include "sdk/base/document.h"
#include "sdk/base/strbuf.h"

static const char *word_of(const struct changes *changes, enum rollout_outcome outcome) {
  return outcome == ROLLOUT_REMOVED ? changes->removed : rollout_outcome_name(outcome);
}

/* Names come from files, from an adapter, and from a server. */
void changes_print_safe(const char *text, FILE *out) {
  for (; *text; text++)
    (void)fputc((unsigned char)*text < 0x20 || *text == 0x7f ? '?' : *text, out);
}

void changes_print_place(const struct cluster_place *place, FILE *out) {
  changes_print_safe(place->kind, out);
  (void)fputc(' ', out);
  if (place->ns && *place->ns) {
    changes_print_safe(place->ns, out);
    (void)fputc('/', out);
  }
  changes_print_safe(place->name, out);
}

static void print_line(const struct changes *changes, const struct rollout_step *step) {
  printf("%-9s  ", word_of(changes, step->outcome));
  changes_print_place(&step->place, stdout);
  if (changes->dry_run)
    (void)fputs(" (dry run)", stdout);
  if (step->why) {
    (void)fputs(": ", stdout);
    changes_print_safe(step->why, stdout);
  }
  putchar('\n');
}

static json_t *to_json(const struct changes *changes, const struct rollout_step *step) {
  const struct cluster_place *place = &step->place;
  const char *ns = place->ns && *place->ns ? place->ns : NULL;
  return json_pack("{s:s, s:s, s:s, s:s?, s:s, s:s?}", "outcome", word_of(changes, step->outcome), "apiVersion",
                   place->api_version, "kind", place->kind, "namespace", ns, "name", place->name, "why", step->why);
}

static void print_json_line(struct changes *changes, const struct rollout_step *step) {
  json_auto_t *object = to_json(changes, step);
  _cleanup_free_ char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
  if (text)
    puts(text);
  else
    changes->failed = true;
}

void changes_tell(void *ctx, const struct rollout_step *step) {
  struct changes *changes = ctx;
  if (!changes->json) {
    print_line(changes, step);
    return;
  }
  if (changes->lines) {
    print_json_line(changes, step);
    return;
  }
  if (!changes->list)
    changes->list = json_array();
  if (json_array_append_new(changes->list, to_json(changes, step)) < 0)
    changes->failed = true;
}

/* The counts that matter in any case, and those that are not zero. */
static void print_counts(const struct changes *changes, const struct rollout_summary *summary) {
  const char *before = "";
  for (int i = 0; i < ROLLOUT_OUTCOMES; i++) {
    if (summary->counts[i] == 0)
      continue;
    printf("%s%zu %s", before, summary->counts[i], word_of(changes, (enum rollout_outcome)i));
    before = ", ";
  }
  printf("%s%s\n", *before ? "" : "nothing to do", changes->dry_run ? " (dry run)" : "");
}

static json_t *counts_json(const struct changes *changes, const struct rollout_summary *summary) {
  json_t *counts = json_object();
  for (int i = 0; i < ROLLOUT_OUTCOMES; i++)
    (void)json_object_set_new(counts,
                              i == ROLLOUT_NOT_DONE    ? "notDone"
                              : i == ROLLOUT_NOT_READY ? "notReady"
                                                       : word_of(changes, (enum rollout_outcome)i),
                              json_integer((json_int_t)summary->counts[i]));
  return counts;
}

static int print_json(struct changes *changes, const struct rollout_summary *summary) {
  _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
  json_t *list = changes->list ? take(changes->list) : json_array();
  json_auto_t *document = json_pack("{s:s, s:b, s:o, s:o}", "adapter", changes->adapter, "dryRun", changes->dry_run,
                                    "objects", list, "summary", counts_json(changes, summary));
  if (!document || changes->failed || json_write(document, &text) < 0 || strbuf_failed(&text))
    return -ENOMEM;
  (void)fputs(strbuf_text(&text), stdout);
  return 0;
}

int changes_finish(struct changes *changes, const struct rollout_summary *summary, struct error **err) {
  int r = 0;
  if (changes->json)
    r = print_json(changes, summary);
  else
    print_counts(changes, summary);
  json_decref(take(changes->list));
  if (r < 0)
    return error_set(err, ENOMEM, "out of memory for the result");
  return fflush(stdout) != 0 || ferror(stdout) ? error_set(err, ENOSPC, "cannot write the result") : 0;
}

enum exit_code changes_exit_code(int r, const struct rollout_summary *summary) {
  if (r == -ENOMEM)
    return EXIT_INTERNAL;
  if (r < 0)
    return EXIT_COULD_NOT_TEST;
  if (summary->counts[ROLLOUT_REFUSED] > 0)
    return EXIT_SOMETHING_FAILED;
  return summary->counts[ROLLOUT_FAILED] + summary->counts[ROLLOUT_NOT_DONE] + summary->counts[ROLLOUT_NOT_READY] > 0
             ? EXIT_COULD_NOT_TEST
             : EXIT_ALL_PASSED;
}

void changes_explain(int r, const struct rollout_summary *summary) {
  size_t refused = summary->counts[ROLLOUT_REFUSED] + summary->counts[ROLLOUT_FAILED];
  if (r == -ECANCELED)
    fprintf(stderr, "trammel: cancelled; what was done stays, and the same command does the rest\n");
  else if (r == 0 && refused > 0)
    fprintf(stderr, "trammel: %zu %s could not be done%s; once that is mended, the same command does the rest\n",
            refused, refused == 1 ? "object" : "objects",
            summary->counts[ROLLOUT_NOT_DONE] > 0 ? ", and what comes later was not begun" : "");
  if (r == 0 && summary->counts[ROLLOUT_NOT_READY] > 0)
    fprintf(stderr,
            "trammel: %zu %s applied, but the mesh has not said that it has taken %s, so nothing was pruned; see "
            "that what implements the API runs, or give --wait=0\n",
            summary->counts[ROLLOUT_NOT_READY], summary->counts[ROLLOUT_NOT_READY] == 1 ? "object is" : "objects are",
            summary->counts[ROLLOUT_NOT_READY] == 1 ? "it" : "them");
  if (summary->partial)
    fprintf(stderr, "trammel: objects of all namespaces may not be listed: what is to be removed was looked for in the "
                    "namespaces of these resources\n");
}
