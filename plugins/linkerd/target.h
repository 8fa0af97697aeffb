/* TrafficTargets: what each allows, read before any object is made, because targets meet at the same ports. */
#ifndef TRAMMEL_PLUGINS_LINKERD_TARGET_H
#define TRAMMEL_PLUGINS_LINKERD_TARGET_H

#include "plugins/linkerd/http_match.h"
#include "sdk/kube/rules.h"
#include "sdk/kube/subject.h"

/* What became of a match, counted over all ports where it was wanted. */
struct target_match {
  struct http_match http;
  size_t wanted, left_out;
};

struct target_destination {
  const struct kube_account *account; /* selectable: a whole one, or a part */
  const uint16_t *ports;              /* of pods */
  size_t port_count;
  bool guessed; /* all that the inventory has, as the target names none */
};

/* One target on its way. */
struct target {
  const struct smi_traffic_target *smi;
  struct coverage_list coverage;
  struct coverage_list subject_coverage; /* stated after the rules' */
  struct kube_rules rules;
  struct target_match *matches; /* as many as rules.matches */
  struct kube_identities sources;
  struct target_destination *destinations;
  size_t destination_count, destination_capacity;
  bool anything; /* every connection on its ports */
  bool lost;     /* nothing of it is carried over */
  const struct native_object **objects;
  size_t object_count, object_capacity;
};

/* All but the levels of matches that only overlaps decide on. */
void target_read(const struct kube_subjects *subjects, const struct smi_traffic_target *smi, struct target *ret_target);

void target_add_object(struct target *target, const struct native_object *object);

/* After all servers are settled. */
void target_cover(struct target *target, struct translation *translation);

#endif
