/* Codes of the adapter's diagnostics; never reused for something else. docs/diagnostics.md lists them. */
#ifndef TRAMMEL_PLUGINS_LINKERD_CODES_H
#define TRAMMEL_PLUGINS_LINKERD_CODES_H

#define CODE_DANGLING "LINKERD-0001"     /* a route, match or binding that is not there */
#define CODE_IDENTITY "LINKERD-0002"     /* a subject that cannot be told by ServiceAccount */
#define CODE_NOTHING_LEFT "LINKERD-0003" /* what it depends on was left out */
#define CODE_REGEX "LINKERD-0004"        /* a regular expression outside the dialect */
#define CODE_SELECTOR "LINKERD-0005"     /* no labels tell the pods of a ServiceAccount from all others */
#define CODE_MATCH "LINKERD-0006"        /* a match that an HTTPRoute cannot say */
#define CODE_OVERLAP "LINKERD-0007"      /* matches that overlap, with different sources */
#define CODE_UDP "LINKERD-0008"          /* UDP */
#define CODE_PORT_SHARED "LINKERD-0009"  /* a port that workloads of one ServiceAccount use for different things */
#define CODE_NO_PORT "LINKERD-0010"      /* a destination without a port that the inventory knows */
#define CODE_DENIAL "LINKERD-0011"       /* what denying by default does not reach */
#define CODE_PROBES "LINKERD-0012"       /* probes of the kubelet that are denied */
#define CODE_ROOT_TAKEN "LINKERD-0013"   /* a second split for one service */
#define CODE_ROOT "LINKERD-0014"         /* the root service is not there, or has no port that can be split */
#define CODE_BACKEND "LINKERD-0015"      /* a backend that is not there, or a port that it does not have */
#define CODE_WEIGHT "LINKERD-0016"       /* weights that the mesh cannot say */
#define CODE_SPLIT_MATCH "LINKERD-0017"  /* a split for some requests only, where the mesh splits all or none */
#define CODE_LAB "LINKERD-0018"          /* a kind of lab that the adapter cannot enrol in */
#define CODE_MESH_ANSWER "LINKERD-0019"  /* an answer of the mesh that is not as documented */

#endif
