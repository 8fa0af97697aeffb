/* Namespaces and workloads of a cluster that join a mesh, and leave it. What is written for that has a field manager of
 * its own, "trammel-enroll/ADAPTER": nothing is forced, leaving takes back these fields and no others, and both can be
 * done again without harm. It is to stay, so it is not journaled: the fields themselves say what was done. */
#ifndef TRAMMEL_HOST_ENGINE_MEMBERSHIP_H
#define TRAMMEL_HOST_ENGINE_MEMBERSHIP_H

#include "host/engine/cluster.h"
#include "trammel/adapter/v1/adapter.pb-c.h"

/* How long one object may take, with all that is tried again. */
#define MEMBERSHIP_TIMEOUT_NS (30 * INT64_C(1000000000))

/* Annotations of pod templates: the adapter that enrolled them; and when their pods were last to be made anew, a time
 * of RFC 3339, which is another one each time, or a second restart would change nothing. */
#define MEMBERSHIP_ANNOTATION "trammel.dev/enrolled"
#define MEMBERSHIP_RESTART_ANNOTATION "trammel.dev/restarted-at"

struct membership {
  struct cluster *cluster;
  const char *adapter;       /* its id */
  bool dry_run;              /* only find out */
  const atomic_bool *cancel; /* NULL: none */
};

/* The fields of a namespace, {"metadata": …}, NULL when there are none; and those of a workload, {"spec": {"template":
 * …}}, with the annotation. `enrolment` NULL: those that have its pods made anew and nothing else. -EPROTO for an
 * overlay that is no object, or removes something, which can't be taken back. New references. */
int membership_namespace_fields(const Trammel__Adapter__V1__EnrollResponse *enrolment, json_t **ret_fields,
                                struct error **err);
int membership_workload_fields(const struct membership *membership,
                               const Trammel__Adapter__V1__EnrollResponse *enrolment, json_t **ret_fields,
                               struct error **err);

/* Makes `fields` what this manager has on the object, which has to be there; NULL: nothing any more. -ENOENT when it is
 * not there, -EBUSY when others own such a field with another value, who are named; -ESTALE when it was replaced
 * meanwhile. New references to the object as it was, and is. */
int membership_set(const struct membership *membership, const struct cluster_place *place, const json_t *fields,
                   json_t **ret_before, json_t **ret_after, struct error **err);

/* Whether this manager has fields on an object. */
bool membership_holds(const struct membership *membership, const json_t *object);

/* Whether all of `fields` are on an object, whoever put them there. */
bool membership_shows(const json_t *object, const json_t *fields);

/* The Deployments, StatefulSets and DaemonSets of a namespace: an array, each with apiVersion and kind. */
int membership_workloads(const struct membership *membership, const char *ns, json_t **ret_workloads,
                         struct error **err);

#endif
