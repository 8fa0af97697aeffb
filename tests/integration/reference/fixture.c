#include "fixture.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "sdk/base/clock.h"

enum { IO_SECONDS = 20 };

const char *address_of(char kind, int host) {
  static char texts[16][32];
  static unsigned next;
  static const char kinds[] = "caio";
  char *text = texts[next++ % 16];
  unsigned pid = (unsigned)getpid();
  int last = (int)(strchr(kinds, kind) - kinds) * 50 + host;
  snprintf(text, sizeof texts[0], "127.%u.%u.%d", 64 + ((pid >> 8) & 127), pid & 255, last + 1);
  return text;
}

/* `argv[0]` is left to be set. */
static void program_start(struct mesh_process *mesh, char **argv) {
  const char *build = getenv("TRAMMEL_BUILD_DIR");
  assert_non_null(build);
  char program[4096];
  snprintf(program, sizeof program, "%s/bin/trammel-refmesh", build);
  argv[0] = program;
  int out[2];
  assert_int_equal(pipe(out), 0);
  mesh->pid = fork();
  assert_true(mesh->pid >= 0);
  if (mesh->pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(out[1], STDOUT_FILENO);
    for (int fd = 3; fd < 256; fd++)
      close(fd);
    execv(program, argv);
    _exit(127);
  }
  argv[0] = NULL;
  close(out[1]);
  struct reader reader = {.fd = out[0]};
  char *line = read_line(&reader);
  assert_non_null(line);
  assert_string_equal(line, "ready\n");
  free(line);
  reader_close(&reader);
}

void mesh_start(struct mesh_process *mesh, const char *const *faults) {
  char where[64];
  snprintf(where, sizeof where, "%s:%d", address_of('c', 0), CONTROL_PORT);
  char *argv[40] = {NULL, (char *)"--control", where};
  for (int i = 3; faults && *faults && i < 38; faults++) {
    argv[i++] = (char *)"--fault";
    argv[i++] = (char *)*faults;
  }
  program_start(mesh, argv);
}

void control_plane_start(struct mesh_process *mesh) {
  char where[64];
  snprintf(where, sizeof where, "%s:%d", address_of('c', 0), CONTROL_PORT);
  char *argv[] = {NULL, (char *)"--control", where, (char *)"--control-plane", NULL};
  program_start(mesh, argv);
}

void sidecar_start(struct mesh_process *mesh, int host) {
  char where[96], address[64];
  snprintf(address, sizeof address, "%s", address_of('i', host));
  snprintf(where, sizeof where, "%s:%d", address, SIDECAR_PORT);
  char *argv[] = {NULL, (char *)"--control", where, (char *)"--sidecar", address, NULL};
  program_start(mesh, argv);
}

void mesh_stop(struct mesh_process *mesh) {
  int status;
  assert_true(mesh->pid > 0); /* 0 would be whoever runs the test */
  assert_int_equal(kill(mesh->pid, SIGTERM), 0);
  assert_int_equal(waitpid(mesh->pid, &status, 0), mesh->pid);
  assert_true(WIFEXITED(status));
  assert_int_equal(WEXITSTATUS(status), 0);
}

size_t mesh_descriptors(const struct mesh_process *mesh) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/fd", mesh->pid);
  DIR *dir = opendir(path);
  assert_non_null(dir);
  size_t count = 0;
  while (readdir(dir))
    count++;
  closedir(dir);
  return count;
}

bool mesh_settles(const struct mesh_process *mesh, size_t descriptors) {
  int64_t deadline_ns = clock_monotonic_ns() + IO_SECONDS * NS_PER_SECOND;
  while (mesh_descriptors(mesh) > descriptors) {
    if (clock_monotonic_ns() > deadline_ns)
      return false;
    (void)poll(NULL, 0, 5);
  }
  return true;
}

int control(const char *method, const char *path, const char *body, char **ret_body) {
  struct reader reader = dial_reader(address_of('c', 0), CONTROL_PORT);
  char head[1024];
  snprintf(head, sizeof head, "%s %s%s HTTP/1.1\r\nHost: control\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n",
           method, *path == '/' ? "" : "/v1/", path, strlen(body));
  send_text(reader.fd, head);
  send_text(reader.fd, body);
  struct answer answer = read_answer(&reader, false);
  int status = answer.status;
  if (ret_body) {
    *ret_body = answer.body;
    answer.body = NULL;
  }
  answer_free(&answer);
  reader_close(&reader);
  return status;
}

char *metrics(const char *path) {
  char full[256], *body = NULL;
  snprintf(full, sizeof full, "/apis/metrics.smi-spec.io/v1alpha1%s", path);
  assert_int_equal(control("GET", full, "", &body), 200);
  return body;
}

bool counted(const char *metrics, unsigned successes, unsigned failures) {
  char text[256];
  snprintf(text, sizeof text,
           "{\"name\":\"success_count\",\"value\":\"%u\"},{\"name\":\"failure_count\",\"value\":\"%u\"}", successes,
           failures);
  return strstr(metrics, text) != NULL;
}

void declare(const char *path, const char *format, ...) {
  char *body = NULL, *answer = NULL;
  va_list args;
  va_start(args, format);
  int length = vasprintf(&body, format, args);
  va_end(args);
  assert_true(length >= 0);
  int status = control("PUT", path, body, &answer);
  if (status != 200)
    fail_msg("PUT %s: %d %s\n%s", path, status, answer, body);
  free(body);
  free(answer);
}

void undeclare(const char *path) {
  assert_int_equal(control("DELETE", path, "", NULL), 200);
}

void declare_workload(const char *namespace, const char *name, int host, const char *const *upstreams) {
  char path[256], list[8192] = "";
  size_t used = 0;
  for (int i = 0; upstreams && upstreams[i]; i++) {
    char service_namespace[64];
    const char *slash = strchr(upstreams[i], '/');
    snprintf(service_namespace, sizeof service_namespace, "%.*s", (int)(slash - upstreams[i]), upstreams[i]);
    static const struct { int port, listen; } ports[] = {{HTTP_PORT, 20000}, {TCP_PORT, 21000}};
    for (int k = 0; k < 2; k++)
      used += (size_t)snprintf(list + used, sizeof list - used,
                               "%s{\"namespace\":\"%s\",\"service\":\"%s\",\"port\":%d,\"listen\":%d}", used ? "," : "",
                               service_namespace, slash + 1, ports[k].port, ports[k].listen + i);
  }
  snprintf(path, sizeof path, "workloads/%s/%s", namespace, name);
  declare(
      path,
      "{\"serviceAccount\":\"%s\",\"app\":\"%s\",\"inbound\":\"%s\",\"outbound\":\"%s\",\"labels\":{\"app\":\"%s\"},"
      "\"ports\":[{\"port\":%d,\"protocol\":\"http\"},{\"port\":%d,\"protocol\":\"tcp\"}],\"upstreams\":[%s]}",
      name, address_of('a', host), address_of('i', host), address_of('o', host), name, HTTP_PORT, TCP_PORT, list);
}

void declare_service(const char *namespace, const char *name, const char *workload) {
  char path[256];
  snprintf(path, sizeof path, "services/%s/%s", namespace, name);
  declare(path,
          "{\"ports\":[{\"port\":%d,\"targetPort\":%d,\"protocol\":\"http\"},"
          "{\"port\":%d,\"targetPort\":%d,\"protocol\":\"tcp\"}],\"workloads\":[\"%s\"]}",
          HTTP_PORT, HTTP_PORT, TCP_PORT, TCP_PORT, workload);
}

static int try_dial(const char *address, int port) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  assert_int_equal(inet_pton(AF_INET, address, &to.sin_addr), 1);
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  assert_true(fd >= 0);
  struct timeval limit = {.tv_sec = IO_SECONDS};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0)
    return fd;
  close(fd);
  return -1;
}

int dial(const char *address, int port) {
  int fd = try_dial(address, port);
  if (fd < 0)
    fail_msg("connecting to %s:%d: %s", address, port, strerror(errno));
  return fd;
}

struct reader dial_reader(const char *address, int port) {
  return (struct reader){.fd = dial(address, port)};
}

void reader_close(struct reader *reader) {
  close(reader->fd);
  free(reader->data);
  *reader = (struct reader){.fd = -1};
}

void send_bytes(int fd, const void *data, size_t length) {
  const char *at = data;
  while (length > 0) {
    ssize_t n = send(fd, at, length, MSG_NOSIGNAL);
    if (n < 0)
      return; /* what comes of it is seen when reading */
    at += n;
    length -= (size_t)n;
  }
}

void send_text(int fd, const char *text) {
  send_bytes(fd, text, strlen(text));
}

/* Reads some more. False at the end; a timeout fails the test. */
static bool fill(struct reader *reader) {
  if (reader->capacity - reader->length < 65536) {
    reader->capacity = reader->capacity * 2 + 65536;
    reader->data = realloc(reader->data, reader->capacity);
    assert_non_null(reader->data);
  }
  ssize_t n = read(reader->fd, reader->data + reader->length, reader->capacity - reader->length);
  if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
    fail_msg("nothing was received within %d seconds", IO_SECONDS);
  if (n <= 0)
    return false;
  reader->length += (size_t)n;
  return true;
}

/* Takes the first `length` bytes out as a string. */
static char *take_text(struct reader *reader, size_t length) {
  while (reader->length < length)
    if (!fill(reader))
      return NULL;
  char *text = malloc(length + 1);
  assert_non_null(text);
  if (length)
    memcpy(text, reader->data, length);
  text[length] = '\0';
  reader->length -= length;
  if (reader->length)
    memmove(reader->data, reader->data + length, reader->length);
  return text;
}

char *read_line(struct reader *reader) {
  for (size_t seen = 0;;) {
    char *end = reader->length > seen ? memchr(reader->data + seen, '\n', reader->length - seen) : NULL;
    if (end)
      return take_text(reader, (size_t)(end - reader->data) + 1);
    seen = reader->length;
    if (!fill(reader))
      return NULL;
  }
}

bool ends(struct reader *reader) {
  return reader->length == 0 && !fill(reader);
}

void answer_free(struct answer *answer) {
  free(answer->head);
  free(answer->body);
  *answer = (struct answer){0};
}

static char *read_head(struct reader *reader) {
  char *head = NULL;
  size_t length = 0;
  for (;;) {
    char *line = read_line(reader);
    if (!line) {
      free(head);
      return NULL;
    }
    size_t n = strlen(line);
    head = realloc(head, length + n + 1);
    assert_non_null(head);
    memcpy(head + length, line, n + 1);
    length += n;
    bool last = strcmp(line, "\r\n") == 0;
    free(line);
    if (last)
      return head;
  }
}

static void append_body(struct answer *answer, const char *data, size_t length) {
  answer->body = realloc(answer->body, answer->length + length + 1);
  assert_non_null(answer->body);
  memcpy(answer->body + answer->length, data, length);
  answer->length += length;
  answer->body[answer->length] = '\0';
}

static void read_chunks(struct reader *reader, struct answer *answer) {
  for (;;) {
    char *line = read_line(reader);
    assert_non_null(line);
    size_t size = strtoul(line, NULL, 16);
    free(line);
    char *chunk = take_text(reader, size + 2);
    assert_non_null(chunk);
    append_body(answer, chunk, size);
    free(chunk);
    if (size == 0)
      return;
  }
}

struct answer read_answer(struct reader *reader, bool head_only) {
  struct answer answer = {.head = read_head(reader)};
  append_body(&answer, "", 0);
  if (!answer.head)
    return answer;
  answer.status = atoi(answer.head + strlen("HTTP/1.1 "));
  if (head_only || answer.status == 204 || answer.status == 304 || answer.status < 200)
    return answer;
  const char *length = strcasestr(answer.head, "\r\ncontent-length:");
  if (length) {
    size_t size = strtoul(length + strlen("\r\ncontent-length:"), NULL, 10);
    char *body = take_text(reader, size);
    assert_non_null(body);
    append_body(&answer, body, size);
    free(body);
  } else if (strcasestr(answer.head, "\r\ntransfer-encoding: chunked")) {
    read_chunks(reader, &answer);
  } else {
    while (fill(reader))
      continue;
    append_body(&answer, reader->data, reader->length);
    reader->length = 0;
  }
  return answer;
}

struct answer ask(struct reader *reader, const char *method, const char *path, const char *fields) {
  char *head = NULL;
  assert_true(asprintf(&head, "%s %s HTTP/1.1\r\nHost: test\r\n%s\r\n", method, path, fields) >= 0);
  send_text(reader->fd, head);
  free(head);
  return read_answer(reader, strcmp(method, "HEAD") == 0);
}

int status_of(const char *address, int port, const char *method, const char *path, const char *fields) {
  struct reader reader = {.fd = try_dial(address, port)};
  if (reader.fd < 0)
    return 0;
  struct answer answer = ask(&reader, method, path, fields);
  int status = answer.status;
  answer_free(&answer);
  reader_close(&reader);
  return status;
}

bool line_passes(const char *address, int port) {
  struct reader reader = dial_reader(address, port);
  send_text(reader.fd, "hello\n");
  char *line = read_line(&reader);
  bool passes = line && strstr(line, "hello");
  free(line);
  reader_close(&reader);
  return passes;
}
