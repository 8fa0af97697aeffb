#include "host/watch/lease.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "host/transport/kube/limiter.h"
#include "host/transport/kube/resource.h"
#include "sdk/base/clock.h"
#include "sdk/base/strbuf.h"

#define TIMEOUT_NS (4 * NS_PER_SECOND)

static const struct kube_resource leases = {
    .group = "coordination.k8s.io", .version = "v1", .kind = "Lease", .plural = "leases", .namespaced = true};

struct lease {
  struct lease_options options;
  pthread_t thread;
  bool holding;
  char *seen; /* another's: holder and renewal */
  int64_t seen_ns;
};

static struct kube_ref ref_of(const struct lease *lease) {
  return (struct kube_ref){.resource = &leases, .namespace_ = lease->options.ns, .name = lease->options.name};
}

/* "2026-01-31T12:00:00.000000Z" (MicroTime of Kubernetes). */
static void write_now(char *text, size_t size) {
  int64_t now_ns = clock_realtime_ns();
  time_t seconds = (time_t)(now_ns / NS_PER_SECOND);
  struct tm utc;
  char date[32];

  (void)strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", gmtime_r(&seconds, &utc));
  (void)snprintf(text, size, "%s.%06dZ", date, (int)(now_ns % NS_PER_SECOND / 1000));
}

/* The spec that says that this one holds it, from the one before; NULL without memory. */
static json_t *claim(const struct lease *lease, const json_t *before) {
  bool ours = strcmp(kube_text(before, "holderIdentity"), lease->options.identity) == 0;
  json_int_t transitions = json_integer_value(json_object_get(before, "leaseTransitions"));
  char now[48];

  write_now(now, sizeof(now));
  return json_pack("{s:s, s:i, s:s, s:s, s:I}", "holderIdentity", lease->options.identity, "leaseDurationSeconds",
                   LEASE_DURATION_S, "acquireTime", ours ? kube_text(before, "acquireTime") : now, "renewTime", now,
                   "leaseTransitions", before && !ours ? transitions + 1 : transitions);
}

static int create(struct lease *lease, const struct kube_call *call, struct error **err) {
  const struct kube_ref ref = ref_of(lease);
  json_auto_t *object =
      json_pack("{s:s, s:s, s:{s:s, s:s}, s:o}", "apiVersion", "coordination.k8s.io/v1", "kind", "Lease", "metadata",
                "name", lease->options.name, "namespace", lease->options.ns, "spec", claim(lease, NULL));

  if (!object)
    return error_set(err, ENOMEM, "out of memory for a Lease");
  return kube_create(cluster_client(lease->options.cluster), &ref, object, call, NULL, err);
}

/* Whether another's may be taken: it was given up, or not renewed for as long as it was to last, by this one's clock.
 */
static bool is_free(struct lease *lease, const json_t *spec) {
  _cleanup_strbuf_ struct strbuf seen = STRBUF_INIT;
  json_int_t duration_s = json_integer_value(json_object_get(spec, "leaseDurationSeconds"));

  if (!*kube_text(spec, "holderIdentity"))
    return true;
  strbuf_printf(&seen, "%s %s", kube_text(spec, "holderIdentity"), kube_text(spec, "renewTime"));
  if (!lease->seen || strcmp(lease->seen, strbuf_text(&seen)) != 0) {
    free(lease->seen);
    lease->seen = strbuf_steal(&seen);
    lease->seen_ns = clock_monotonic_ns();
    return false;
  }
  if (duration_s < 1 || duration_s > 3600)
    duration_s = LEASE_DURATION_S;
  return clock_monotonic_ns() - lease->seen_ns > duration_s * NS_PER_SECOND;
}

/* 0 when it is held; -EBUSY when another holds it. */
static int take_or_renew(struct lease *lease, struct error **err) {
  const struct kube_call call = {.deadline_ns = clock_in_ns(TIMEOUT_NS), .cancel = lease->options.cancel};
  const struct kube_ref ref = ref_of(lease);
  struct kube_client *client = cluster_client(lease->options.cluster);
  json_auto_t *object = NULL;

  int r = kube_get(client, &ref, &call, &object, err);
  if (r == -ENOENT)
    return create(lease, &call, err);
  if (r < 0)
    return r;
  const json_t *spec = json_object_get(object, "spec");
  if (strcmp(kube_text(spec, "holderIdentity"), lease->options.identity) != 0 && !is_free(lease, spec))
    return error_set(err, EBUSY, "%s works, and this one stands by", kube_text(spec, "holderIdentity"));
  if (json_object_set_new(object, "spec", claim(lease, spec)) < 0)
    return error_set(err, ENOMEM, "out of memory for a Lease");
  return kube_update(client, &ref, object, &call, NULL, err);
}

static void tell(const struct lease *lease, const char *text) {
  lease->options.said(lease->options.ctx, text);
}

/* A renewal that failed is tried again until the one before has run out, when nothing is written any more. */
static void *run(void *ctx) {
  struct lease *lease = ctx;
  _cleanup_free_ char *told = NULL;
  int64_t until_ns = 0;

  while (!atomic_load(lease->options.cancel)) {
    _cleanup_error_ struct error *why = NULL;
    int64_t began_ns = clock_monotonic_ns();
    int r = take_or_renew(lease, &why);
    if (r == 0) {
      until_ns = began_ns + LEASE_DEADLINE_NS;
      lease->options.held(lease->options.ctx, until_ns);
      if (!lease->holding)
        tell(lease, "this one works now: it holds the Lease");
      lease->holding = true;
    } else if (lease->holding && (r == -EBUSY || clock_monotonic_ns() >= until_ns)) {
      lease->options.held(lease->options.ctx, 0);
      tell(lease, "the Lease is lost: this one stands by");
      lease->holding = false;
    } else if (!lease->holding && !atomic_load(lease->options.cancel) &&
               (!told || strcmp(told, error_message(why)) != 0)) {
      tell(lease, error_message(why));
      free(told);
      told = strdup(error_message(why));
    }
    (void)limiter_wait(LEASE_PERIOD_NS, lease->options.cancel);
  }
  return NULL;
}

int lease_start(const struct lease_options *options, struct lease **ret_lease, struct error **err) {
  struct lease *lease = calloc(1, sizeof(*lease));

  if (!lease)
    return error_set(err, ENOMEM, "out of memory for a Lease");
  lease->options = *options;
  if (pthread_create(&lease->thread, NULL, run, lease) != 0) {
    free(lease);
    return error_set(err, EAGAIN, "no thread to keep a Lease with");
  }
  *ret_lease = lease;
  return 0;
}

static void give_up(const struct lease *lease) {
  const struct kube_call call = {.deadline_ns = clock_in_ns(TIMEOUT_NS)};
  const struct kube_ref ref = ref_of(lease);
  struct kube_client *client = cluster_client(lease->options.cluster);
  json_auto_t *object = NULL;

  if (kube_get(client, &ref, &call, &object, NULL) < 0)
    return;
  json_t *spec = json_object_get(object, "spec");
  if (strcmp(kube_text(spec, "holderIdentity"), lease->options.identity) == 0 &&
      json_object_set_new(spec, "holderIdentity", json_string("")) == 0)
    (void)kube_update(client, &ref, object, &call, NULL, NULL);
}

void lease_join(struct lease *lease) {
  if (!lease)
    return;
  (void)pthread_join(lease->thread, NULL);
  if (lease->holding)
    give_up(lease);
  free(lease->seen);
  free(lease);
}
