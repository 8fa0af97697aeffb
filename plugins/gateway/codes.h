/* Codes of the adapter's diagnostics; never reused for something else. docs/diagnostics.md lists them. */
#ifndef TRAMMEL_PLUGINS_GATEWAY_CODES_H
#define TRAMMEL_PLUGINS_GATEWAY_CODES_H

#define CODE_ACCESS "GATEWAY-0001"       /* access control, which the API has none of */
#define CODE_DENY "GATEWAY-0002"         /* denial by default, the same */
#define CODE_DANGLING "GATEWAY-0003"     /* a route group that is not there */
#define CODE_NOTHING_LEFT "GATEWAY-0004" /* what it depends on was left out */
#define CODE_REGEX "GATEWAY-0005"        /* a regular expression outside the dialect, or that is not to be used */
#define CODE_SUPPORT "GATEWAY-0006"      /* carried by what implementations need not support */
#define CODE_MATCH "GATEWAY-0007"        /* a path, method or header that a route cannot say */
#define CODE_LIMIT "GATEWAY-0008"        /* more matches or backends than a route takes */
#define CODE_WEIGHT "GATEWAY-0009"       /* weights above what a route takes */
#define CODE_ROOT "GATEWAY-0010"         /* the root service is not there */
#define CODE_ROOT_TAKEN "GATEWAY-0011"   /* a second split for one service */
#define CODE_BACKEND "GATEWAY-0012"      /* a backend that is not there */
#define CODE_UDP "GATEWAY-0013"          /* UDP */

#endif
