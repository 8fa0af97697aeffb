/* A real trammel-refmesh on loopback addresses of this process's own, servers behind it, and a client to talk through
 * it. */
#ifndef TRAMMEL_TESTS_REFMESH_FIXTURE_H
#define TRAMMEL_TESTS_REFMESH_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { HTTP_PORT = 8080, TCP_PORT = 7070, CONTROL_PORT = 15000, SIDECAR_PORT = 15001 };

/* --- the mesh --- */
struct mesh_process {
  pid_t pid;
};

/* Starts it with faults (NULL-terminated; NULL: none) and waits until it is ready. */
void mesh_start(struct mesh_process *mesh, const char *const *faults);
/* The same for a control plane, and for the sidecar of the workload that is declared as `host`. */
void control_plane_start(struct mesh_process *mesh);
void sidecar_start(struct mesh_process *mesh, int host);
/* Ends it by SIGTERM; it must end cleanly. */
void mesh_stop(struct mesh_process *mesh);
size_t mesh_descriptors(const struct mesh_process *mesh);
/* Waits until it has at most that many open; connections that were just closed take it a moment to notice. */
bool mesh_settles(const struct mesh_process *mesh, size_t descriptors);

/* Addresses of this test: `kind` 'c' control, 'a' app, 'i' inbound, 'o' outbound. The text is static, for 16 calls. */
const char *address_of(char kind, int host);

/* Sends a control request, and returns the status; `path` follows /v1/, or is a whole one that starts with a slash. The
 * answer's body in `ret_body` (NULL: not wanted; else freed by the caller). */
int control(const char *method, const char *path, const char *body, char **ret_body);
/* What the SMI metrics API answers for the path after its version; heap. And whether an object in it counts that. */
char *metrics(const char *path);
bool counted(const char *metrics, unsigned successes, unsigned failures);
/* A PUT that must be answered with 200; `format` makes the body. */
void declare(const char *path, const char *format, ...) __attribute__((format(printf, 2, 3)));
void undeclare(const char *path);

/* Declares workload `name` of account `name` in `namespace`, with an HTTP and a TCP port, whose outbound proxy listens
 * for the services of `upstreams` ("ns/service", NULL-terminated): the n-th at 20000 + n for HTTP and 21000 + n for
 * TCP. */
void declare_workload(const char *namespace, const char *name, int host, const char *const *upstreams);
/* Declares service `name` with both ports, and one workload. */
void declare_service(const char *namespace, const char *name, const char *workload);

/* --- servers behind it: HTTP on HTTP_PORT, a line echo on TCP_PORT, each on the app address of its host number --- */
struct server;
struct server *server_start(const char *name, int host);
void server_stop(struct server *server);
unsigned server_requests(struct server *server); /* HTTP requests that arrived */
unsigned server_lines(struct server *server);

/* --- a client --- */
struct reader {
  int fd;
  char *data;
  size_t length, capacity;
};

/* A blocking connection with a timeout of some seconds for everything. */
int dial(const char *address, int port);
struct reader dial_reader(const char *address, int port);
void reader_close(struct reader *reader);
void send_text(int fd, const char *text);
void send_bytes(int fd, const void *data, size_t length);
/* Whether the other side ends the connection, without sending any more. */
bool ends(struct reader *reader);
/* Reads up to and with a line feed; the text is the caller's; NULL when the connection ended first. */
char *read_line(struct reader *reader);

struct answer {
  int status; /* 0: the connection ended without one */
  char *head; /* status line and fields */
  char *body;
  size_t length;
};
void answer_free(struct answer *answer);
/* Reads an answer; `head_only` for one to HEAD. */
struct answer read_answer(struct reader *reader, bool head_only);
/* One request without a body. `fields` are lines with their ends, or "". */
struct answer ask(struct reader *reader, const char *method, const char *path, const char *fields);
/* The status of one request on a new connection. */
int status_of(const char *address, int port, const char *method, const char *path, const char *fields);
/* Whether a line is echoed on a new connection. */
bool line_passes(const char *address, int port);

#endif
