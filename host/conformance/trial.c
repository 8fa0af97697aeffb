#include "host/conformance/trial.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "host/conformance/judge.h"
#include "host/conformance/trial_policy.h"
#include "sdk/base/clock.h"

/* Between two looks at checks that do not hold yet. */
#define GLANCE_PAUSE_MS 5

/* A case while it runs. */
struct trial {
  struct engine *engine;
  const struct runner_options *options;
  const struct test_case *test;
  struct arena *arena;
  struct case_result *result;
  struct check_result *checks;
  struct placement *placement;
  struct trial_policy *policy;
  struct prober prober;
};

static bool trial_cancelled(const struct trial *trial) {
  return trial->options->cancel && atomic_load(trial->options->cancel);
}

static void result_set(struct trial *trial, enum outcome outcome, const char *reason) {
  trial->result->outcome = outcome;
  trial->result->reason = arena_strdup(trial->arena, reason);
}

/* Every call of the case must go through while there is no policy, or nothing can be learned from it. */
static int control_run(struct trial *trial, struct error **err) {
  for (size_t s = 0; s < trial->test->step_count; s++) {
    const struct step *step = &trial->test->steps[s];
    for (size_t i = 0; i < step->check_count; i++) {
      const char *seen = NULL;
      int r = judge_control(&trial->prober, &step->checks[i], trial->arena, &seen, err);
      if (r < 0)
        return r;
      if (seen)
        return error_set(err, EPROTO, "control run without policy: %s should go through; seen: %s",
                         check_describe(trial->arena, &step->checks[i]), seen);
    }
  }
  return 0;
}

static int all_hold(struct trial *trial, const struct step *step, bool *ret_hold, struct error **err) {
  *ret_hold = true;
  for (size_t i = 0; *ret_hold && i < step->check_count; i++) {
    int r = judge_glance(&trial->prober, &step->checks[i], ret_hold, err);
    if (r < 0)
      return r;
  }
  return 0;
}

/* Waits until every check holds and goes on holding for the window. `*ret_propagation_ns` is from `applied_ns` to the
 * first glance of that window; -1 when it did not come to that in time: the verdict says the rest. */
static int converge(struct trial *trial, const struct step *step, int64_t applied_ns, int64_t *ret_propagation_ns,
                    struct error **err) {
  int64_t give_up_ns = applied_ns + trial->options->converge_ns;
  int64_t held_since_ns = -1;
  *ret_propagation_ns = -1;
  for (;;) {
    int64_t asked_ns = clock_monotonic_ns();
    bool hold = false;
    int r = all_hold(trial, step, &hold, err);
    if (r < 0)
      return r;
    int64_t now_ns = clock_monotonic_ns();
    if (!hold)
      held_since_ns = -1;
    else if (held_since_ns < 0)
      held_since_ns = asked_ns;
    if (hold && now_ns - held_since_ns >= trial->options->hold_window_ns) {
      *ret_propagation_ns = held_since_ns - applied_ns;
      return 0;
    }
    if (now_ns >= give_up_ns)
      return 0;
    if (trial_cancelled(trial))
      return error_set(err, ECANCELED, "cancelled");
    (void)poll(NULL, 0, GLANCE_PAUSE_MS);
  }
}

static int judge_step(struct trial *trial, size_t index, struct error **err) {
  const struct step *step = &trial->test->steps[index];
  for (size_t i = 0; i < step->check_count; i++) {
    struct check_result *check = &trial->checks[trial->result->check_count];
    int r = judge_check(&trial->prober, &step->checks[i], trial->arena, check, err);
    if (r < 0)
      return r;
    check->step = (unsigned)index;
    trial->result->check_count++;
  }
  return 0;
}

static int run_step(struct trial *trial, size_t index, struct error **err) {
  const struct step *step = &trial->test->steps[index];
  int64_t applied_ns = clock_monotonic_ns();
  int r = trial_policy_step(trial->policy, step, err);
  if (r < 0)
    return r;
  int64_t propagation_ns = -1;
  r = converge(trial, step, applied_ns, &propagation_ns, err);
  if (r < 0)
    return r;
  if (propagation_ns < 0 || (trial->result->propagation_ns >= 0 && propagation_ns > trial->result->propagation_ns))
    trial->result->propagation_ns = propagation_ns;
  return judge_step(trial, index, err);
}

/* ---- what the checks say together */

static const struct check_result *first_broken(const struct case_result *result) {
  for (size_t i = 0; i < result->check_count; i++)
    if (!result->checks[i].held)
      return &result->checks[i];
  return NULL;
}

/* Where to look first, from how the first broken check broke. */
static const char *likely_cause(const struct check_result *broken) {
  const struct check *check = broken->check;
  const char *received_by = json_string_value(json_object_get(broken->evidence, "received_by"));
  json_int_t status = json_integer_value(json_object_get(broken->evidence, "status"));
  if (check->kind == CHECK_SPLIT)
    return check->shares_judged
               ? "the data plane does not share by these weights, or a backend is reached that should not be"
               : "the data plane sends requests to a backend that should get none, or loses them";
  if (check->kind == CHECK_DENIED && check->direct)
    return "the rule is enforced in the client's proxy only; the server side lets the request in";
  if (check->kind == CHECK_DENIED && received_by)
    return "no rule allows this request, yet the server side let it in: the rule is not enforced as written, or not at "
           "all";
  if (check->kind == CHECK_DENIED)
    return "the request was not delivered, but the client did not see a refusal";
  if (status == 200 && !received_by)
    return "something answered in the server's place";
  if (status == 403)
    return "a rule allows this request, yet the mesh refuses it: the rule was translated or matched too narrowly";
  if (received_by)
    return "the request reached a server, but its answer did not come back, or a server that is not behind the target";
  return "the mesh has no working route to the target";
}

static void conclude(struct trial *trial) {
  struct case_result *result = trial->result;
  const struct check_result *broken = first_broken(result);
  result->held = !broken;
  if (trial->test->level == CASE_INFORMATIVE)
    result->outcome = OUTCOME_INFORMATIVE;
  else
    result->outcome = broken ? OUTCOME_FAILED : OUTCOME_PASSED;
  if (!broken)
    return;
  result->reason = arena_printf(trial->arena, "%s: expected that %s; seen: %s", broken->check->requirement,
                                broken->expected, broken->seen);
  result->cause = likely_cause(broken);
  if (engine_read(trial->engine, trial_policy_owner(trial->policy), &result->objects, NULL) < 0)
    result->objects = NULL;
}

static int run_placed(struct trial *trial, struct error **err) {
  int r = control_run(trial, err);
  for (size_t i = 0; r == 0 && i < trial->test->step_count; i++)
    r = run_step(trial, i, err);
  if (r == 0)
    conclude(trial);
  return r;
}

static size_t count_checks(const struct test_case *test) {
  size_t count = 0;
  for (size_t i = 0; i < test->step_count; i++)
    count += test->steps[i].check_count;
  return count;
}

static int run_in_slot(struct trial *trial, struct lab *lab, unsigned slot, const struct job *job, struct error **err) {
  trial->checks = arena_array(trial->arena, count_checks(job->test) + 1, sizeof(*trial->checks));
  if (!trial->checks)
    return error_set(err, ENOMEM, "running a case: no memory");
  trial->result->checks = trial->checks;
  int r = lab_place(lab, slot, trial->engine, job->test->topology, &trial->placement, err);
  if (r < 0)
    return r;
  trial->prober.placement = trial->placement;
  r = trial_policy_create(trial->engine, trial->placement, job, trial->prober.id, trial->arena, &trial->policy, err);
  if (r == 0)
    r = run_placed(trial, err);
  if (r < 0 && r != -ECANCELED && r != -ENOTSUP) {
    /* A workload that died explains more than the call that noticed it. */
    _cleanup_error_ struct error *death = NULL;
    if (placement_check(trial->placement, &death) < 0)
      r = error_set(err, error_code(death), "%s", error_message(death));
  }
  return r;
}

/* Takes policy and placement away; a failure there is an error of the case, since later cases would run on its remains.
 */
static int clear_slot(struct trial *trial, struct error **err) {
  int removed = trial->policy ? trial_policy_remove(trial->policy, err) : 0;
  if (trial->policy)
    trial_policy_result(trial->policy, trial->result);
  trial_policy_destroy(trial->policy);
  int left = placement_remove(trial->placement, removed < 0 ? NULL : err);
  return removed < 0 ? removed : left;
}

int trial_run(struct engine *engine, struct lab *lab, unsigned slot, const struct job *job, size_t number,
              const struct runner_options *options, struct arena *arena, struct case_result *ret_result) {
  int64_t started_ns = clock_monotonic_ns();
  char id[24];
  (void)snprintf(id, sizeof(id), "c%zu", number);
  *ret_result = (struct case_result){
      .test = job->test,
      .column = job->column,
      .started_ns = clock_realtime_ns(),
  };
  struct trial trial = {
      .engine = engine,
      .options = options,
      .test = job->test,
      .arena = arena,
      .result = ret_result,
      .prober = {.topology = job->test->topology,
                 .id = id,
                 .cancel = options->cancel,
                 .deadline_ns = started_ns + options->case_timeout_ns},
  };
  _cleanup_error_ struct error *err = NULL;
  int r = run_in_slot(&trial, lab, slot, job, &err);
  if (r == -ENOTSUP)
    result_set(&trial, OUTCOME_SKIPPED, error_message(err));
  else if (r < 0)
    result_set(&trial, OUTCOME_ERROR, error_message(err));

  _cleanup_error_ struct error *left = NULL;
  if (clear_slot(&trial, &left) < 0 && r == 0) {
    error_wrap(&left, "taking the case's objects away");
    result_set(&trial, OUTCOME_ERROR, error_message(left));
  }
  ret_result->duration_ns = clock_monotonic_ns() - started_ns;
  return r == -ECANCELED || trial_cancelled(&trial) ? -ECANCELED : 0;
}

void case_result_finish(struct case_result *result) {
  for (size_t i = 0; i < result->check_count; i++)
    json_decref(result->checks[i].evidence);
  json_decref(result->resources);
  json_decref(result->objects);
  json_decref(result->coverage);
}
