#include "host/certify/mesh_double.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "sdk/base/clock.h"

#define STRANGE                                                                                                        \
  "{\"version\":{\"a\":[null]},\"ready\":\"yes\",\"status\":[],\"kind\":7,\"apiVersion\":{},\"metadata\":[[]],"        \
  "\"items\":[[],1,null,{\"metadata\":7,\"spec\":null,\"resource\":3},{}],\"data\":\"\\u0000\\ud83d\"}"

const struct reply hostile_replies[] = {
    {.name = "an empty answer", .status = 200, .body = ""},
    {.name = "bytes that are no text", .status = 200, .body = "\0\xff\xfe\x80\xc0 \0{", .length = 8},
    {.name = "half of a JSON document", .status = 200, .body = "{\"version\":\"1.0\",\"items\":[{\"me"},
    {.name = "null", .status = 200, .body = "null"},
    {.name = "a list", .status = 200, .body = "[]"},
    {.name = "a number", .status = 200, .body = "1e999"},
    {.name = "an object with nothing in it", .status = 200, .body = "{}"},
    {.name = "an object with values of strange types", .status = 200, .body = STRANGE},
    {.name = "lists nested 200,000 deep", .status = 200, .body = "[", .repeat = 200000},
    {.name = "16 MiB of digits", .status = 200, .body = "0123456789abcdef", .repeat = 1 << 20},
    {.name = "a page of a proxy", .status = 200, .body = "<html><body>Sign in</body></html>"},
    {.name = "status 301", .status = 301, .body = ""},
    {.name = "status 404", .status = 404, .body = "{\"kind\":\"Status\"}"},
    {.name = "status 500", .status = 500, .body = "upstream connect error"},
    {.name = "status 999", .status = 999, .body = ""},
    {.name = "no one who listens", .error = -ECONNREFUSED},
    {.name = "a connection that is closed in the middle", .error = -ECONNRESET},
    {.name = "no answer in time", .error = -ETIMEDOUT},
    {.name = "an answer over the host's limit", .error = -EFBIG},
    {.name = "an endpoint without an address", .error = -ENOENT},
};
const size_t hostile_reply_count = ARRAY_COUNT(hostile_replies);

static void wait_until(int64_t deadline_ns) {
  const struct timespec until = {deadline_ns / NS_PER_SECOND, deadline_ns % NS_PER_SECOND};
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
    continue;
}

static int answer(const struct reply *reply, unsigned *ret_status, char **ret_body, size_t *ret_body_length,
                  struct error **err) {
  size_t once = reply->length ? reply->length : reply->error ? 0 : strlen(reply->body);
  size_t repeat = reply->repeat ? reply->repeat : 1;
  if (reply->error)
    return error_set(err, -reply->error, "%s", reply->name);
  char *body = malloc(once * repeat + 1);
  if (!body)
    return error_set(err, ENOMEM, "out of memory");
  for (size_t i = 0; i < repeat; i++)
    memcpy(body + i * once, reply->body, once);
  body[once * repeat] = '\0';
  *ret_status = reply->status;
  *ret_body = body;
  *ret_body_length = once * repeat;
  return 0;
}

static int request(void *ctx, void *user, const char *endpoint, const char *method, const char *path,
                   const char *content_type, const void *body, size_t body_length, int64_t deadline_ns,
                   unsigned *ret_status, char **ret_body, size_t *ret_body_length, struct error **err) {
  struct mesh_double *mesh = ctx;
  (void)user, (void)endpoint, (void)method, (void)path, (void)content_type, (void)body, (void)body_length;
  atomic_fetch_add(&mesh->requests, 1);
  if (mesh->manner == DOUBLE_CANCELS) {
    atomic_store(&mesh->cancel, true);
    return error_set(err, ECANCELED, "cancelled");
  }
  if (mesh->manner == DOUBLE_WAITS) {
    wait_until(deadline_ns);
    return error_set(err, ETIMEDOUT, "no answer in time");
  }
  return answer(mesh->reply, ret_status, ret_body, ret_body_length, err);
}

void mesh_double_init(struct mesh_double *mesh, enum double_manner manner, const struct reply *reply) {
  *mesh = (struct mesh_double){.http = {.ctx = mesh, .request = request}, .manner = manner, .reply = reply};
}
