/* The Kubernetes lab: workloads are pods. Making them takes seconds, so that a slot keeps those of a topology for the
 * next placement of it. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "host/engine/overlay.h"
#include "host/engine/patience.h"
#include "host/lab/internal.h"
#include "host/lab/kubernetes_objects.h"
#include "host/lab/kubernetes_pods.h"
#include "sdk/base/clock.h"

#define PB(name) Trammel__Adapter__V1__##name

#define FIELD_MANAGER "trammel/lab"
/* How long one object may take, and all pods of a placement. */
#define OBJECT_TIMEOUT_NS (60 * NS_PER_SECOND)
#define PODS_TIMEOUT_NS (120 * NS_PER_SECOND)
/* How long a healthy workload may take to answer. */
#define ANSWER_TIMEOUT_NS (5 * NS_PER_SECOND)
#define EVERYWHERE "0.0.0.0"

struct home {
  struct pod pod;
  const char *ns;
  struct site site;
  struct workload_client *client;
};

/* What a slot keeps: the pods of a topology. */
struct homestead {
  const struct topology *topology; /* NULL: none */
  struct arena *arena;
  unsigned number; /* of the placement that made it */
  bool lost;       /* a workload died or hung: to be made anew */
  const char **namespaces;
  size_t namespace_count;
  struct home *homes;              /* one per workload */
  char (*addresses)[ADDRESS_SIZE]; /* one per service */
};

struct kubernetes_lab {
  struct lab lab; /* first: the lab is a pointer to it */
  struct cluster *cluster;
  char *image;
  struct homestead *homesteads; /* one per slot */
  atomic_uint replaced;
  char mesh_namespace[32];
};

static struct kubernetes_lab *kubernetes_lab_of(const struct placement *placement) {
  return (struct kubernetes_lab *)placement->lab;
}

static struct homestead *homestead_of(const struct placement *placement) {
  return &kubernetes_lab_of(placement)->homesteads[placement->slot];
}

static struct kube_call call_now(const struct lab *lab) {
  return (struct kube_call){.deadline_ns = patience_deadline_ns(OBJECT_TIMEOUT_NS), .cancel = lab->cancel};
}

/* ---- objects */

/* The journal's name of a namespace; all else goes with it. NULL without memory. */
static char *journal_name(const struct kubernetes_lab *lab, const char *ns) {
  char *name = NULL;
  return asprintf(&name, "v1 Namespace %s at %s", ns, cluster_server(lab->cluster)) < 0 ? NULL : name;
}

/* Takes `object`. `ret_made` may be NULL. */
static int apply(struct kubernetes_lab *lab, json_t *object, json_t **ret_made, struct error **err) {
  const json_t *metadata = json_object_get(object, "metadata");
  const struct cluster_place place = {.api_version = json_string_value(json_object_get(object, "apiVersion")),
                                      .kind = json_string_value(json_object_get(object, "kind")),
                                      .ns = json_string_value(json_object_get(metadata, "namespace")),
                                      .name = json_string_value(json_object_get(metadata, "name"))};
  const struct kube_call call = call_now(&lab->lab);
  int r = object ? cluster_apply(lab->cluster, &place, object, FIELD_MANAGER, &call, ret_made, err)
                 : error_set(err, ENOMEM, "out of memory for an object of the lab");
  json_decref(object);
  return r;
}

static int make_namespace(struct kubernetes_lab *lab, struct homestead *homestead, const char *ns,
                          const PB(EnrollResponse) * enrollment, struct error **err) {
  _cleanup_free_ char *name = journal_name(lab, ns);
  const struct cluster_place place = {.api_version = "v1", .kind = "Namespace", .name = ns};
  if (!name)
    return error_set(err, ENOMEM, "out of memory for namespace %s", ns);
  int r = journal_cluster_object_intended(lab->lab.journal, name, lab->cluster, &place, err);
  if (r < 0)
    return r;
  homestead->namespaces[homestead->namespace_count++] = ns;
  return apply(lab, kubernetes_namespace(ns, enrollment), NULL, err);
}

static int remove_namespace(const struct kubernetes_lab *lab, const char *ns, struct error **err) {
  _cleanup_free_ char *name = journal_name(lab, ns);
  const struct cluster_place place = {.api_version = "v1", .kind = "Namespace", .name = ns};
  const struct kube_call call = {.deadline_ns = clock_in_ns(OBJECT_TIMEOUT_NS)};
  int r = cluster_remove(lab->cluster, &place, &call, err);
  return r == 0 && name ? journal_object_removed(lab->lab.journal, name, err) : r;
}

/* Also after a cancellation. What can't be removed stays in the journal. */
static int abandon(const struct kubernetes_lab *lab, struct homestead *homestead, struct error **err) {
  int first = 0;
  for (size_t i = 0; homestead->topology && i < homestead->topology->workload_count; i++)
    workload_client_destroy(homestead->homes[i].client);
  for (size_t i = 0; i < homestead->namespace_count; i++) {
    int r = remove_namespace(lab, homestead->namespaces[i], first < 0 ? NULL : err);
    first = first < 0 ? first : r;
  }
  arena_destroy(homestead->arena);
  *homestead = (struct homestead){0};
  return first;
}

static int make_accounts(struct kubernetes_lab *lab, const struct placement *placement, struct error **err) {
  const struct topology *topology = placement->topology;
  int r = 0;
  for (size_t i = 0; r == 0 && i < topology->workload_count; i++) {
    const struct topology_workload *workload = &topology->workloads[i];
    r = apply(lab, kubernetes_service_account(placement_namespace(placement, workload->ns), workload->service_account),
              NULL, err);
  }
  return r;
}

static int make_services(struct kubernetes_lab *lab, const struct placement *placement, struct homestead *homestead,
                         struct error **err) {
  const struct topology *topology = placement->topology;
  int r = 0;
  for (size_t i = 0; r == 0 && i < topology->service_count; i++) {
    const struct topology_service *service = &topology->services[i];
    json_t *made = NULL;
    r = apply(lab, kubernetes_service(placement_namespace(placement, service->ns), service), &made, err);
    const char *address = json_string_value(json_object_get(json_object_get(made, "spec"), "clusterIP"));
    (void)snprintf(homestead->addresses[i], ADDRESS_SIZE, "%s", address ? address : "");
    json_decref(made);
  }
  return r;
}

static int make_deployments(struct kubernetes_lab *lab, const struct placement *placement,
                            const PB(EnrollResponse) * enrollment, struct error **err) {
  const struct topology *topology = placement->topology;
  json_t *overlay = NULL;
  int r = overlay_read(enrollment, &overlay, err);
  for (size_t i = 0; r == 0 && i < topology->workload_count; i++) {
    const struct topology_workload *workload = &topology->workloads[i];
    r = apply(
        lab,
        kubernetes_deployment(placement_namespace(placement, workload->ns), topology, workload, lab->image, overlay),
        NULL, err);
  }
  json_decref(overlay);
  return r;
}

/* ---- pods */

static int dial_home(struct kubernetes_lab *lab, const struct home *home, struct workload_client **ret_client,
                     struct error **err) {
  char path[2 * POD_NAME_SIZE];
  (void)snprintf(path, sizeof(path), "/api/v1/namespaces/%s/pods/%s:%d/proxy", home->ns, home->pod.name,
                 WORKLOAD_CONTROL_PORT);
  return workload_client_create_proxied(cluster_client(lab->cluster), path, ret_client, err);
}

/* Whether pods of the mesh are made into something: one that stays as it was has no sidecar. */
static bool changes_pods(const PB(EnrollResponse) * enrollment) {
  return enrollment->n_namespace_labels + enrollment->n_namespace_annotations > 0 ||
         enrollment->pod_template_overlay.len > 0;
}

static int settle(struct kubernetes_lab *lab, const struct topology_workload *workload,
                  const PB(EnrollResponse) * enrollment, const struct pod_wait *wait, struct home *home,
                  struct error **err) {
  int r = pod_wait(lab->cluster, home->ns, workload->name, wait, &home->pod, err);
  if (r < 0)
    return r;
  if (home->pod.alone && !workload->outside && changes_pods(enrollment))
    return error_set(err, ENODEV, "pod %s/%s has no sidecar: is the mesh's injection running?", home->ns,
                     home->pod.name);
  (void)snprintf(home->site.app, sizeof(home->site.app), "%s",
                 *enrollment->app_address && !workload->outside ? enrollment->app_address : EVERYWHERE);
  (void)snprintf(home->site.inbound, sizeof(home->site.inbound), "%s", home->pod.address);
  return dial_home(lab, home, &home->client, err);
}

/* They come up side by side: the time is for all. */
static int settle_all(struct kubernetes_lab *lab, const struct placement *placement, struct homestead *homestead,
                      const PB(EnrollResponse) * enrollment, struct error **err) {
  const struct topology *topology = placement->topology;
  const struct pod_wait wait = {.deadline_ns = patience_deadline_ns(PODS_TIMEOUT_NS), .cancel = lab->lab.cancel};
  int r = 0;
  for (size_t i = 0; r == 0 && i < topology->workload_count; i++) {
    struct home *home = &homestead->homes[i];
    home->ns = arena_strdup(homestead->arena, placement_namespace(placement, topology->workloads[i].ns));
    r = home->ns ? settle(lab, &topology->workloads[i], enrollment, &wait, home, err)
                 : error_set(err, ENOMEM, "out of memory for a lab");
  }
  return r;
}

static int make_all(struct kubernetes_lab *lab, struct placement *placement, struct homestead *homestead,
                    const PB(EnrollResponse) * enrollment, struct error **err) {
  int r = 0;
  for (size_t i = 0; r == 0 && i < placement->namespace_count; i++) {
    const char *ns = arena_strdup(homestead->arena, placement->namespaces[i].name);
    r = ns ? make_namespace(lab, homestead, ns, enrollment, err) : error_set(err, ENOMEM, "out of memory for a lab");
  }
  if (r == 0)
    r = make_accounts(lab, placement, err);
  if (r == 0)
    r = make_services(lab, placement, homestead, err);
  if (r == 0)
    r = make_deployments(lab, placement, enrollment, err);
  return r < 0 ? r : settle_all(lab, placement, homestead, enrollment, err);
}

static int homestead_init(struct homestead *homestead, const struct placement *placement, struct error **err) {
  const struct topology *topology = placement->topology;
  *homestead = (struct homestead){.number = placement->number, .arena = arena_create(0)};
  if (!homestead->arena)
    return error_set(err, ENOMEM, "out of memory for a lab");
  homestead->namespaces = arena_array(homestead->arena, placement->namespace_count, sizeof(char *));
  homestead->homes = arena_array(homestead->arena, topology->workload_count, sizeof(*homestead->homes));
  homestead->addresses = arena_array(homestead->arena, topology->service_count, ADDRESS_SIZE);
  if (!homestead->namespaces || !homestead->homes || !homestead->addresses)
    return error_set(err, ENOMEM, "out of memory for a lab");
  homestead->topology = topology;
  return 0;
}

static int make_homestead(struct placement *placement, struct homestead *homestead, struct error **err) {
  struct kubernetes_lab *lab = kubernetes_lab_of(placement);
  PB(EnrollResponse) *enrollment = NULL;
  int r = homestead_init(homestead, placement, err);
  if (r == 0)
    r = placement_take_inventory(placement, err);
  if (r == 0)
    r = lab_enroll(&lab->lab, placement->engine, placement->inventory, &enrollment, err);
  if (r == 0)
    r = make_all(lab, placement, homestead, enrollment, err);
  if (enrollment)
    trammel__adapter__v1__enroll_response__free_unpacked(enrollment, NULL);
  if (r < 0)
    (void)abandon(lab, homestead, NULL);
  return r;
}

/* ---- operations */

static void number(struct placement *placement) {
  const struct homestead *homestead = homestead_of(placement);
  if (homestead->topology == placement->topology && !homestead->lost)
    placement->number = homestead->number;
}

static int prepare(struct placement *placement, struct error **err) {
  struct homestead *homestead = homestead_of(placement);
  int r = 0;
  if (homestead->topology != placement->topology || homestead->lost) {
    if (homestead->lost && atomic_fetch_add(&kubernetes_lab_of(placement)->replaced, 1) >= LAB_REPLACEMENTS_MAX)
      return error_set(err, ECHILD, "%d times workloads of this run died or hung: something ends them",
                       LAB_REPLACEMENTS_MAX + 1);
    r = abandon(kubernetes_lab_of(placement), homestead, err);
    if (r == 0)
      r = make_homestead(placement, homestead, err);
  }
  for (size_t i = 0; r == 0 && i < placement->topology->workload_count; i++)
    placement->sites[i] = homestead->homes[i].site;
  return r;
}

static bool kubernetes_lab_spent(const struct lab *lab) {
  return atomic_load(&((const struct kubernetes_lab *)lab)->replaced) > LAB_REPLACEMENTS_MAX;
}

static const char *mesh_namespace(const struct lab *lab) {
  return ((const struct kubernetes_lab *)lab)->mesh_namespace;
}

static struct workload_client *client(const struct placement *placement, size_t i) {
  return homestead_of(placement)->homes[i].client;
}

static int dial(const struct placement *placement, size_t i, struct workload_client **ret_client, struct error **err) {
  return dial_home(kubernetes_lab_of(placement), &homestead_of(placement)->homes[i], ret_client, err);
}

/* Nothing tells of a pod's death unasked. */
static int check(const struct placement *placement, size_t i, struct error **err) {
  (void)placement;
  (void)i;
  (void)err;
  return 0;
}

static int ask(const struct placement *placement, size_t i, struct error **err) {
  struct homestead *homestead = homestead_of(placement);
  const struct home *home = &homestead->homes[i];
  _cleanup_error_ struct error *reason = NULL;
  int r = pod_check(kubernetes_lab_of(placement)->cluster, home->ns, &home->pod, clock_in_ns(ANSWER_TIMEOUT_NS), err);
  if (r == 0) {
    patience_set(clock_in_ns(ANSWER_TIMEOUT_NS));
    if (workload_ready(home->client, &reason) < 0)
      r = error_set(err, ETIMEDOUT, "pod %s/%s does not answer: %s", home->ns, home->pod.name, error_message(reason));
    patience_set(0);
  }
  homestead->lost |= r < 0;
  return r;
}

static int blame(const struct placement *placement, size_t i, int r, struct error **err) {
  _cleanup_error_ struct error *culprit = NULL;
  struct homestead *homestead = homestead_of(placement);
  const struct home *home = &homestead->homes[i];
  int found =
      pod_check(kubernetes_lab_of(placement)->cluster, home->ns, &home->pod, clock_in_ns(ANSWER_TIMEOUT_NS), &culprit);
  homestead->lost |= found < 0 || r == -ETIMEDOUT;
  return found < 0 ? error_set(err, -found, "%s", error_message(culprit)) : r;
}

static int check_upstream(const PB(Upstream) * upstream, struct error **err) {
  struct in_addr address;
  if (inet_pton(AF_INET, upstream->address, &address) == 1)
    return 0;
  return error_set(err, EPROTO, "the adapter's Enroll: the address of %s/%s must be IPv4, not '%s'",
                   upstream->service_namespace, upstream->service, upstream->address);
}

/* At its cluster IP. */
static int plain_service(const struct placement *placement, const char *service, uint16_t port, enum protocol protocol,
                         const char **ret_address, uint16_t *ret_port, struct error **err) {
  const struct topology *topology = placement->topology;
  const struct topology_port *at;
  const struct topology_service *found = topology_service_at(topology, service, port, protocol, &at);
  if (!found)
    return error_set(err, ENOENT, "topology %s has no service %s with %s port %u", topology->name, service,
                     protocol_name(protocol), port);
  *ret_address = homestead_of(placement)->addresses[found - topology->services];
  *ret_port = port;
  return 0;
}

static void kubernetes_lab_destroy(struct lab *base) {
  struct kubernetes_lab *lab = (struct kubernetes_lab *)base;
  for (unsigned i = 0; lab->homesteads && i < base->slots; i++)
    (void)abandon(lab, &lab->homesteads[i], NULL); /* what is left is in the journal */
  cluster_close(lab->cluster);
  free(lab->homesteads);
  free(lab->image);
  free(lab);
}

static const struct lab_ops kubernetes_lab_ops = {
    .kind = TRAMMEL__ADAPTER__V1__LAB_KIND__LAB_KIND_KUBERNETES,
    .destroy = kubernetes_lab_destroy,
    .spent = kubernetes_lab_spent,
    .mesh_address = mesh_namespace,
    .number = number,
    .prepare = prepare,
    .blame = blame,
    .check_upstream = check_upstream,
    .client = client,
    .dial = dial,
    .check = check,
    .ask = ask,
    .plain_service = plain_service,
};

int kubernetes_lab_create(const struct kubernetes_lab_options *options, struct lab **ret_lab, struct error **err) {
  const struct cluster_options cluster = {
      .kubeconfig = options->cluster->kubeconfig, .context = options->cluster->context, .unlimited = true};
  struct kubernetes_lab *lab = calloc(1, sizeof(*lab));
  if (!lab)
    return error_set(err, ENOMEM, "out of memory for a lab");
  lab_init(&lab->lab, &kubernetes_lab_ops, options->slots, options->journal, options->cancel);
  (void)snprintf(lab->mesh_namespace, sizeof(lab->mesh_namespace), "mesh-%s", lab->lab.run_mark);
  lab->image = strdup(options->image);
  lab->homesteads = calloc(options->slots, sizeof(*lab->homesteads));
  int r = lab->image && lab->homesteads ? cluster_open(&cluster, &lab->cluster, err)
                                        : error_set(err, ENOMEM, "out of memory for a lab");
  if (r < 0) {
    kubernetes_lab_destroy(&lab->lab);
    return r;
  }
  *ret_lab = &lab->lab;
  return 0;
}
