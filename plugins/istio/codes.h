/* Codes of the adapter's diagnostics; never reused for something else. docs/diagnostics.md lists them. */
#ifndef TRAMMEL_PLUGINS_ISTIO_CODES_H
#define TRAMMEL_PLUGINS_ISTIO_CODES_H

#define CODE_DANGLING "ISTIO-0001"     /* a route, match or binding that is not there */
#define CODE_IDENTITY "ISTIO-0002"     /* a subject that cannot be told by ServiceAccount */
#define CODE_NOTHING_LEFT "ISTIO-0003" /* what it depends on was left out */
#define CODE_REGEX "ISTIO-0004"        /* a regular expression outside the dialect */
#define CODE_SELECTOR "ISTIO-0005"     /* no labels tell the pods of a destination from all others */
#define CODE_PATTERN "ISTIO-0006"      /* a path, method or header that an AuthorizationPolicy cannot say */
#define CODE_FILTER "ISTIO-0007"       /* carried by an EnvoyFilter */
#define CODE_UDP "ISTIO-0008"          /* UDP */
#define CODE_PORT_SHARED "ISTIO-0009"  /* a port that workloads of one ServiceAccount use for different things */
#define CODE_NO_WEIGHT "ISTIO-0010"    /* a split that sends nothing to any backend */
#define CODE_WEIGHT "ISTIO-0011"       /* a weight above what Istio carries */
#define CODE_ROOT_TAKEN "ISTIO-0012"   /* a second split for one service */
#define CODE_ROOT "ISTIO-0013"         /* the root service is not there, or has no port that can be split */
#define CODE_BACKEND "ISTIO-0014"      /* a backend that is not there, or a port that no backend has */
#define CODE_ROUTE_MATCH "ISTIO-0015"  /* a match that a VirtualService cannot say */
#define CODE_LAB "ISTIO-0016"          /* a kind of lab that the adapter cannot enrol in */
#define CODE_MESH_ANSWER "ISTIO-0017"  /* an answer of the Kubernetes API that is not as documented */

#endif
