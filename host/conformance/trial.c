#include "host/conformance/trial.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "host/conformance/case_read.h"
#include "host/conformance/forecast.h"
#include "host/conformance/judge_counted.h"
#include "host/conformance/judge_metrics.h"
#include "host/conformance/judge_resource.h"
#include "host/conformance/ongoing.h"
#include "host/conformance/trial_policy.h"
#include "host/engine/patience.h"
#include "sdk/base/clock.h"

/* Between two looks at checks that do not hold yet, and at ones that hold and have to go on doing so. */
#define GLANCE_PAUSE_MS 5
#define HOLD_PAUSE_MS 12

/* A case while it runs. */
struct trial {
  struct engine *engine;
  const struct runner_options *options;
  const struct test_case *test;
  struct arena *arena;
  struct case_result *result;
  struct verdict *verdicts; /* heap; those of the checks judged so far */
  size_t verdict_count;
  bool died;      /* a process of the lab or the mesh: nothing can be learned from the case */
  bool unsettled; /* a step's state did not hold in time */
  struct placement *placement;
  struct trial_policy *policy;
  struct prober prober;
  struct ongoing *ongoing[CASE_CHECKS_MAX]; /* of the step's checks that go on during its change; NULL: of none */
};

static bool trial_cancelled(const struct trial *trial) {
  return trial->options->cancel && atomic_load(trial->options->cancel);
}

/* Waits before the next look; -ECANCELED when the run is cancelled. */
static int trial_pause(const struct trial *trial, int pause_ms, struct error **err) {
  if (trial_cancelled(trial))
    return error_set(err, ECANCELED, "cancelled");
  (void)poll(NULL, 0, pause_ms);
  return 0;
}

/* ---- control run */

/* A machine that is busy answers late: only a look that begins when the time is up may be the last. */
static int control_check(struct trial *trial, const struct check *check, struct error **err) {
  int64_t give_up_ns = clock_monotonic_ns() + trial->options->converge_ns;
  for (;;) {
    int64_t asked_ns = clock_monotonic_ns();
    const char *seen = NULL;
    int r = judge_control(&trial->prober, check, trial->arena, &seen, err);
    if (r < 0 || !seen)
      return r;
    if (asked_ns >= give_up_ns)
      return error_set(err, EPROTO, "control run: without policy every call of the case should go through; seen: %s",
                       seen);
    r = trial_pause(trial, GLANCE_PAUSE_MS, err);
    if (r < 0)
      return r;
  }
}

/* Every call of the case must go through while there is no policy, or nothing can be learned from it. */
static int control_run(struct trial *trial, struct error **err) {
  trial->prober.glancing = true;
  for (size_t s = 0; s < trial->test->step_count; s++) {
    const struct step *step = &trial->test->steps[s];
    for (size_t i = 0; i < step->check_count; i++) {
      int r = check_calls(&step->checks[i]) ? control_check(trial, &step->checks[i], err) : 0;
      if (r < 0)
        return r;
    }
  }
  return 0;
}

/* ---- convergence */

/* How a step settled: when its state first held for good, or what broke last. */
struct settling {
  int64_t propagation_ns;     /* -1: it did not hold in time */
  const struct check *broken; /* then: the check that broke last, and what was seen of it */
  const char *seen;
};

static int all_hold(struct trial *trial, const struct step *step, struct settling *settling, bool *ret_hold,
                    struct error **err) {
  for (size_t i = 0; i < step->check_count; i++) {
    const char *seen = NULL;
    if (!check_calls(&step->checks[i]) || check_goes_on(&step->checks[i]))
      continue;
    int r = judge_glance(&trial->prober, &step->checks[i], trial->arena, &seen, err);
    if (r < 0)
      return r;
    if (!seen)
      continue;
    settling->broken = &step->checks[i];
    settling->seen = seen;
    *ret_hold = false;
    return 0;
  }
  *ret_hold = true;
  return 0;
}

/* How long a state may take, and how long it must then hold. */
static int64_t converge_ns(const struct trial *trial, const struct step *step) {
  int64_t longest_ns = trial->options->converge_ns;
  return counted_step(step) && longest_ns < COUNTED_SETTLE_NS ? COUNTED_SETTLE_NS : longest_ns;
}

static int64_t hold_window_ns(const struct trial *trial, const struct step *step) {
  return counted_step(step) ? 0 : trial->options->hold_window_ns;
}

/* Waits until every check holds and goes on holding for the window. A state that does not hold in a look that begins
 * when the time is up is given up; one that does gets the rest of its window. */
static int converge(struct trial *trial, const struct step *step, struct settling *ret_settling, struct error **err) {
  struct settling settling = {.propagation_ns = -1};
  int64_t applied_ns = clock_monotonic_ns();
  int64_t held_since_ns = -1;
  trial->prober.glancing = true;
  for (;;) {
    int64_t asked_ns = clock_monotonic_ns();
    bool hold = false;
    int r = all_hold(trial, step, &settling, &hold, err);
    if (r < 0)
      return r;
    int64_t now_ns = clock_monotonic_ns();
    if (!hold)
      held_since_ns = -1;
    else if (held_since_ns < 0)
      held_since_ns = asked_ns;
    if (hold && now_ns - held_since_ns >= hold_window_ns(trial, step)) {
      settling.propagation_ns = held_since_ns - applied_ns;
      break;
    }
    if (!hold && asked_ns - applied_ns >= converge_ns(trial, step))
      break;
    r = trial_pause(trial, hold ? HOLD_PAUSE_MS : GLANCE_PAUSE_MS, err);
    if (r < 0)
      return r;
  }
  *ret_settling = settling;
  return 0;
}

/* ---- steps */

/* A check that did not settle is broken, also when its one verdict happened to hold; but for one of counters, whose
 * verdict is all there is. */
static int mark_unsettled(struct trial *trial, struct check_result *result, const struct settling *settling,
                          struct error **err) {
  result->held = false;
  result->seen = arena_printf(trial->arena, "%s; before that: %s; it did not hold for %lld ms on end within %lld ms",
                              result->seen, settling->seen, (long long)(trial->options->hold_window_ns / NS_PER_MS),
                              (long long)(trial->options->converge_ns / NS_PER_MS));
  return result->seen ? 0 : error_set(err, ENOMEM, "judging a step: no memory");
}

static int judge_one(struct trial *trial, const struct step *step, size_t i, bool settled, struct verdict *ret_verdict,
                     struct error **err) {
  const struct check *check = &step->checks[i];
  struct metrics_patience patience = {.converge_ns = trial->options->converge_ns,
                                      .hold_window_ns = trial->options->hold_window_ns};
  if (check->kind == CHECK_METRICS)
    return judge_metrics(&trial->prober, trial->engine, &patience, check, trial->arena, ret_verdict, err);
  if (!check_calls(check))
    return judge_resource(trial->policy, check, trial->arena, ret_verdict, err);
  if (check_goes_on(check))
    return ongoing_judge(trial->ongoing[i], &trial->prober, trial->test, trial->arena, ret_verdict, err);
  return judge_check(&trial->prober, check, settled, trial->arena, ret_verdict, err);
}

/* Of a metrics check only the calls have to settle, and they say nothing about metrics. */
static int require_countable(const struct settling *settling, struct error **err) {
  if (settling->propagation_ns >= 0 || settling->broken->kind != CHECK_METRICS)
    return 0;
  return error_set(err, EPROTO,
                   "the mesh's metrics could not be judged: the calls that they are to count do not go through: %s",
                   settling->seen);
}

static int judge_step(struct trial *trial, size_t index, const struct settling *settling, struct error **err) {
  const struct step *step = &trial->test->steps[index];
  bool settled = settling->propagation_ns >= 0;
  int r = require_countable(settling, err);
  for (size_t i = 0; r == 0 && i < step->check_count; i++) {
    struct verdict *verdict = &trial->verdicts[trial->verdict_count];
    r = judge_one(trial, step, i, settled, verdict, err);
    if (r < 0)
      return r;
    trial->verdict_count++;
    verdict->result.step = (unsigned)index;
    if (!settled && settling->broken == verdict->result.check && verdict->result.held &&
        verdict->result.check->kind != CHECK_COUNTED)
      r = mark_unsettled(trial, &verdict->result, settling, err);
  }
  return r;
}

static int begin_ongoing(struct trial *trial, const struct step *step, struct error **err) {
  int r = 0;
  for (size_t i = 0; r == 0 && i < step->check_count; i++)
    if (check_goes_on(&step->checks[i]))
      r = ongoing_start(&trial->prober, &step->checks[i], &trial->ongoing[i], err);
  return r;
}

static int stop_ongoing(struct trial *trial, const struct step *step, struct error **err) {
  int r = 0;
  for (size_t i = 0; r == 0 && i < step->check_count; i++)
    if (trial->ongoing[i])
      r = ongoing_stop(trial->ongoing[i], err);
  return r;
}

static void finish_ongoing(struct trial *trial, const struct step *step) {
  for (size_t i = 0; i < step->check_count; i++)
    ongoing_destroy(take(trial->ongoing[i]));
}

static int change_and_judge(struct trial *trial, size_t index, struct error **err) {
  const struct step *step = &trial->test->steps[index];
  int r = begin_ongoing(trial, step, err);
  if (r == 0)
    r = trial_policy_step(trial->policy, step, err);
  if (r < 0)
    return r;
  struct settling settling;
  r = converge(trial, step, &settling, err);
  trial->prober.glancing = false;
  if (r == 0)
    r = stop_ongoing(trial, step, err);
  if (r < 0)
    return r;
  trial->unsettled |= settling.propagation_ns < 0;
  if (settling.propagation_ns > trial->result->propagation_ns)
    trial->result->propagation_ns = settling.propagation_ns;
  return judge_step(trial, index, &settling, err);
}

static int run_step(struct trial *trial, size_t index, struct error **err) {
  int r = change_and_judge(trial, index, err);
  finish_ongoing(trial, &trial->test->steps[index]);
  return r;
}

/* What was refused may have been delivered later. */
static int judge_all_again(struct trial *trial, struct error **err) {
  for (size_t i = 0; i < trial->verdict_count; i++) {
    int r = judge_again(&trial->prober, &trial->verdicts[i], trial->arena, err);
    if (r < 0)
      return r;
  }
  return 0;
}

/* ---- what the checks say together */

/* Where to look first, from how the first broken check broke. */
static const char *likely_cause(const struct check_result *broken) {
  const struct check *check = broken->check;
  if (check->kind == CHECK_REFUSED)
    return "what is not valid is taken for something that was meant";
  if (check->kind == CHECK_REPORTED)
    return "the adapter carries it out without a word, and whoever wrote it will not know";
  if (check_goes_on(check))
    return "the change is not carried out in one go: for a moment there is no route, or another one, or an open "
           "connection is cut";
  bool received = json_array_size(json_object_get(broken->evidence, "received_by")) > 0;
  json_int_t status = json_integer_value(json_object_get(broken->evidence, "status"));
  if (check->kind == CHECK_METRICS)
    return judge_metrics_cause(broken->evidence);
  if (check->kind == CHECK_COUNTED)
    return "the mesh lets through, refuses or shares out requests otherwise than the resources say; counters tell no "
           "more, the suite smi does";
  if (check->kind == CHECK_SPLIT)
    return check->shares_judged
               ? "the data plane does not share by these weights, or a backend is reached that should not be"
               : "the data plane sends requests to a backend that should get none, or loses them";
  if (check->kind == CHECK_DENIED && check->direct && received)
    return "the rule is enforced in the client's proxy only; the server side lets the request in";
  if (check->kind == CHECK_DENIED && received)
    return "no rule allows this request, yet the server side let it in: the rule is not enforced as written, or not at "
           "all";
  if (check->kind == CHECK_DENIED)
    return "the request was not delivered, but the client did not see a refusal, or not for long enough";
  if (status == 200 && !received)
    return "something answered in the server's place";
  if (status == 403)
    return "a rule allows this request, yet the mesh refuses it: the rule was translated or matched too narrowly";
  if (received)
    return "the request reached a server, but its answer did not come back, or a server that is not behind the target";
  return "the mesh has no working route to the target";
}

/* Hands the verdicts over to the result. */
static int collect_checks(struct trial *trial) {
  struct check_result *checks = arena_array(trial->arena, trial->verdict_count + 1, sizeof(*checks));
  if (!checks)
    return -ENOMEM;
  for (size_t i = 0; i < trial->verdict_count; i++) {
    checks[i] = trial->verdicts[i].result;
    trial->verdicts[i].result.evidence = NULL;
  }
  trial->result->checks = checks;
  trial->result->check_count = trial->verdict_count;
  if (trial->unsettled)
    trial->result->propagation_ns = -1;
  return 0;
}

/* The outcome: what is proved broken stays broken, whatever went wrong afterwards (`problem`, NULL for nothing), unless
 * a process died. */
static void conclude(struct trial *trial, int r, const struct error *problem) {
  struct case_result *result = trial->result;
  const struct check_result *broken = trial->died ? NULL : case_first_broken(result);
  result->held = r == 0 && !broken;
  if (broken) {
    result->outcome = trial->test->level == CASE_INFORMATIVE ? OUTCOME_INFORMATIVE : OUTCOME_FAILED;
    result->reason =
        arena_printf(trial->arena, "%s: expected that %s; seen: %s%s%s", broken->check->requirement, broken->expected,
                     broken->seen, r < 0 ? "; then: " : "", r < 0 ? error_message(problem) : "");
    result->cause = likely_cause(broken);
  } else if (r < 0) {
    result->outcome = r == -ENOTSUP ? OUTCOME_SKIPPED : OUTCOME_ERROR;
    result->reason = arena_strdup(trial->arena, error_message(problem));
  } else {
    result->outcome = trial->test->level == CASE_INFORMATIVE ? OUTCOME_INFORMATIVE : OUTCOME_PASSED;
  }
}

/* ---- the whole */

static int run_placed(struct trial *trial, struct error **err) {
  int r = control_run(trial, err);
  trial->prober.glancing = false;
  if (r == 0 && trial->test->deny_count > 0)
    r = placement_end_plain_network(trial->placement, err);
  for (size_t i = 0; r == 0 && i < trial->test->step_count; i++)
    r = run_step(trial, i, err);
  return r < 0 ? r : judge_all_again(trial, err);
}

static size_t count_checks(const struct test_case *test) {
  size_t count = 0;
  for (size_t i = 0; i < test->step_count; i++)
    count += test->steps[i].check_count;
  return count;
}

/* -ENOTSUP is for what the adapter cannot express; a lab or transport that cannot do something is another matter. */
static int not_skipped(int r) {
  return r == -ENOTSUP ? -EPROTONOSUPPORT : r;
}

/* A process that died explains more than the call that noticed it, and makes verdicts worthless; so does a workload
 * that no longer answers, when a request took too long or its connection was lost. */
static int name_culprit(struct trial *trial, int r, struct error **err) {
  _cleanup_error_ struct error *culprit = NULL;
  bool unanswered = r == -ETIMEDOUT || r == -EIO || r == -ECONNREFUSED || r == -ECONNRESET;
  int found = r == -ECANCELED ? 0
              : unanswered    ? placement_ask(trial->placement, &culprit)
                              : placement_check(trial->placement, &culprit);
  if (found == 0)
    return r;
  trial->died = true;
  return error_set(err, error_code(culprit), "%s", error_message(culprit));
}

/* Tells a case whose time is up from a request that took too long. */
static int name_timeout(const struct trial *trial, int r, struct error **err) {
  int64_t timeout_ns = trial->options->case_timeout_ns;
  if (r == -ETIMEDOUT && clock_monotonic_ns() >= trial->prober.deadline_ns)
    (void)error_wrap(err, "the case was not done within %.6g s, the time for one", (double)timeout_ns / NS_PER_SECOND);
  return r;
}

static const char *placed_namespace(const void *ctx, const char *alias) {
  return placement_namespace(ctx, alias);
}

static int create_policy(struct trial *trial, const struct job *job, struct error **err) {
  const struct policy_ground ground = {
      .namespace_of = placed_namespace, .ctx = trial->placement, .inventory = placement_inventory(trial->placement)};
  return trial_policy_create(trial->engine, &ground, job, trial->prober.id, trial->arena, &trial->policy, err);
}

static int run_in_slot(struct trial *trial, struct lab *lab, unsigned slot, const struct job *job, struct error **err) {
  trial->verdicts = calloc(count_checks(job->test) + 1, sizeof(*trial->verdicts));
  if (!trial->verdicts)
    return error_set(err, ENOMEM, "running a case: no memory");
  int r = forecast(trial->engine, job, trial->prober.id, trial->arena, trial->result, err);
  if (r < 0)
    return r;
  r = not_skipped(lab_place(lab, slot, trial->engine, job->test->topology, &trial->placement, err));
  if (r < 0)
    return r;
  trial->prober.placement = trial->placement;
  r = create_policy(trial, job, err);
  if (r == 0)
    r = run_placed(trial, err);
  return name_culprit(trial, r, err);
}

/* Takes policy and placement away. A failure there is told, since later cases would run on its remains. */
static int clear_slot(struct trial *trial, struct error **err) {
  int removed = trial->policy ? trial_policy_remove(trial->policy, err) : 0;
  if (trial->policy)
    trial_policy_result(trial->policy, trial->result);
  trial_policy_destroy(trial->policy);
  int left = placement_remove(trial->placement, removed < 0 ? NULL : err);
  return removed < 0 ? removed : left;
}

/* A case that went well is in error by what it leaves behind; another one has that added to its reason. */
static void conclude_clearing(struct trial *trial, int r, struct error **left) {
  struct case_result *result = trial->result;
  (void)error_wrap(left, "taking the case's objects away");
  if (r == 0)
    conclude(trial, -EIO, *left);
  else if (result->reason)
    result->reason = arena_printf(trial->arena, "%s; then: %s", result->reason, error_message(*left));
}

/* -ECONNREFUSED, or whatever asking came to, when the mesh does not answer. */
static int ask_mesh(const struct trial *trial, struct error **err) {
  Trammel__Adapter__V1__DetectResponse *detection = NULL;
  int r = engine_detect(trial->engine, &detection, err);
  if (r < 0)
    return r;
  if (!detection->present)
    r = error_set(err, ECONNREFUSED, "%s", detection->detail);
  trammel__adapter__v1__detect_response__free_unpacked(detection, NULL);
  return r;
}

/* Reads what was in force when a check broke. A mesh that does not answer at all is not wrong but gone, and so is the
 * case; unless a server has a record of what should not have come, which no silence explains. */
static int read_objects(struct trial *trial, struct error **err) {
  const struct check_result *broken = case_first_broken(trial->result);
  if (!broken || !trial->policy || trial->died)
    return 0;
  _cleanup_error_ struct error *reason = NULL;
  bool proved =
      broken->check->kind == CHECK_DENIED && json_array_size(json_object_get(broken->evidence, "received_by")) > 0;
  int r = engine_read(trial->engine, trial_policy_owner(trial->policy), &trial->result->objects, &reason);
  if (r == 0 && !proved && json_array_size(trial->result->objects) == 0)
    r = ask_mesh(trial, &reason);
  if (proved || (r != -ETIMEDOUT && r != -ECONNREFUSED))
    return 0; /* evidence that is missing changes no verdict */
  trial->died = true;
  return error_set(err, error_code(reason), "the mesh stopped answering: %s", error_message(reason));
}

static void finish_verdicts(struct trial *trial) {
  for (size_t i = 0; i < trial->verdict_count; i++)
    verdict_finish(&trial->verdicts[i]);
  free(trial->verdicts);
}

int trial_run(struct engine *engine, struct lab *lab, unsigned slot, const struct job *job,
              const struct runner_options *options, struct arena *arena, struct case_result *ret_result) {
  int64_t started_ns = clock_monotonic_ns();
  char id[JOB_NAME_SIZE];
  job_name(job, options->seed, id);
  *ret_result = (struct case_result){
      .test = job->test,
      .column = job->column,
      .started_ns = clock_realtime_ns(),
      .propagation_ns = -1,
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
  patience_set(trial.prober.deadline_ns);
  int r = name_timeout(&trial, run_in_slot(&trial, lab, slot, job, &err), &err);
  patience_set(0); /* what follows has limits of its own */
  if (collect_checks(&trial) < 0)
    r = error_set(&err, ENOMEM, "collecting verdicts: no memory");
  int answered = r == -ECANCELED ? 0 : read_objects(&trial, &err);
  if (answered < 0)
    r = answered;
  conclude(&trial, r, err);
  _cleanup_error_ struct error *left = NULL;
  if (clear_slot(&trial, &left) < 0)
    conclude_clearing(&trial, r, &left);
  finish_verdicts(&trial);
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
