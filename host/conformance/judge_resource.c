#include "host/conformance/judge_resource.h"

#include <errno.h>

int judge_resource(const struct trial_policy *policy, const struct check *check, struct arena *arena,
                   struct verdict *ret_verdict, struct error **err) {
  bool refused = check->kind == CHECK_REFUSED;
  const char *said = NULL;
  int r = refused ? trial_policy_refusal(policy, &check->resource, &said, err) : 0;
  if (r < 0)
    return r;
  if (!refused)
    said = trial_policy_report(policy, &check->resource);
  struct check_result result = {.check = check, .held = said != NULL};
  const char *what = check_describe(arena, check);
  result.expected = arena_printf(arena, "%s %s", what ? what : "", refused ? "is refused" : "is told about");
  result.seen = said ? arena_strdup(arena, said) : refused ? "nobody refused it" : "nobody said anything about it";
  result.evidence = said ? json_pack("{s:s}", refused ? "refusal" : "report", said) : json_object();
  if (!what || !result.expected || !result.seen || !result.evidence) {
    json_decref(result.evidence);
    return error_set(err, ENOMEM, "judging a check: no memory");
  }
  *ret_verdict = (struct verdict){.result = result};
  return 0;
}
