#include "host/report/requirement_page.h"

#include <string.h>

#include "host/report/emit.h"

/* Versions are v1alpha1 … v1alpha9. */
#define ALPHAS 10

static bool lists(const struct test_case *test, const char *requirement) {
  for (size_t i = 0; i < test->requirement_count; i++)
    if (strcmp(test->requirements[i], requirement) == 0)
      return true;
  return false;
}

/* The jobs of one case stand together in a plan: where the next case begins. */
static size_t next_case(const struct plan *plan, size_t i) {
  const struct test_case *test = plan->jobs[i].test;
  while (i < plan->count && plan->jobs[i].test == test)
    i++;
  return i;
}

/* The versions of `group` that jobs `from` to `to` run in; 0 when they have no resource of the group. */
static unsigned put_versions(struct strbuf *page, const struct plan *plan, size_t from, size_t to,
                             enum smi_group group) {
  bool seen[ALPHAS] = {false};
  unsigned count = 0;
  for (size_t i = from; i < to; i++) {
    unsigned alpha = column_version(&plan->jobs[i].column, group).alpha;
    if (alpha > 0 && alpha < ALPHAS)
      seen[alpha] = true;
  }
  for (unsigned alpha = 1; alpha < ALPHAS; alpha++) {
    if (!seen[alpha])
      continue;
    if (count++ == 0)
      strbuf_printf(page, "%s v1alpha%u", smi_group_name(group), alpha);
    else
      strbuf_printf(page, ", v1alpha%u", alpha);
  }
  return count;
}

static void put_case(struct strbuf *page, const struct plan *plan, size_t from, size_t to,
                     const struct requirement *requirement) {
  const struct test_case *test = plan->jobs[from].test;
  strbuf_printf(page, "`%s`%s | ", test->id, test->level == CASE_INFORMATIVE ? " (informative)" : "");
  /* A case about another group may have no resource of the requirement's own. */
  if (put_versions(page, plan, from, to, requirement->group) == 0)
    (void)put_versions(page, plan, from, to, test->group);
}

static void put_requirement(struct strbuf *page, const struct plan *plan, const struct requirement *requirement) {
  size_t count = 0;
  for (size_t i = 0, next; i < plan->count; i = next) {
    next = next_case(plan, i);
    if (!lists(plan->jobs[i].test, requirement->id))
      continue;
    if (count++ == 0)
      strbuf_printf(page, "| **%s** %s | ", requirement->id, requirement->summary);
    else
      strbuf_puts(page, "| | ");
    put_case(page, plan, i, next, requirement);
    strbuf_puts(page, " |\n");
  }
}

static bool has_case(const struct plan *plan, const struct requirement *requirement) {
  for (size_t i = 0; i < plan->count; i++)
    if (lists(plan->jobs[i].test, requirement->id))
      return true;
  return false;
}

static unsigned count_proved(const struct plan *plan) {
  unsigned count = 0;
  for (size_t i = 0; i < requirement_count(); i++)
    count += has_case(plan, requirement_at(i));
  return count;
}

static unsigned count_cases(const struct plan *plan) {
  unsigned count = 0;
  for (size_t i = 0; i < plan->count; i = next_case(plan, i))
    count++;
  return count;
}

int requirement_page(const struct plan *plan, FILE *out) {
  _cleanup_strbuf_ struct strbuf page = STRBUF_INIT;
  enum smi_group group = 0;
  strbuf_printf(&page,
                "# Requirements of the suite %s\n\n"
                "%zu requirements, of which %u have cases: %u cases, %zu with each combination of API versions counted "
                "by itself.\n",
                suite_name(plan->suite), requirement_count(), count_proved(plan), count_cases(plan), plan->count);
  for (size_t i = 0; i < requirement_count(); i++) {
    const struct requirement *requirement = requirement_at(i);
    if (!has_case(plan, requirement))
      continue;
    if (requirement->group != group) {
      group = requirement->group;
      strbuf_printf(&page, "\n## %s\n\n| requirement | case | runs in |\n|---|---|---|\n", smi_group_name(group));
    }
    put_requirement(&page, plan, requirement);
  }
  return emit(&page, out);
}
