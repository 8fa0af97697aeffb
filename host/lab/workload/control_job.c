/* Requests to the control port that take a while: batches, and the sample app's /call. */
#include <errno.h>
#include <event2/bufferevent.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>

#include "host/lab/workload/control_internal.h"
#include "host/lab/workload/forward.h"
#include "host/lab/workload/run.h"

struct control_job {
  LIST_ENTRY(control_job) link;
  struct control *control;
  struct evhttp_request *request;
  struct event *closed; /* of a duplicate of the connection's descriptor, which evhttp knows nothing of */
  int closed_fd;
  struct run *run;         /* of a batch */
  struct forward *forward; /* of a /call */
};

void control_job_destroy(struct control_job *job) {
  if (job->closed)
    event_free(job->closed);
  if (job->closed_fd >= 0)
    (void)close(job->closed_fd);
  run_destroy(job->run);
  forward_destroy(job->forward);
  LIST_REMOVE(job, link);
  job->control->job_count--;
  free(job);
}

static void job_refuse(struct control_job *job, int status, const char *reason) {
  struct evhttp_request *request = job->request;
  control_job_destroy(job);
  control_refuse(request, status, reason);
}

/* Something happened on the connection: it closed, or a request was sent before the answer to this one. */
static void on_closed(evutil_socket_t fd, short what, void *user) {
  (void)what;
  struct pollfd state = {.fd = fd, .events = POLLRDHUP};
  if (poll(&state, 1, 0) == 1 && (state.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0)
    job_refuse(user, 408, "cancelled, since the connection was closed");
}

/* evhttp does not read while a request is being answered, so it does not see that the connection closed, and must not
 * be made to read: it ends the program when a next request comes early. */
static int watch_connection(struct control_job *job) {
  struct evhttp_connection *connection = evhttp_request_get_connection(job->request);
  int fd = bufferevent_getfd(evhttp_connection_get_bufferevent(connection));
  job->closed_fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
  if (job->closed_fd < 0)
    return -errno;
  job->closed = event_new(job->control->base, job->closed_fd, EV_READ | EV_CLOSED | EV_ET | EV_PERSIST, on_closed, job);
  return job->closed && event_add(job->closed, NULL) == 0 ? 0 : -ENOMEM;
}

/* NULL when the request was refused. */
static struct control_job *job_create(struct control *control, struct evhttp_request *request) {
  if (control->job_count >= CONTROL_JOBS_MAX) {
    control_refuse(request, 429, "16 batches and calls are in progress, which is the most");
    return NULL;
  }
  struct control_job *job = calloc(1, sizeof(*job));
  if (!job) {
    control_refuse(request, 500, "out of memory");
    return NULL;
  }
  job->control = control;
  job->request = request;
  job->closed_fd = -1;
  LIST_INSERT_HEAD(&control->jobs, job, link);
  control->job_count++;
  if (watch_connection(job) < 0) {
    job_refuse(job, 500, "out of memory or of file descriptors");
    return NULL;
  }
  return job;
}

static void on_run_done(void *user, const struct call_outcome *outcomes, size_t count) {
  struct control_job *job = user;
  struct evhttp_request *request = job->request;
  struct strbuf body = STRBUF_INIT;
  batch_write_outcomes(outcomes, count, &body);
  control_job_destroy(job);
  control_answer(request, 200, "application/json", &body);
}

void control_start_calls(struct control *control, struct evhttp_request *request) {
  struct control_job *job = job_create(control, request);
  if (!job)
    return;
  _cleanup_error_ struct error *err = NULL;
  struct batch *batch = NULL;
  size_t length = 0;
  const char *text = control_body(request, &length);
  if (!text || batch_parse(text, length, &batch, &err) < 0)
    job_refuse(job, 400, error_message(err));
  else if (run_create(control->base, batch, control->keep, on_run_done, job, &job->run) < 0)
    job_refuse(job, 500, "out of memory");
}

static void on_forward_done(void *user, const struct forward_reply *reply) {
  struct control_job *job = user;
  struct evhttp_request *request = job->request;
  struct strbuf body = STRBUF_INIT;
  char content_type[sizeof(((struct call_sink *)0)->content_type)];
  strbuf_append(&body, reply->body, reply->body_length);
  (void)snprintf(content_type, sizeof(content_type), "%s", reply->content_type);
  int status = (int)reply->status;
  control_job_destroy(job);
  control_answer(request, status, content_type, &body);
}

void control_start_forward(struct control *control, struct evhttp_request *request) {
  struct control_job *job = job_create(control, request);
  if (!job)
    return;
  _cleanup_error_ struct error *err = NULL;
  size_t length = 0;
  const char *text = control_body(request, &length);
  const char *caller = evhttp_find_header(evhttp_request_get_input_headers(request), "ServiceName");
  metrics_received(&control->service->metrics, caller ? caller : "");
  if (!text ||
      forward_create(control->base, control->service, text, length, on_forward_done, job, &job->forward, &err) < 0)
    job_refuse(job, 400, error_message(err));
}
