/* The Trammel adapter ABI, major version 1: moves bytes between the host and an adapter's shared object. What the bytes
 * mean is proto/trammel/adapter/v1. Vendors write against the typed layer in sdk/adapter, which implements this.
 *
 * Rules (docs/abi.md ties each to its test):
 * - The major version is in the entry symbol. A minor version only appends to tables; read a field only when the
 *   table's head.size covers it (TRAMMEL_HAS). Tables fetched by id are frozen once stable, and ids are never renamed.
 * - Arguments are borrowed for the call; who needs them longer copies. Nobody frees the other's memory.
 * - call() is plain blocking code, on a thread the host owns; one call at a time per instance unless the adapter
 *   declares itself reentrant. emit, diagnose, cancelled and log may be used from any thread until the call returns. */
#ifndef TRAMMEL_ABI_H
#define TRAMMEL_ABI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TRAMMEL_ABI_MAJOR 1u
#define TRAMMEL_ABI_MINOR 0u

#define TRAMMEL_EXPORT __attribute__((visibility("default")))

/* True when `table` is long enough to hold `field`. */
#define TRAMMEL_HAS(table, field) ((table)->head.size >= offsetof(__typeof__(*(table)), field) + sizeof((table)->field))

/* Bytes, not NUL-terminated; `n` is the length. {NULL, 0} is empty. */
typedef struct trammel_str {
  const char *p;
  size_t n;
} trammel_str;

/* First in every table. `size` is sizeof the table as its writer knew it. `flags` is 0 in version 1. */
typedef struct trammel_head {
  uint32_t size;
  uint32_t abi_major;
  uint32_t abi_minor;
  uint32_t flags;
} trammel_head;

typedef struct trammel_op trammel_op;             /* the host's; one per call in flight */
typedef struct trammel_instance trammel_instance; /* the adapter's; one per configured mesh */

/* Status codes of call() and create(): gRPC's numbers. */
enum {
  TRAMMEL_OK = 0,
  TRAMMEL_CANCELLED = 1,
  TRAMMEL_UNKNOWN = 2,
  TRAMMEL_INVALID_ARGUMENT = 3,
  TRAMMEL_DEADLINE_EXCEEDED = 4,
  TRAMMEL_NOT_FOUND = 5,
  TRAMMEL_ALREADY_EXISTS = 6,
  TRAMMEL_PERMISSION_DENIED = 7,
  TRAMMEL_RESOURCE_EXHAUSTED = 8,
  TRAMMEL_FAILED_PRECONDITION = 9,
  TRAMMEL_ABORTED = 10,
  TRAMMEL_OUT_OF_RANGE = 11,
  TRAMMEL_UNIMPLEMENTED = 12,
  TRAMMEL_INTERNAL = 13,
  TRAMMEL_UNAVAILABLE = 14,
  TRAMMEL_DATA_LOSS = 15,
  TRAMMEL_UNAUTHENTICATED = 16
};

/* Severities of a diagnostic and levels of the log. */
enum { TRAMMEL_INFO = 1, TRAMMEL_WARNING = 2, TRAMMEL_ERROR = 3, TRAMMEL_DEBUG = 4 };

/* Flags of a diagnostic. */
enum {
  TRAMMEL_RETRY_MAY_HELP = 1,
  TRAMMEL_EFFECTS_UNKNOWN = 2 /* the mesh may or may not have changed */
};

/* What went wrong, or is worth telling, about part of a request. Strings are UTF-8 and may be empty. */
typedef struct trammel_diagnostic {
  uint32_t size;        /* sizeof(trammel_diagnostic) as its writer knew it */
  uint32_t severity;    /* TRAMMEL_INFO, TRAMMEL_WARNING or TRAMMEL_ERROR */
  uint32_t flags;       /* TRAMMEL_RETRY_MAY_HELP | TRAMMEL_EFFECTS_UNKNOWN */
  uint32_t reserved;    /* 0 */
  trammel_str code;     /* stable: "REFERENCE-0003" */
  trammel_str resource; /* "TrafficTarget main/allow-client"; empty: the request as a whole */
  trammel_str pointer;  /* RFC 6901 pointer into that resource */
  trammel_str summary;  /* one line */
  trammel_str detail;
  trammel_str cause;  /* probable cause */
  trammel_str remedy; /* what to do */
} trammel_diagnostic;

/* What the host gives the adapter; lives until destroy() returns. `get` gives a host service's table by id, or NULL
 * when the host doesn't have it. Any thread. */
typedef struct trammel_host {
  trammel_head head;
  void *ctx;
  const void *(*get)(const struct trammel_host *host, const char *service_id);
} trammel_host;

#define TRAMMEL_OP_SERVICE "trammel.op/1"
typedef struct trammel_op_api {
  trammel_head head;
  /* True once the caller gave up. Any thread. */
  bool (*cancelled)(trammel_op *op);
  /* A descriptor that is readable once cancelled; the host's, not to be read or closed. -1: none. */
  int (*cancel_fd)(trammel_op *op);
  /* The deadline in nanoseconds of CLOCK_MONOTONIC; 0: none. */
  int64_t (*deadline_ns)(trammel_op *op);
  /* Sends a response message: exactly once for a unary method, any number of times for a streaming one. Waits while the
   * receiver is slow. 0; -ECANCELED when the receiver is gone; -EMSGSIZE above the host's limit; -EPROTO for a second
   * message of a unary call. */
  int (*emit)(trammel_op *op, trammel_str message);
  /* Adds a diagnostic to the call's result. The host copies it. */
  void (*diagnose)(trammel_op *op, const trammel_diagnostic *diagnostic);
} trammel_op_api;

#define TRAMMEL_LOG_SERVICE "trammel.log/1"
typedef struct trammel_log_api {
  trammel_head head;
  /* A line for the host's log, without a newline. Any thread. */
  void (*write)(const trammel_host *host, uint32_t level, trammel_str line);
} trammel_log_api;

typedef struct trammel_http_header {
  trammel_str name;
  trammel_str value;
} trammel_http_header;

typedef struct trammel_http_request {
  uint32_t size; /* sizeof(trammel_http_request) as its writer knew it */
  uint32_t header_count;
  trammel_str endpoint; /* a name the adapter declared in Describe */
  trammel_str method;
  trammel_str path; /* absolute path and query; the host adds address and credentials */
  const trammel_http_header *headers;
  trammel_str body;
} trammel_http_request;

typedef struct trammel_http_response {
  uint32_t size; /* the adapter sets sizeof(trammel_http_response); the host fills what fits */
  uint32_t status;
  trammel_str content_type;
  trammel_str body; /* the host's; valid until the call returns */
} trammel_http_response;

#define TRAMMEL_HTTP_SERVICE "trammel.http/1"
typedef struct trammel_http_api {
  trammel_head head;
  /* Sends a request and waits for its whole response, within the call's deadline. TRAMMEL_OK for any HTTP status.
   * PERMISSION_DENIED: the endpoint, method or path is not among the declared permissions. FAILED_PRECONDITION: no
   * address is configured. UNAVAILABLE, DEADLINE_EXCEEDED, CANCELLED, RESOURCE_EXHAUSTED (body over the host's limit)
   * otherwise, and a diagnostic says more. */
  int (*request)(trammel_op *op, const trammel_http_request *request, trammel_http_response *response);
} trammel_http_api;

/* What the adapter gives the host: constant, lives as long as the shared object. */
typedef struct trammel_adapter {
  trammel_head head;
  trammel_str id;      /* "reference": lower case letters, digits and '-', at most 40 bytes */
  trammel_str version; /* "1.2.0" */
  /* Makes an instance. `config_json` is an object, or empty for none (Describe must work without). `*ret` is set on
   * TRAMMEL_OK only. */
  int (*create)(const trammel_host *host, trammel_str config_json, trammel_instance **ret, trammel_op *op);
  /* Runs a method ("Translate"): decodes `request`, emits the response, returns the status. */
  int (*call)(trammel_instance *instance, trammel_str method, trammel_str request, trammel_op *op);
  /* An extension table by id, or NULL. */
  const void *(*get)(trammel_instance *instance, const char *extension_id);
  /* Ends an instance, after its last call has returned. Takes NULL. */
  void (*destroy)(trammel_instance *instance);
} trammel_adapter;

/* The bytes of `type` up to the end of `field`. */
#define TRAMMEL_THROUGH(type, field) ((uint32_t)(offsetof(type, field) + sizeof(((type *)0)->field)))

/* The bytes of each table in ABI 1.0: the least that a reader of this major version finds. Not sizeof, which grows with
 * the header: whoever asks for that refuses every table that was written before the last field was appended. */
#define TRAMMEL_HOST_SIZE_1_0 TRAMMEL_THROUGH(trammel_host, get)
#define TRAMMEL_ADAPTER_SIZE_1_0 TRAMMEL_THROUGH(trammel_adapter, destroy)
#define TRAMMEL_OP_API_SIZE_1_0 TRAMMEL_THROUGH(trammel_op_api, diagnose)
#define TRAMMEL_LOG_API_SIZE_1_0 TRAMMEL_THROUGH(trammel_log_api, write)
#define TRAMMEL_HTTP_API_SIZE_1_0 TRAMMEL_THROUGH(trammel_http_api, request)
#define TRAMMEL_DIAGNOSTIC_SIZE_1_0 TRAMMEL_THROUGH(trammel_diagnostic, remedy)
#define TRAMMEL_HTTP_REQUEST_SIZE_1_0 TRAMMEL_THROUGH(trammel_http_request, body)
#define TRAMMEL_HTTP_RESPONSE_SIZE_1_0 TRAMMEL_THROUGH(trammel_http_response, body)

/* The one symbol an adapter exports. `host` is the head of the host's table: its ABI version. NULL when the adapter
 * can't work with this host. Pure: no threads, files or sockets. */
TRAMMEL_EXPORT const trammel_adapter *trammel_adapter_entry_v1(const trammel_head *host);
#define TRAMMEL_ENTRY_SYMBOL "trammel_adapter_entry_v1"

/* The ELF note that the host reads before it loads anything: owner "Trammel", type 1, and this as its description.
 * Strings are NUL-terminated and padded with NUL. */
#define TRAMMEL_NOTE_OWNER "Trammel"
#define TRAMMEL_NOTE_TYPE 1u
typedef struct trammel_note {
  uint32_t abi_major;
  uint32_t abi_minor; /* the least minor version of the host that the adapter needs */
  char id[40];
  char version[24];
  char mesh[40]; /* the mesh_type of Describe */
} trammel_note;

#ifdef __cplusplus
}
#endif

#endif
