/* Codes of the adapter's diagnostics; never reused for something else. docs/diagnostics.md lists them. */
#ifndef TRAMMEL_PLUGINS_OSM_CODES_H
#define TRAMMEL_PLUGINS_OSM_CODES_H

#define CODE_DANGLING "OSM-0001"     /* a route, match or binding that is not there */
#define CODE_IDENTITY "OSM-0002"     /* a subject that cannot be told by ServiceAccount */
#define CODE_NOTHING_LEFT "OSM-0003" /* what it depends on was left out */
#define CODE_REGEX "OSM-0004"        /* a regular expression outside the dialect */
#define CODE_METHOD "OSM-0005"       /* a method that OSM's resources do not take */
#define CODE_HEADER "OSM-0006"       /* one header with two expressions */
#define CODE_UDP "OSM-0007"          /* UDP */
#define CODE_PORT_SHARED "OSM-0008"  /* a port that workloads of one ServiceAccount use for different things */
#define CODE_NO_HTTP "OSM-0009"      /* routes for a destination without a port of HTTP */
#define CODE_ACCOUNT "OSM-0010"      /* a destination that no workload runs as */
#define CODE_MIXED "OSM-0011"        /* targets whose ports and routes OSM would mix */
#define CODE_FIRST_ROUTE "OSM-0012"  /* routes that overlap, with different sources */
#define CODE_MATCHES "OSM-0013"      /* a split with matches */
#define CODE_WEIGHT "OSM-0014"       /* weights that OSM cannot carry */
#define CODE_ROOT "OSM-0015"         /* the root service is not there */
#define CODE_ROOT_TAKEN "OSM-0016"   /* a second split for one service */
#define CODE_BACKEND "OSM-0017"      /* a backend that is not there, or a port that no backend has */
#define CODE_MESH_WIDE "OSM-0018"    /* what is asked for some namespaces holds for all of the mesh */
#define CODE_LAB "OSM-0019"          /* a kind of lab that the adapter cannot enrol in */
#define CODE_MESH_ANSWER "OSM-0020"  /* an answer of the Kubernetes API that is not as documented */

#endif
