/* Carries out what an adapter says: translate → apply → prune → remove, and Plan's steps. Every creation is journaled
 * first. Data goes one way: SMI set → native objects → transport. Thread-safe: cases on several threads share one
 * engine. */
#ifndef TRAMMEL_HOST_ENGINE_ENGINE_H
#define TRAMMEL_HOST_ENGINE_ENGINE_H

#include <stdatomic.h>

#include "host/adapter/instance.h"
#include "host/engine/journal.h"
#include "host/engine/process.h"
#include "sdk/smi/model.h"
#include "trammel/adapter/v1/adapter.pb-c.h"

struct engine;

/* `entry` and `journal` are borrowed; without a journal (NULL) nothing may be made, and the adapter only be asked.
 * `config` (may be NULL) is checked against the adapter's schema. `cancel` (may be NULL) ends waits with -ECANCELED. */
int engine_create(const struct adapter_entry *entry, json_t *config, struct journal *journal, const atomic_bool *cancel,
                  struct diagnostics *diagnostics, struct engine **ret_engine, struct error **err);
/* Removes whatever is still applied, also after a cancellation, ends the processes and destroys the instance. Objects
 * on a mesh that the engine started itself go with its process. What could not be removed stays in the journal. NULL is
 * fine. */
void engine_destroy(struct engine *engine);

struct instance *engine_instance(struct engine *engine);

/* Sets an endpoint's base URL ("http://127.0.0.1:8500"); copied. -ENOENT when the adapter declares no such endpoint.
 * What is there is taken to outlive the run, so objects on it are journaled; an endpoint that came from a process step
 * of engine_plan() is not: its objects end with the process, and journaling them would cost a sync for each. */
int engine_set_endpoint(struct engine *engine, const char *name, const char *url, struct error **err);

/* Has the token of a file sent with every request to that endpoint, the adapter's own among them, which never sees it.
 * -EACCES when it would go over a network unprotected; -EINVAL and others when the file has no token. */
int engine_set_endpoint_token(struct engine *engine, const char *name, const char *path, struct error **err);

/* Says where a program is that the adapter has started; copied. -ENOENT when the adapter declares none of this name, or
 * there is nothing; -EACCES when it is no program. Before any other use of the engine. */
int engine_set_program(struct engine *engine, const char *name, const char *path, struct error **err);

/* Sets the Kubernetes cluster that objects go to; an endpoint named ENGINE_CLUSTER_ENDPOINT is its API server. Before
 * any other use of the engine. */
#define ENGINE_CLUSTER_ENDPOINT "kubernetes"
struct cluster_options;
int engine_set_cluster(struct engine *engine, const struct cluster_options *options, struct error **err);

/* Carries out Plan(action) in order, waiting for each step. `address` is the free loopback address for a process lab.
 * Main thread only. */
int engine_plan(struct engine *engine, Trammel__Adapter__V1__PlanAction action, Trammel__Adapter__V1__LabKind lab,
                const char *address, struct error **err);

/* Starts a program that the adapter asks for and waits until it is ready. It is named "<prefix>-<its name>" in the
 * run's directory. -ECHILD with the epitaph when it ends meanwhile, -ETIMEDOUT, -ECANCELED. The caller stops it. */
int engine_start_process(struct engine *engine, const char *prefix, const Trammel__Adapter__V1__Process *process,
                         struct process **ret_process, struct error **err);

/* 0 while every process of engine_plan() lives; -ECHILD with the epitaph of one that died. For use after a failure: a
 * process's sockets close a moment before its end can be seen, so it waits up to 20 ms. Any thread, while no plan is
 * being carried out. */
int engine_check(struct engine *engine, struct error **err);

/* Whether the adapter has a method of the contract: "Metrics". */
bool engine_offers(const struct engine *engine, const char *method);

/* Whether the adapter says of any version of an SMI group ("metrics") that its mesh has it, or it has a translation. */
bool engine_supports(const struct engine *engine, const char *group);

int engine_detect(struct engine *engine, Trammel__Adapter__V1__DetectResponse **ret_response, struct error **err);

/* The same, with what it was told by: appends to `requests` (an array) each request of the adapter, {"endpoint",
 * "method", "path", "status", "problem"}. The status is 0 when there was no answer; the problem says why, or what is
 * wrong with what a cluster answered (and for a 403 which rule is missing), and is null otherwise. */
int engine_detect_recorded(struct engine *engine, json_t *requests, Trammel__Adapter__V1__DetectResponse **ret_response,
                           struct error **err);

/* Translates. -EINVAL or -ENOTSUP with diagnostics when the adapter refuses. Free with
 * trammel__adapter__v1__translate_response__free_unpacked. */
int engine_translate(struct engine *engine, const struct smi_set *set, const Trammel__Adapter__V1__Inventory *inventory,
                     const Trammel__Adapter__V1__TranslateOptions *options, struct diagnostics *diagnostics,
                     Trammel__Adapter__V1__TranslateResponse **ret_response, struct error **err);

/* Asks for traffic metrics. -ENOTSUP when the adapter has none, or none of that kind. Free with
 * trammel__adapter__v1__metrics_response__free_unpacked. */
int engine_metrics(struct engine *engine, const Trammel__Adapter__V1__MetricsRequest *request,
                   struct diagnostics *diagnostics, Trammel__Adapter__V1__MetricsResponse **ret_response,
                   struct error **err);

/* Makes `objects` what `owner` has on the mesh: creates and replaces in wave order, then prunes what the owner had
 * before and has no longer (in reverse order). An object that did not change (same method, path, body) is left alone.
 * `owner` is any name that is unique in the engine. */
int engine_apply(struct engine *engine, const char *owner, Trammel__Adapter__V1__NativeObject *const *objects,
                 size_t count, struct error **err);

/* Removes everything `owner` has. Goes on after a failure and returns the first. */
int engine_remove(struct engine *engine, const char *owner, struct error **err);

/* What `owner` has in force, read back from the mesh where the objects have a read path: a JSON array of {id, path,
 * body}. */
int engine_read(struct engine *engine, const char *owner, json_t **ret_objects, struct error **err);

#endif
