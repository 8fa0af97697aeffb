/* The adapter of the reference mesh: SMI to the control API of docs/reference-mesh.md. */
#ifndef TRAMMEL_PLUGINS_REFERENCE_REFERENCE_H
#define TRAMMEL_PLUGINS_REFERENCE_REFERENCE_H

#include "sdk/adapter/adapter.h"

/* The endpoint of the mesh's control API, and the port it listens on in a process lab. */
#define CONTROL_ENDPOINT "control"
#define CONTROL_PORT 15000
#define TRUST_DOMAIN_DEFAULT "trammel.test"

/* On Kubernetes. Workloads' programs listen on APP_ADDRESS of their pods, their outbound proxies on OUTBOUND_ADDRESS,
 * their inbound proxies on the pod's own; SIDECAR_PORT is that of sidecars' control API (mesh/sidecar.h). */
#define IMAGE_DEFAULT "trammel.local/trammel-refmesh:0.1.0"
#define APP_ADDRESS "127.0.0.1"
#define OUTBOUND_ADDRESS "127.0.0.2"
#define SIDECAR_PORT 15001

/* Codes of diagnostics; never reused for something else, such as REFERENCE-0001 and REFERENCE-0012, which are no longer
 * in use. */
#define CODE_DANGLING "REFERENCE-0002"     /* a route, match or binding that is not there */
#define CODE_IDENTITY "REFERENCE-0003"     /* a subject that cannot be told by ServiceAccount */
#define CODE_NOTHING_LEFT "REFERENCE-0004" /* what it depends on was left out */
#define CODE_REGEX "REFERENCE-0005"        /* a regular expression outside the dialect */
#define CODE_ROOT_TAKEN "REFERENCE-0006"   /* a second split for one service */
#define CODE_WEIGHT "REFERENCE-0007"       /* a weight above what JSON carries */
#define CODE_LAB "REFERENCE-0008"          /* a kind of lab, or an action, that this mesh does not have */
#define CODE_PORTS "REFERENCE-0009"        /* more upstreams than ports */
#define CODE_MESH_ANSWER "REFERENCE-0010"  /* an answer of the mesh that is not as documented */
#define CODE_METRICS_KIND "REFERENCE-0011" /* metrics of what the mesh does not count */
#define CODE_PORT_SHARED "REFERENCE-0013"  /* a port that workloads of one ServiceAccount use for different things */

int reference_translate(struct call *call, const struct translate_request *request, struct translation *translation);
int reference_detect(struct call *call, struct detection *ret_detection);
int reference_enroll(struct call *call, const struct enroll_request *request, struct enrollment *enrollment);
int reference_plan(struct call *call, const struct plan_request *request, struct plan *plan);
int reference_metrics(struct call *call, const struct metrics_request *request, struct metrics *metrics);

/* The configured trust domain, and the image of the mesh's program. */
const char *reference_trust_domain(const struct call *call);
const char *reference_image(const struct call *call);

/* The patch that gives pods their sidecar, and the steps that make a control plane in a namespace of its own. */
int kubernetes_overlay(struct call *call, struct enrollment *enrollment);
int kubernetes_install(struct call *call, const char *ns, struct plan *plan);

/* An object at /v1/<collection>/<ns>[/<name>], with the same without /v1/ as its id. Takes the reference to `body`. */
struct native_object *reference_object(struct call *call, uint32_t wave, const char *collection, const char *ns,
                                       const char *name, json_t *body);

#endif
