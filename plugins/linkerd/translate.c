#include "plugins/linkerd/translate.h"

#include <stdlib.h>
#include <string.h>

#include "plugins/linkerd/codes.h"
#include "plugins/linkerd/denial.h"
#include "plugins/linkerd/server.h"
#include "plugins/linkerd/split.h"

/* All there is to do at ports of pods. */
struct work {
  struct call *call;
  const struct linkerd_options *options;
  struct target *targets;
  struct server_grant *grants;
  size_t grant_count;
};

/* Whether the target allows anything at its destinations' ports. */
static bool grants_something(const struct target *target) {
  if (target->lost || target->sources.count == 0)
    return false;
  for (size_t i = 0; i < target->rules.match_count; i++)
    if (target->rules.matches[i].level == COVERAGE_EXACT)
      return true;
  return target->anything;
}

/* By account, part of it and port; grants without a target last, then in the order of targets. */
static int by_port(const void *a, const void *b) {
  const struct server_grant *x = a, *y = b;
  int order = strcmp(x->account->ns, y->account->ns);
  if (order == 0)
    order = strcmp(x->account->name, y->account->name);
  if (order == 0)
    order = strcmp(x->account->workloads[0]->name, y->account->workloads[0]->name);
  if (order != 0)
    return order;
  if (x->port != y->port)
    return x->port < y->port ? -1 : 1;
  if (!x->target || !y->target)
    return (x->target == NULL) - (y->target == NULL);
  return (x->target > y->target) - (x->target < y->target);
}

static void collect_grants(struct work *work, size_t target_count, const struct denial_ports *denied) {
  size_t most = denied->count, count = 0;
  for (size_t i = 0; i < target_count; i++)
    for (size_t j = 0; j < work->targets[i].destination_count; j++)
      most += work->targets[i].destinations[j].port_count;
  work->grants = arena_array(call_arena(work->call), most, sizeof *work->grants);
  if (!work->grants) {
    call_out_of_memory(work->call);
    return;
  }
  for (size_t i = 0; i < target_count; i++) {
    struct target *target = &work->targets[i];
    for (size_t j = 0; grants_something(target) && j < target->destination_count; j++)
      for (size_t k = 0; k < target->destinations[j].port_count; k++)
        work->grants[count++] = (struct server_grant){
            .account = target->destinations[j].account, .port = target->destinations[j].ports[k], .target = target};
  }
  for (size_t i = 0; i < denied->count; i++)
    work->grants[count++] = denied->items[i];
  if (count > 1)
    qsort(work->grants, count, sizeof *work->grants, by_port);
  work->grant_count = count;
}

/* Once, and only when routes took Linkerd's own for probes away. */
static void diagnose_probes(struct call *call, const struct server *server) {
  call_diagnose(call,
                &(struct finding){.severity = TRAMMEL_WARNING,
                                  .code = CODE_PROBES,
                                  .detail = "Linkerd lets the kubelet's probes through to a Server without routes. One "
                                            "that has HTTPRoutes loses that, and the pods would become unready.",
                                  .remedy = "configure probe_paths and probe_networks, or let the probes use a port "
                                            "without HTTP rules"},
                "probes of the kubelet are denied where there are HTTP rules, such as on port %u of %s/%s",
                server->port, server->account->ns, server->account->name);
}

static void make_servers(struct work *work, struct translation *translation) {
  bool told = server_has_probes(work->options);
  const char *probed = NULL; /* the namespace that has the probes' networks already */
  for (size_t start = 0, end; start < work->grant_count; start = end) {
    struct server server;
    for (end = start + 1; end < work->grant_count && work->grants[end].account == work->grants[start].account &&
                          work->grants[end].port == work->grants[start].port;)
      end++;
    if (!server_read(work->call, work->options, &work->grants[start], end - start, &server)) {
      call_out_of_memory(work->call);
      return;
    }
    const char *ns = server.account->ns;
    if (server.cells.count && server_has_probes(work->options) && (!probed || strcmp(probed, ns) != 0)) {
      translation_add(translation, server_probe_networks(work->call, work->options, ns));
      probed = ns;
    }
    if (server.cells.count && !told)
      diagnose_probes(work->call, &server);
    told |= server.cells.count > 0;
    server_emit(&server, translation);
  }
}

static int by_name(const void *a, const void *b) {
  const struct smi_traffic_target *x = *(const struct smi_traffic_target *const *)a,
                                  *y = *(const struct smi_traffic_target *const *)b;
  int order = strcmp(x->meta.ns, y->meta.ns);
  return order != 0 ? order : strcmp(x->meta.name, y->meta.name);
}

/* By namespace and name, so that the order in which they are listed changes nothing. */
static bool read_targets(const struct kube_subjects *subjects, const struct smi_set *smi, struct target *targets) {
  const struct smi_traffic_target **sorted =
      arena_array(call_arena(subjects->directory->call), smi->target_count, sizeof *sorted);
  if (!sorted)
    return false;
  for (size_t i = 0; i < smi->target_count; i++)
    sorted[i] = &smi->targets[i];
  if (smi->target_count > 1)
    qsort(sorted, smi->target_count, sizeof *sorted, by_name);
  for (size_t i = 0; i < smi->target_count; i++)
    target_read(subjects, sorted[i], &targets[i]);
  return true;
}

static void translate_access(const struct kube_directory *directory, const struct linkerd_options *options,
                             struct translation *translation) {
  struct call *call = directory->call;
  const struct smi_set *smi = &directory->request->smi;
  const struct kube_subjects subjects = {.directory = directory,
                                         .trust_domain = options->trust_domain,
                                         .code_dangling = CODE_DANGLING,
                                         .code_identity = CODE_IDENTITY};
  struct work work = {.call = call, .options = options};
  struct denial_ports denied;
  work.targets = arena_array(call_arena(call), smi->target_count, sizeof *work.targets);
  if (!work.targets || !read_targets(&subjects, smi, work.targets)) {
    call_out_of_memory(call);
    return;
  }
  denial_collect(directory, &denied);
  collect_grants(&work, smi->target_count, &denied);
  make_servers(&work, translation);
  denial_emit_rest(directory, options, translation);
  denial_diagnose(directory);
  for (size_t i = 0; i < smi->target_count; i++)
    target_cover(&work.targets[i], translation);
}

int linkerd_translate(struct call *call, const struct translate_request *request, struct translation *translation) {
  const struct linkerd_options options = linkerd_options(call);
  struct kube_directory directory;
  if (!kube_directory_init(call, request, &directory))
    return TRAMMEL_RESOURCE_EXHAUSTED;
  translate_access(&directory, &options, translation);
  splits_translate(&directory, &options, translation);
  return TRAMMEL_OK;
}
