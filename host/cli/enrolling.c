#include "host/cli/enrolling.h"

#include <errno.h>
#include <stdio.h>

#include "host/engine/content.h"
#include "host/engine/holdings.h"
#include "host/engine/injection.h"

static const char *const names[ENROLLING_OUTCOMES] = {"joined", "left", "unchanged", "refused", "failed", "not done"};

const char *enrolling_outcome_name(enum enrolling_outcome outcome) {
  return names[outcome];
}

static void tell(struct enrolling *enrolling, enum enrolling_outcome outcome, const struct cluster_place *place,
                 const char *why) {
  enrolling->counts[outcome]++;
  enrolling->told(enrolling->ctx, outcome, place, why);
}

static bool is_refusal(int r) {
  return r == -EBUSY || r == -EINVAL || r == -EPERM;
}

static bool is_of_object(int r) {
  return is_refusal(r) || r == -EACCES || r == -ENOENT || r == -ESTALE || r == -ENOTSUP;
}

/* What is to be there; NULL for nothing. A leaving one is asked for it too, to see what others put there as well. */
static const char *remark(const struct enrolling *enrolling, const json_t *fields, const json_t *after) {
  if (!enrolling->leave)
    return NULL;
  return fields && membership_shows(after, fields) ? "others have set the same, so it is still part of the mesh" : NULL;
}

/* Writes `fields` to the object, or takes them back, and tells. 0 when the next one can be tried. */
static int set(struct enrolling *enrolling, const struct cluster_place *place, const json_t *fields,
               struct error **err) {
  json_auto_t *before = NULL, *after = NULL;
  _cleanup_error_ struct error *why = NULL;
  int r = membership_set(&enrolling->membership, place, enrolling->leave ? NULL : fields, &before, &after, &why);
  if (r < 0) {
    tell(enrolling, is_refusal(r) ? ENROLLING_REFUSED : ENROLLING_FAILED, place, error_message(why));
    return is_of_object(r) ? 0 : error_set(err, -r, "%s", error_message(why));
  }
  enum enrolling_outcome outcome = content_equal(before, after) ? ENROLLING_UNCHANGED
                                   : enrolling->leave           ? ENROLLING_LEFT
                                                                : ENROLLING_JOINED;
  tell(enrolling, outcome, place, remark(enrolling, fields, after));
  return 0;
}

static int keep(struct enrolling *enrolling, const json_t *workload, struct error **err) {
  return json_array_append(enrolling->workloads, (json_t *)workload) == 0
             ? 0
             : error_set(err, ENOMEM, "out of memory for workloads");
}

/* Whether a workload of a namespace that joins has pods which were there before. */
static int needs_restart(struct enrolling *enrolling, const json_t *workload, bool *ret_needs, struct error **err) {
  struct injection injection = {0};
  int r = injection_look(enrolling->membership.cluster, workload, &enrolling->marks, enrolling->membership.cancel,
                         &injection, err);
  *ret_needs = r == 0 && injection.with < injection.pods;
  injection_finish(&injection);
  return r;
}

/* A workload of a namespace as a whole: what joins is made anew when that is wanted, what leaves in any case. */
static int follow(struct enrolling *enrolling, const json_t *workload, struct error **err) {
  const struct cluster_place place = holdings_place(workload);
  json_auto_t *fields = NULL;
  bool needs = enrolling->leave && membership_holds(&enrolling->membership, workload);
  int r = 0;
  if (!enrolling->leave && enrolling->restart)
    r = needs_restart(enrolling, workload, &needs, err);
  if (r == 0 && needs) {
    r = membership_workload_fields(&enrolling->membership, NULL, &fields, err);
    r = r < 0 ? r : set(enrolling, &place, fields, err);
  }
  return r < 0 ? r : keep(enrolling, workload, err);
}

int enrolling_namespace(struct enrolling *enrolling, const char *ns, struct error **err) {
  const struct cluster_place place = {.api_version = "v1", .kind = "Namespace", .name = ns};
  size_t before = enrolling->counts[ENROLLING_REFUSED] + enrolling->counts[ENROLLING_FAILED];
  json_auto_t *fields = NULL, *workloads = NULL;
  const json_t *workload;
  size_t i;
  int r = membership_namespace_fields(enrolling->of_namespaces, &fields, err);
  if (r == 0)
    r = set(enrolling, &place, fields, err);
  if (r < 0 || enrolling->counts[ENROLLING_REFUSED] + enrolling->counts[ENROLLING_FAILED] > before)
    return r;
  r = membership_workloads(&enrolling->membership, ns, &workloads, err);
  json_array_foreach(workloads, i, workload) {
    r = r < 0 ? r : follow(enrolling, workload, err);
  }
  return r;
}

/* What a namespace needs even when it does not join itself stays when a workload leaves: others may count on it. */
static int prepare_namespace(struct enrolling *enrolling, const char *ns, struct error **err) {
  const struct cluster_place place = {.api_version = "v1", .kind = "Namespace", .name = ns};
  json_auto_t *fields = NULL;
  int r = enrolling->leave ? 0 : membership_namespace_fields(enrolling->of_workloads, &fields, err);
  return r == 0 && fields ? set(enrolling, &place, fields, err) : r;
}

int enrolling_workload(struct enrolling *enrolling, const struct cluster_place *place, struct error **err) {
  size_t before = enrolling->counts[ENROLLING_REFUSED] + enrolling->counts[ENROLLING_FAILED];
  json_auto_t *fields = NULL;
  int r = membership_workload_fields(&enrolling->membership, enrolling->of_workloads, &fields, err);
  if (r == 0)
    r = prepare_namespace(enrolling, place->ns, err);
  if (r < 0)
    return r;
  if (enrolling->counts[ENROLLING_REFUSED] + enrolling->counts[ENROLLING_FAILED] > before) {
    tell(enrolling, ENROLLING_NOT_DONE, place, NULL);
    return 0;
  }
  r = set(enrolling, place, fields, err);
  if (r < 0 || enrolling->counts[ENROLLING_REFUSED] + enrolling->counts[ENROLLING_FAILED] > before)
    return r;
  json_auto_t *workload = json_pack("{s:s, s:s, s:{s:s, s:s}}", "apiVersion", place->api_version, "kind", place->kind,
                                    "metadata", "name", place->name, "namespace", place->ns);
  return workload ? keep(enrolling, workload, err) : error_set(err, ENOMEM, "out of memory for workloads");
}
