#include "host/conformance/forecast.h"

#include <errno.h>

#include "host/conformance/case_read.h"
#include "host/conformance/trial_policy.h"
#include "host/lab/inventory.h"

static const char *as_written(const void *ctx, const char *alias) {
  return topology_has_namespace(ctx, alias) ? alias : NULL;
}

static bool wants_metrics(const struct test_case *test) {
  for (size_t s = 0; s < test->step_count; s++)
    for (size_t i = 0; i < test->steps[s].check_count; i++)
      if (test->steps[s].checks[i].kind == CHECK_METRICS)
        return true;
  return false;
}

int forecast(struct engine *engine, const struct job *job, const char *name, struct arena *arena,
             struct case_result *result, struct error **err) {
  const struct topology *topology = job->test->topology;
  const struct site *nowhere = arena_array(arena, topology->workload_count, sizeof(*nowhere));
  struct policy_ground ground = {.namespace_of = as_written, .ctx = topology};
  struct trial_policy *policy = NULL;
  if (job->test->step_count == 0)
    return 0;
  if (wants_metrics(job->test) && (!engine_offers(engine, "Metrics") || !engine_supports(engine, "metrics")))
    return error_set(err, ENOTSUP, "the mesh serves no traffic metrics as SMI has them");
  ground.inventory = nowhere ? lab_inventory(arena, topology, nowhere, as_written, topology) : NULL;
  if (!ground.inventory)
    return error_set(err, ENOMEM, "preparing a case: no memory");
  int r = trial_policy_create(engine, &ground, job, name, arena, &policy, err);
  if (r < 0)
    return r;
  r = trial_policy_translate(policy, &job->test->steps[0], err);
  if (r < 0)
    trial_policy_result(policy, result);
  trial_policy_destroy(policy);
  return r;
}
